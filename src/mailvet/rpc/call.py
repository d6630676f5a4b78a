"""One call under way: who makes it, what it has left of its time, its messages in and out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from mailvet.accounts.admission import Kind
from mailvet.accounts.authenticator import Authenticator
from mailvet.batches.drain import Drain
from mailvet.batches.limits import MAX_MESSAGE_BYTES
from mailvet.errors import (
    InvalidRequest,
    MessageTooLarge,
    Unauthenticated,
    Unavailable,
    Violation,
)
from mailvet.model.access import Caller
from mailvet.rpc.permission import NOBODY, Permission

GOING_AWAY_DELAY_S = 1.0
"""When to come back to a server that drains: another one, or this one restarted, is there."""

_VERIFICATION = "mailvet.v1.VerificationService"

Request = TypeVar("Request", bound=Message)
Reply = Message | bytes
"""What a method answers: a message, or the bytes of one that was spliced."""


class Method(NamedTuple):
    """One RPC and the function that answers it.

    `run(request, call)` returns the reply of a unary method; a streaming one writes its replies
    to the call and returns None. With `client_streaming` the request is None: `call.requests()`.
    """

    service: str
    name: str
    run: Callable[[Any, Any], Awaitable[Reply | None]]
    request_type: type[Message]
    client_streaming: bool
    server_streaming: bool
    public: bool = False
    """Whether it is answered without a key and without a log line (health)."""
    permission: Permission = NOBODY
    """Who may call it."""

    @property
    def full_name(self) -> str:
        """Such as `mailvet.v1.BatchService/GetBatch`."""
        return f"{self.service}/{self.name}"

    @property
    def kind(self) -> Kind:
        """What it is counted as."""
        if self.server_streaming:
            return Kind.STREAM
        if self.service == _VERIFICATION:
            return Kind.VERIFICATION
        return Kind.UNCOUNTED if self.public else Kind.MANAGEMENT


class Call(Generic[Request]):
    """What a method gets beside its request."""

    def __init__(
        self,
        method: Method,
        context: grpc.aio.ServicerContext[Any, Any],
        authenticator: Authenticator,
        drain: Drain,
    ) -> None:
        self.method = method
        self.drain = drain
        self.caller = Caller("")
        self.batch_id = ""
        """The batch that its request names."""
        self.subject_key_id = ""
        """The API key that it is about."""
        self.ended_by: Unauthenticated | None = None
        """Why it was ended from outside."""
        self.messages_in = 0
        self.messages_out = 0
        self._context = context
        self._authenticator = authenticator

    @property
    def tenant(self) -> str:
        """Whose call it is."""
        return self.caller.tenant

    def certificate_names(self) -> list[str]:
        """Return the names in the client's certificate; it was verified in the handshake."""
        told = self._context.auth_context().get("x509_subject_alternative_name", ())
        return [name.decode("utf-8", "replace") for name in told]

    def budget_s(self, most_s: float) -> float:
        """Seconds until the caller's deadline, at most `most_s`."""
        left_s = self._context.time_remaining()
        return most_s if left_s is None else max(0.0, min(left_s, most_s))

    def decode(self, raw: bytes) -> Request:
        """Return the request; raises `MessageTooLarge`, and `InvalidRequest` for broken bytes."""
        self.messages_in += 1
        if len(raw) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(len(raw), MAX_MESSAGE_BYTES)
        try:
            request = self.method.request_type.FromString(raw)
        except DecodeError:
            what = f"the bytes are no {self.method.request_type.DESCRIPTOR.full_name}"
            raise InvalidRequest([Violation("", what, "MESSAGE_UNREADABLE")]) from None
        if self.method.permission.audited:
            self._note_subject(request)
        return request  # type: ignore[return-value]

    def _note_subject(self, request: Any) -> None:
        """Note what a request is about: its first ids count."""
        batch = getattr(request, "batch", request)
        self.batch_id = self.batch_id or getattr(batch, "batch_id", "")
        self.subject_key_id = self.subject_key_id or getattr(request, "key_id", "")

    async def requests(self) -> AsyncIterator[Request]:
        """Read the client's messages until it is done; `Unavailable` when the server drains."""
        while True:
            raw = await self.drain.unless(self._context.read())
            if raw is None:
                raise self.going_away()
            if raw is grpc.aio.EOF:  # type: ignore[attr-defined]
                return
            yield self.decode(raw)

    async def write(self, reply: Reply) -> None:
        """Send one reply; waits while the client does not read.

        Raises `Unauthenticated` when the caller's key was revoked since the call began.
        """
        if not self._authenticator.is_sure_of(self.caller):
            await self._authenticator.recheck(self.caller)
        await self._context.write(encoded(reply))
        self.messages_out += 1

    def going_away(self) -> Unavailable:
        """The error that ends a call when the server drains."""
        return Unavailable(
            "the server is going away; go on with another one", retry_after_s=GOING_AWAY_DELAY_S
        )


def encoded(reply: Reply) -> bytes:
    """Return the bytes of a reply."""
    return reply if isinstance(reply, bytes) else reply.SerializeToString()
