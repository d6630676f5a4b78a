"""Who calls, with which key, and what that allows."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What a caller may do; the names are those of `mailvet.v1.Scope`. None includes another."""

    BATCHES_READ = "BATCHES_READ"
    BATCHES_WRITE = "BATCHES_WRITE"
    BATCHES_DELETE = "BATCHES_DELETE"
    RESULTS_READ = "RESULTS_READ"
    VERIFY = "VERIFY"
    ACCOUNT_READ = "ACCOUNT_READ"
    ACCOUNT_WRITE = "ACCOUNT_WRITE"
    ADMIN = "ADMIN"


Scopes = frozenset[Scope]
ALL_SCOPES: Scopes = frozenset(Scope)
"""A key with all of them has those of later versions too."""


class Credential(StrEnum):
    """What a caller showed."""

    NONE = "none"
    API_KEY = "api_key"
    TOKEN = "token"
    CERTIFICATE = "certificate"


class Caller(NamedTuple):
    """Who a call comes from: what every kind of credential leads to."""

    tenant: str
    key_id: str = ""
    """Empty where no keys are asked for, and for a client certificate."""
    scopes: Scopes = ALL_SCOPES
    credential: Credential = Credential.NONE
    needs_token: bool = False
    """Whether its key has a second factor and it came without a token."""

    @property
    def rated_as(self) -> str:
        """What its calls are counted under: its key, else its tenant's certificates together.

        Empty for who showed nothing: he is let in only where everybody is trusted.
        """
        if self.key_id or self.credential is Credential.NONE:
            return self.key_id
        return f"tenant {self.tenant}"


class ApiKey(NamedTuple):
    """An API key as kept: the secret itself is not. Times are seconds since the epoch."""

    key_id: str
    tenant: str
    name: str
    digest: bytes
    create_time: float
    revoke_time: float | None = None
    scopes: Scopes = ALL_SCOPES
    expire_time: float | None = None
    last_use_time: float | None = None
    totp_secret: str = ""
    """In base 32, as authenticator apps take it; empty when no second factor was begun."""
    totp_since: float | None = None
    """When the second factor was proven; until then it is not asked for."""
    totp_step: int = 0
    """The time step (RFC 6238 4.2) of the last code that was accepted: none is taken twice."""

    def works(self, now: float) -> bool:
        """Whether it opens anything at the time `now`."""
        return self.revoke_time is None and (self.expire_time is None or now < self.expire_time)
