"""The one table from exceptions to what callers are told: status code, reason and details.

What is not in the table is a fault of ours: INTERNAL with an incident id, and not a word more.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from mailvet import errors
from mailvet.batches.limits import MAX_VIOLATION_BYTES
from mailvet.errors import MailvetError
from mailvet.files.refusal import FileRefused
from mailvet.rpc.encode import duration, printable

DOMAIN = "mailvet.dev"
DETAILS_KEY = "grpc-status-details-bin"
MAX_MESSAGE_CHARACTERS = 400
"""A message travels percent-encoded in one header; what matters stands in the details too."""
MAX_METADATA_CHARACTERS = 200

_Code = grpc.StatusCode


def _bad_request(error: errors.InvalidRequest) -> Iterable[Message]:
    listed = error_details_pb2.BadRequest()
    for violation in error.violations:
        listed.field_violations.add(
            field=violation.field,
            description=violation.description[:MAX_MESSAGE_CHARACTERS],
            reason=violation.reason,
        )
        if listed.ByteSize() > MAX_VIOLATION_BYTES:
            del listed.field_violations[-1]
            break
    yield listed


def _resource(error: errors.NotFound | errors.AlreadyExists) -> Iterable[Message]:
    yield error_details_pb2.ResourceInfo(
        resource_type=error.kind, resource_name=error.name, description=str(error)
    )


def _precondition(error: errors.WrongState) -> Iterable[Message]:
    failure = error_details_pb2.PreconditionFailure()
    failure.violations.add(type="STATE", subject=f"batch/{error.batch_id}", description=str(error))
    yield failure


def _quota(error: errors.QuotaExceeded) -> Iterable[Message]:
    failure = error_details_pb2.QuotaFailure()
    failure.violations.add(subject=error.subject, description=str(error))
    yield failure
    if error.retry_after_s is not None:
        yield error_details_pb2.RetryInfo(retry_delay=duration(error.retry_after_s))


def _balance(error: errors.InsufficientBalance) -> Iterable[Message]:
    failure = error_details_pb2.PreconditionFailure()
    failure.violations.add(type="BALANCE", subject="units", description=str(error))
    yield failure


def _retry(error: errors.Unavailable) -> Iterable[Message]:
    yield error_details_pb2.RetryInfo(retry_delay=duration(error.retry_after_s))


def _nothing(_error: MailvetError) -> Iterable[Message]:
    return ()


class Row(NamedTuple):
    """What one kind of exception becomes."""

    code: grpc.StatusCode
    details: Callable[..., Iterable[Message]] = _nothing


TABLE: dict[type[MailvetError], Row] = {
    errors.InvalidRequest: Row(_Code.INVALID_ARGUMENT, _bad_request),
    FileRefused: Row(_Code.INVALID_ARGUMENT, _bad_request),
    errors.NotFound: Row(_Code.NOT_FOUND, _resource),
    errors.Erased: Row(_Code.NOT_FOUND, _resource),
    errors.AlreadyExists: Row(_Code.ALREADY_EXISTS, _resource),
    errors.WrongState: Row(_Code.FAILED_PRECONDITION, _precondition),
    errors.OffsetGap: Row(_Code.OUT_OF_RANGE),
    errors.BadCursor: Row(_Code.INVALID_ARGUMENT),
    errors.BadPageToken: Row(_Code.INVALID_ARGUMENT),
    errors.CursorEpochPassed: Row(_Code.ABORTED),
    errors.EtagMismatch: Row(_Code.ABORTED),
    errors.RequestIdReused: Row(_Code.INVALID_ARGUMENT),
    errors.Unauthenticated: Row(_Code.UNAUTHENTICATED),
    errors.SecondFactorNeeded: Row(_Code.UNAUTHENTICATED),
    errors.PermissionDenied: Row(_Code.PERMISSION_DENIED),
    errors.QuotaExceeded: Row(_Code.RESOURCE_EXHAUSTED, _quota),
    errors.InsufficientBalance: Row(_Code.FAILED_PRECONDITION, _balance),
    errors.Unavailable: Row(_Code.UNAVAILABLE, _retry),
    errors.MessageTooLarge: Row(_Code.RESOURCE_EXHAUSTED),
}


class Failure(NamedTuple):
    """How a call ends that does not end well."""

    code: grpc.StatusCode
    reason: str
    message: str
    details: bytes
    """A serialized google.rpc.Status."""
    retry_after_s: float | None = None
    """What RetryInfo says, for who does not read details."""


def failure_of(error: BaseException, incident_id: str) -> Failure:
    """Return what the caller is told of `error`; only a known error says anything of itself."""
    row = TABLE.get(type(error)) if isinstance(error, MailvetError) else None
    if row is None or not isinstance(error, MailvetError):
        message = f"a fault of ours; incident {incident_id} finds it in the server's log"
        return _failure(_Code.INTERNAL, "INTERNAL", message, {"incident_id": incident_id}, ())
    failure = _failure(row.code, error.reason, str(error), error.metadata, row.details(error))
    return failure._replace(retry_after_s=getattr(error, "retry_after_s", None))


def _failure(
    code: grpc.StatusCode,
    reason: str,
    message: str,
    metadata: dict[str, str],
    details: Iterable[Message],
) -> Failure:
    message = printable(message)[:MAX_MESSAGE_CHARACTERS]
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    for name, value in metadata.items():
        info.metadata[name] = value[:MAX_METADATA_CHARACTERS]
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in (info, *details):
        status.details.add().Pack(detail)
    return Failure(code, reason, message, status.SerializeToString())
