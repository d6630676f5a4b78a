"""One-time codes as a second factor of a key (TOTP, RFC 6238): begun, proven, asked for."""

import hmac
from collections.abc import Callable

import pyotp

from mailvet.accounts.key_table import KeyTable
from mailvet.accounts.rate import Rate
from mailvet.errors import NotFound, PermissionDenied, QuotaExceeded, SecondFactorNeeded
from mailvet.model.access import ApiKey
from mailvet.store.base_keys import KeyStore

STEP_S = 30
"""Of time, for which one code counts: what every authenticator app uses."""
DRIFT_STEPS = 1
"""Steps before and after that count too: typing takes time, and clocks differ (RFC 6238 5.2)."""
TRIES = 5
TRY_AGAIN_S = 60.0
"""After `TRIES` wrong or right codes in a row, one a minute: guessing three out of a million takes
two hundred days on average, for somebody who has the key."""
ISSUER = "mailvet"


class SecondFactor:
    """The second factors of keys; `wall_clock` is seconds since the epoch, `clock` monotonic."""

    def __init__(
        self,
        store: KeyStore,
        table: KeyTable,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._table = table
        self._wall_clock = wall_clock
        self._tries = Rate(1 / TRY_AGAIN_S, TRIES, clock=clock)

    async def begin(self, key_id: str) -> tuple[str, str]:
        """Return a new secret in base 32 and its `otpauth://` URI.

        Raises `PermissionDenied` when the key has a second factor that was proven.
        """
        secret = pyotp.random_base32()
        if not await self._store.begin_totp(key_id, secret):
            raise PermissionDenied(
                "the key has a second factor already; make a new key to have another one"
            )
        self._table.forget()
        return secret, pyotp.TOTP(secret).provisioning_uri(name=key_id, issuer_name=ISSUER)

    async def prove(self, key_id: str, code: str) -> None:
        """Have a code complete what `begin` began; raises `NotFound` when nothing was begun."""
        key = await self._store.find_key(key_id)
        if key is None or not key.totp_secret or key.totp_since is not None:
            raise NotFound("unproven second factor", key_id)
        await self._accept(key, code)
        self._table.forget()

    async def require(self, key_id: str, code: str) -> None:
        """Raise `SecondFactorNeeded` unless the key has no second factor, or the code is right.

        Each code counts once. Raises `QuotaExceeded` after too many tries.
        """
        key = await self._store.find_key(key_id)
        if key is not None and key.totp_since is not None:
            if not code:
                raise SecondFactorNeeded("this key has a second factor: send a fresh totp_code")
            await self._accept(key, code)

    async def _accept(self, key: ApiKey, code: str) -> None:
        wait_s = self._tries.take(key.key_id)
        if wait_s:
            raise QuotaExceeded(
                "too many codes were tried; wait, then send a fresh one",
                subject="totp_tries",
                retry_after_s=wait_s,
            )
        step = self._step_of(key.totp_secret, code)
        if step is None or not await self._store.accept_totp(key.key_id, step):
            raise SecondFactorNeeded("the code is wrong, too old, or was used; send a fresh one")

    def _step_of(self, secret: str, code: str) -> int | None:
        """The time step near now whose code this is."""
        now = int(self._wall_clock() // STEP_S)
        maker = pyotp.TOTP(secret)
        near = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
        given = code.encode("utf-8")
        right = [
            step
            for step in near
            if hmac.compare_digest(maker.generate_otp(step).encode("ascii"), given)
        ]
        return right[-1] if right else None
