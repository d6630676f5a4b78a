"""What every call goes through: admission, key, decoding, error table, log line, counts."""

import asyncio
import logging
import math
import random
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from structlog.typing import FilteringBoundLogger

from mailvet.accounts.admission import Admission
from mailvet.accounts.authenticator import Authenticator
from mailvet.accounts.guessing import Guessing
from mailvet.batches.drain import Drain
from mailvet.rpc.audit import Auditor, Record
from mailvet.rpc.call import Call, Method, encoded
from mailvet.rpc.circles import Circles
from mailvet.rpc.descriptors import PACKAGE
from mailvet.rpc.error_table import DETAILS_KEY, Failure, failure_of
from mailvet.rpc.metrics import RpcMetrics
from mailvet.rpc.open_calls import OpenCalls
from mailvet.rpc.permission import EVERYBODY, permission_of

REQUEST_ID_KEY = "x-request-id"
PUSHBACK_KEY = "grpc-retry-pushback-ms"
"""When a client of gRPC that retries by itself may come back (gRFC A6)."""
ON_THE_WAY_S = 0.1
"""The caller's time began before ours, by as long as the call was on its way: it may be over when
ours has some left."""
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
"""What we repeat of a caller's request id: printable, short, no way into a log line."""

Context = grpc.aio.ServicerContext[Any, Any]


def methods_of(service: ServiceDescriptor, servicer: object, name: str = "") -> list[Method]:
    """Return the methods of a service: `CreateBatch` is answered by `create_batch`.

    `name` serves it under another full name, as the versions of reflection need. Who may call a
    method of ours stands in its options; methods of others are for every valid caller.
    """
    ours = service.file.package == PACKAGE
    return [
        Method(
            service=name or service.full_name,
            name=method.name,
            run=getattr(servicer, _snake_case(method.name)),
            request_type=GetMessageClass(method.input_type),
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            permission=permission_of(method) if ours else EVERYBODY,
        )
        for method in service.methods
    ]


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Dispatcher:
    """Turns methods into handlers of a gRPC server; `clock` is monotonic seconds."""

    def __init__(
        self,
        authenticator: Authenticator,
        drain: Drain,
        metrics: RpcMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
        admission: Admission,
        auditor: Auditor,
    ) -> None:
        self._admission = admission
        self._auditor = auditor
        self.open_calls = OpenCalls(authenticator)
        self._circles = Circles()
        self.guessing = Guessing(clock)
        self._authenticator = authenticator
        self._drain = drain
        self._metrics = metrics
        self._log = log.bind()  # once, not for every line
        self._clock = clock

    def handlers(self, methods: list[Method]) -> "list[grpc.GenericRpcHandler[Any, Any]]":
        """Return what a server is given, one handler a service."""
        services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for method in methods:
            services.setdefault(method.service, {})[method.name] = self._handler(method)
        return [
            grpc.method_handlers_generic_handler(service, handlers)
            for service, handlers in services.items()
        ]

    def _handler(self, method: Method) -> "grpc.RpcMethodHandler[Any, Any]":
        # No (de)serializer: what fails in one cannot be told to the caller in our words.
        async def unary(raw: bytes, context: Context) -> bytes | None:
            return await self._conduct(method, raw, context)

        async def streaming(_requests: object, context: Context) -> bytes | None:
            return await self._conduct(method, None, context)

        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(streaming)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(unary)
        return grpc.unary_unary_rpc_method_handler(unary)

    async def _conduct(self, method: Method, raw: bytes | None, context: Context) -> bytes | None:
        call: Call[Any] = Call(method, context, self._authenticator, self._drain)
        metadata = _text_metadata(context)
        ending = _Ending(_request_id(metadata), self._clock())
        context.set_trailing_metadata(((REQUEST_ID_KEY, ending.request_id),))
        self._metrics.started(method.full_name)
        record = None
        if method.permission.audited:
            record = self._auditor.record(call, context.peer(), ending.request_id)
        try:
            reply = await self._answer(call, raw, metadata, record)
            ending.code = "OK"
        except (Exception, asyncio.CancelledError) as error:
            if call.ended_by is not None:
                _stop_cancelling()
                ending.failure = self._explain(call.ended_by, ending.request_id)
            elif isinstance(error, grpc.aio.InternalError):
                # A call that is cancelled while it writes ends so, others with CancelledError.
                raise asyncio.CancelledError from None
            elif _was_cancelled(error):
                raise
            else:
                ending.failure = self._explain(error, ending.request_id)
        finally:
            self.open_calls.ended()
            self._circles.call_ended()
            ending.late = self._is_late(call, ending.failure)
            self._note(call, context, ending, record)
        if ending.failure is not None:
            if ending.late and not self._drain.begun:
                await self.guessing.hold()
            await _abort(context, ending.failure, ending.request_id)
        return reply

    async def _answer(
        self,
        call: Call[Any],
        raw: bytes | None,
        metadata: Mapping[str, str],
        record: Record | None,
    ) -> bytes | None:
        if not call.method.public:
            names = call.certificate_names() if self._authenticator.certificates else ()
            call.caller = await self._authenticator.identify(metadata, names)
            self.open_calls.opened(call)
            call.method.permission.check(call.caller, call.method.full_name)
            if self._drain.begun:
                raise call.going_away()
        request = None if raw is None else call.decode(raw)
        with self._admission.admitted(call.method.kind, call.tenant, call.caller.rated_as):
            if record is not None:
                record.may_ride(request)
            reply = await call.method.run(request, call)
        if record is not None:
            await record.succeeded(reply)
        if reply is None:
            return None
        call.messages_out += 1
        return encoded(reply)

    def _is_late(self, call: Call[Any], failure: Failure | None) -> bool:
        unknown = failure is not None and failure.code is grpc.StatusCode.UNAUTHENTICATED
        return unknown and not call.tenant and self.guessing.is_late()

    def _explain(self, error: BaseException, request_id: str) -> Failure:
        incident_id = secrets.token_hex(4)
        failure = failure_of(error, incident_id)
        if failure.code is grpc.StatusCode.INTERNAL:
            self._log.error(
                "rpc.fault", incident_id=incident_id, request_id=request_id, exc_info=error
            )
        return failure

    def _note(
        self, call: Call[Any], context: Context, ending: "_Ending", record: Record | None
    ) -> None:
        failure = ending.failure
        code = ending.code if failure is None else failure.code.name
        if code == "CANCELLED" and _is_overdue(context):
            code = "DEADLINE_EXCEEDED"
        seconds = self._clock() - ending.started
        self._metrics.ended(call.method.full_name, code, seconds)
        reason = "" if failure is None else failure.reason
        if record is not None:
            record.ended(code, reason)
        # The line of a late refusal would be one of thousands that say the same.
        if call.method.public or ending.late or not self._log.is_enabled_for(logging.INFO):
            return
        self._log.info(
            "rpc.ended",
            method=call.method.full_name,
            tenant=call.tenant,
            key_id=call.caller.key_id,
            peer=context.peer(),
            request_id=ending.request_id,
            code=code,
            reason=reason,
            ms=round(seconds * 1000, 1),
            messages_in=call.messages_in,
            messages_out=call.messages_out,
        )


@dataclass(slots=True)
class _Ending:
    """How a call ends; until it is known, it was cancelled."""

    request_id: str
    started: float
    code: str = "CANCELLED"
    failure: Failure | None = None
    late: bool = False
    """Whether it is one of many refusals of unknown callers."""


def _was_cancelled(error: BaseException) -> bool:
    """Whether the call itself was cancelled; a CancelledError from inside must not get out.

    grpc waits for a call whose handler ends with a CancelledError nobody asked for, until the
    caller's deadline.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _is_overdue(context: Context) -> bool:
    left_s = context.time_remaining()
    return left_s is not None and left_s <= ON_THE_WAY_S


def _stop_cancelling() -> None:
    """Have the current task go on after a cancellation that was meant to end its work only."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


def _text_metadata(context: Context) -> dict[str, str]:
    return {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }


def _request_id(metadata: Mapping[str, str]) -> str:
    given = metadata.get(REQUEST_ID_KEY, "")
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return f"{random.getrandbits(64):016x}"  # a name for a log line, no secret


async def _abort(context: Context, failure: Failure, request_id: str) -> NoReturn:
    metadata: tuple[tuple[str, str | bytes], ...] = (
        (REQUEST_ID_KEY, request_id),
        (DETAILS_KEY, failure.details),
    )
    if failure.retry_after_s is not None:
        metadata += ((PUSHBACK_KEY, str(math.ceil(failure.retry_after_s * 1000))),)
    await context.abort(failure.code, failure.message, metadata)
    raise AssertionError("abort raises")
