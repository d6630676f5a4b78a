"""What the answers to many entries share, encoded once, and what each adds of its own.

A message may be written in parts and its fields in any order (protobuf encoding guide), so the
part that a thousand entries of a domain share is encoded for the first of them, and put beside
the few strings that are the entry's own.
"""

from typing import Final, NamedTuple

from mailvet.model.batch import ResultRow
from mailvet.model.result import ListHit, OwnFields, Result, SmtpEvidence
from mailvet.rpc import encode
from mailvet.rpc.frames import RESULTS_FIELD, body, field_tag, varint
from mailvet.v1 import result_pb2 as pb

_SHORT: Final = 1024
"""Lengths written from a table: that of every address and every usual custom text."""


def _latin(encoded: bytes) -> str:
    """Bytes as text, one character each: texts are joined and formatted faster than bytes."""
    return encoded.decode("latin-1")


_LENGTHS: Final = tuple(_latin(varint(number)) for number in range(_SHORT))


def _tag(name: str) -> str:
    """The tag of a field as text (protobuf encoding guide: wire type 0 is a varint, 2 a length)."""
    field = pb.Result.DESCRIPTOR.fields_by_name[name]
    is_number = field.cpp_type == field.CPPTYPE_INT32
    return _latin(varint(field.number << 3) if is_number else field_tag(field.number))


_INDEX, _DUPLICATE, _FAULT = map(_tag, ("index", "duplicate_of", "syntax_failure_index"))
_INPUT, _CUSTOM, _EMAIL = map(_tag, ("input_data", "custom", "email_address"))
_LOCAL_PART, _CANONICAL, _TAG = map(_tag, ("local_part", "canonical", "tag"))
_RESULT = _latin(field_tag(RESULTS_FIELD))
_TIME, _EXPLANATION = map(_tag, ("complete_time", "explanation"))


class Form(NamedTuple):
    """The encoded fields that some results share."""

    status: int
    classification: int
    basic: bytes
    more: bytes
    evidence: bytes


class Forms:
    """Encodes results by form; remembers the time it encoded last."""

    def __init__(self) -> None:
        self._millisecond = -1
        self._encoded_time = ""

    def row(self, result: Result) -> ResultRow:
        """Return the row of a result that shares nothing."""
        return encode.encode_result(result)

    def form(self, result: Result) -> Form:
        """Return what a result without its own fields shares with others."""
        row = encode.encode_result(result)
        message = body(row, pb.RESULT_VIEW_FULL)
        return Form(
            row.status,
            row.classification,
            message[: row.basic_length],
            message[row.basic_length :],
            row.evidence,
        )

    def fits(self, own: OwnFields) -> bool:
        """Whether an entry's own fields can be filled in: all ASCII, none too long."""
        return (
            own.input_data.isascii()
            and own.custom.isascii()
            and own.email_address.isascii()
            and len(own.input_data) < _SHORT
            and len(own.custom) < _SHORT
        )

    def fill(self, form: Form, own: OwnFields, now: float, rare: bytes, words: bytes) -> ResultRow:
        """Return the row of an entry: what it shares, and its own.

        `now` is when it was answered, in seconds since the epoch, kept to the millisecond;
        `rare` and `words` are what `rare` and `words` returned for it, or empty.
        """
        index, input_data, custom, email, local_part, canonical, tag = own
        millisecond = int(now * 1000)
        if millisecond != self._millisecond:
            self._millisecond, self._encoded_time = millisecond, _time(millisecond / 1000)
        if custom:
            custom = f"{_CUSTOM}{_LENGTHS[len(custom)]}{custom}"
        more = ""
        if email:
            if tag:
                tag = f"{_TAG}{_LENGTHS[len(tag)]}{tag}"
            more = (
                f"{_LOCAL_PART}{_LENGTHS[len(local_part)]}{local_part}"
                f"{_CANONICAL}{_LENGTHS[len(canonical)]}{canonical}{tag}"
            )
            email = f"{_EMAIL}{_LENGTHS[len(email)]}{email}"
        basic = (
            f"{_INDEX}{_number(index)}{_INPUT}{_LENGTHS[len(input_data)]}{input_data}"
            f"{custom}{email}{self._encoded_time}"
        )
        # The fields of the BASIC view, then the others; ASCII and lengths are one byte a character.
        shared_basic = rare + form.basic if rare else form.basic
        basic_length = len(basic) + len(shared_basic)
        length = basic_length + len(form.more) + len(more)
        doc = b"".join(
            (
                f"{_RESULT}{_number(length)}{basic}".encode("latin-1"),
                shared_basic,
                form.more,
                more.encode("latin-1"),
            )
        )
        return ResultRow(
            index, form.status, form.classification, doc, basic_length, form.evidence + words
        )

    def rare(
        self,
        *,
        duplicate_of: int | None,
        syntax_failure_index: int | None,
        suggestions: tuple[str, ...],
        explanation: str,
    ) -> bytes:
        """Return the encoded fields that few entries have of their own."""
        if not suggestions and explanation.isascii() and explanation.isprintable():
            duplicate = "" if duplicate_of is None else f"{_DUPLICATE}{_number(duplicate_of)}"
            fault = (
                "" if syntax_failure_index is None else f"{_FAULT}{_number(syntax_failure_index)}"
            )
            text = f"{_EXPLANATION}{_number(len(explanation))}{explanation}"
            return f"{duplicate}{fault}{text}".encode("latin-1")
        return pb.Result(
            duplicate_of=duplicate_of,
            syntax_failure_index=syntax_failure_index,
            suggestions=suggestions,
            explanation=encode.printable(explanation),
        ).SerializeToString()

    def words(self, mailbox: SmtpEvidence | None, role: ListHit | None) -> bytes:
        """Return the encoded evidence about one mailbox alone: what was said, the role it names."""
        hits = encode.role_evidence(role) if role is not None else b""
        if mailbox is None:
            return hits
        said = encode.evidence_field(pb.Evidence(mailbox=encode.smtp_evidence(mailbox)))
        return said + hits


def _number(number: int) -> str:
    """A varint as text."""
    if number < _SHORT:
        return _LENGTHS[number]
    if number < 0x4000:
        return f"{chr(number & 0x7F | 0x80)}{chr(number >> 7)}"
    if number < 0x200000:
        low, middle = chr(number & 0x7F | 0x80), chr(number >> 7 & 0x7F | 0x80)
        return f"{low}{middle}{chr(number >> 14)}"
    return _latin(varint(number))


def _time(seconds: float) -> str:
    moment = encode.timestamp(seconds)
    assert moment is not None
    encoded = moment.SerializeToString()
    return f"{_TIME}{_LENGTHS[len(encoded)]}{_latin(encoded)}"
