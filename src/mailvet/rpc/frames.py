"""Responses spliced from stored bytes: a result is encoded once, when it is reached.

A repeated or single message field is its tag, its length and its bytes, and a message is its
fields in any order (protobuf encoding guide), so stored results and the rest of a response can
simply be put side by side.
"""

from collections.abc import Iterable
from typing import Final

from google.protobuf.message import Message

from mailvet.model.batch import ResultRow
from mailvet.v1 import result_pb2 as result_pb

_WIRE_TYPE_LENGTH = 2
_MORE = 0x80
"""Set in every byte of a varint but the last."""

RESULTS_FIELD: Final = 1
"""The field of results in every response that has many."""

VIEW_BASIC = result_pb.RESULT_VIEW_BASIC
VIEW_EVIDENCE = result_pb.RESULT_VIEW_EVIDENCE


def framed(message: bytes) -> bytes:
    """Return an encoded result as `ResultRow.doc` has it: as a value of `RESULTS_FIELD`."""
    return _RESULTS_TAG + varint(len(message)) + message


def is_whole(view: int) -> bool:
    """Whether a view is FULL, the message that `ResultRow.doc` has; unspecified is FULL."""
    return view not in (VIEW_BASIC, VIEW_EVIDENCE)


def body(row: ResultRow, view: int) -> bytes:
    """Return the encoded result in a view; unspecified is FULL."""
    start = _start(row.doc)
    if view == VIEW_BASIC:
        return row.doc[start : start + row.basic_length]
    if view == VIEW_EVIDENCE:
        return row.doc[start:] + row.evidence
    return row.doc[start:]


def _start(doc: bytes) -> int:
    """Where the message in a doc begins: after its tag and its length."""
    start = 1
    while doc[start] & _MORE:
        start += 1
    return start + 1


def size(row: ResultRow, view: int) -> int:
    """Return how many bytes the result takes in a response, at most."""
    if view == VIEW_BASIC:
        return row.basic_length + 6
    return len(row.doc) + (len(row.evidence) + 2 if view == VIEW_EVIDENCE else 0)


def splice(
    rows: Iterable[ResultRow], view: int, *, field: int, rest: Message | None = None
) -> bytes:
    """Return the response `rest` with each row as a value of its message field `field`."""
    tag = field_tag(field)
    parts: list[bytes] = []
    for row in rows:
        if field == RESULTS_FIELD and is_whole(view):
            parts.append(row.doc)
        else:
            encoded = body(row, view)
            parts += (tag, varint(len(encoded)), encoded)
    if rest is not None:
        parts.append(rest.SerializeToString())
    return b"".join(parts)


def field_tag(field: int) -> bytes:
    """Return the tag of a message field."""
    return varint(field << 3 | _WIRE_TYPE_LENGTH)


def varint(number: int) -> bytes:
    """Return a non-negative number as a base 128 varint."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | _MORE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_RESULTS_TAG = field_tag(RESULTS_FIELD)
