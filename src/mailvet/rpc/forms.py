"""What the answers to many entries share, encoded once, and what each adds of its own.

A message may be written in parts and its fields in any order (protobuf encoding guide), so the
part that a thousand entries of a domain share is encoded for the first of them, and put beside
the few strings that are the entry's own.
"""

from typing import Final, NamedTuple

from mailvet.model.batch import ResultRow
from mailvet.model.result import OwnFields, Result, SmtpEvidence
from mailvet.rpc import encode
from mailvet.rpc.frames import body, field_tag, framed, varint
from mailvet.v1 import result_pb2 as pb

_SHORT: Final = 1024
"""Lengths written from a table: that of every address and every usual custom text."""


def _latin(encoded: bytes) -> str:
    """Bytes as text, one character each: texts are joined and formatted faster than bytes."""
    return encoded.decode("latin-1")


_LENGTHS: Final = tuple(_latin(varint(number)) for number in range(_SHORT))
_INDEX, _INPUT, _CUSTOM, _EMAIL, _TIME, _LOCAL_PART, _CANONICAL, _TAG = (
    _latin(field_tag(number) if number > 1 else varint(number << 3))
    for number in (
        pb.Result.INDEX_FIELD_NUMBER,
        pb.Result.INPUT_DATA_FIELD_NUMBER,
        pb.Result.CUSTOM_FIELD_NUMBER,
        pb.Result.EMAIL_ADDRESS_FIELD_NUMBER,
        pb.Result.COMPLETE_TIME_FIELD_NUMBER,
        pb.Result.LOCAL_PART_FIELD_NUMBER,
        pb.Result.CANONICAL_FIELD_NUMBER,
        pb.Result.TAG_FIELD_NUMBER,
    )
)


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
        self._time = -1.0
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

        `now` is when it was answered, in seconds since the epoch; `rare` and `words` are what
        `rare` and `words` returned for it, or empty.
        """
        index, input_data, custom, email, local_part, canonical, tag = own
        if now != self._time:
            self._time, self._encoded_time = now, _time(now)
        custom = f"{_CUSTOM}{_LENGTHS[len(custom)]}{custom}" if custom else ""
        address = f"{_EMAIL}{_LENGTHS[len(email)]}{email}" if email else ""
        basic = (
            f"{_index(index)}{_INPUT}{_LENGTHS[len(input_data)]}{input_data}"
            f"{custom}{address}{self._encoded_time}"
        ).encode("latin-1")
        basic += form.basic + rare
        if email:
            tag = f"{_TAG}{_LENGTHS[len(tag)]}{tag}" if tag else ""
            more = (
                f"{_LOCAL_PART}{_LENGTHS[len(local_part)]}{local_part}"
                f"{_CANONICAL}{_LENGTHS[len(canonical)]}{canonical}{tag}"
            ).encode("latin-1") + form.more
        else:
            more = form.more
        return ResultRow(
            index,
            form.status,
            form.classification,
            framed(basic + more),
            len(basic),
            words + form.evidence,
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
        return pb.Result(
            duplicate_of=duplicate_of,
            syntax_failure_index=syntax_failure_index,
            suggestions=suggestions,
            explanation=encode.printable(explanation),
        ).SerializeToString()

    def words(self, mailbox: SmtpEvidence) -> bytes:
        """Return the encoded evidence of what an exchanger said of one mailbox alone."""
        return encode.evidence_field(pb.Evidence(mailbox=encode.smtp_evidence(mailbox)))


def _index(number: int) -> str:
    if not number:
        return ""
    if number < 0x80:
        return f"{_INDEX}{chr(number)}"
    if number < 0x4000:
        return f"{_INDEX}{chr(number & 0x7F | 0x80)}{chr(number >> 7)}"
    if number < 0x200000:
        low, middle = chr(number & 0x7F | 0x80), chr(number >> 7 & 0x7F | 0x80)
        return f"{_INDEX}{low}{middle}{chr(number >> 14)}"
    return _INDEX + _latin(varint(number))


def _time(seconds: float) -> str:
    moment = encode.timestamp(seconds)
    assert moment is not None
    encoded = moment.SerializeToString()
    return f"{_TIME}{_LENGTHS[len(encoded)]}{_latin(encoded)}"
