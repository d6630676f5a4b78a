"""What the answers to many entries share, encoded once, and what each adds of its own.

A message may be written in parts and its fields in any order (protobuf encoding guide), so the
part that a thousand entries of a domain share is encoded for the first of them, and put beside
the few strings that are the entry's own.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from google.protobuf.message import Message

from mailvet.model.address import DomainName
from mailvet.model.batch import ResultRow
from mailvet.model.result import ListHit, Result, SmtpEvidence
from mailvet.rpc import encode
from mailvet.rpc.frames import RESULTS_FIELD, body, field_tag, varint
from mailvet.v1 import result_pb2 as pb

_SHORT: Final = 1024
"""Lengths written from a table: that of every address and every usual custom text."""


def _latin(encoded: bytes) -> str:
    """Bytes as text, one character each: texts are joined and formatted faster than bytes."""
    return encoded.decode("latin-1")


Names = tuple[int, str, str, str, str, str, str]
"""Of an entry: index, input, custom text, address, local part, canonical form, tag."""

LENGTHS: Final = tuple(_latin(varint(number)) for number in range(_SHORT))


def _tag(name: str, of: type[Message] = pb.Result) -> str:
    """The tag of a field as text (protobuf encoding guide: wire type 0 is a varint, 2 a length)."""
    field = of.DESCRIPTOR.fields_by_name[name]
    is_number = field.cpp_type == field.CPPTYPE_INT32
    return _latin(varint(field.number << 3) if is_number else field_tag(field.number))


INDEX, DUPLICATE, FAULT = map(_tag, ("index", "duplicate_of", "syntax_failure_index"))
INPUT, CUSTOM, EMAIL = map(_tag, ("input_data", "custom", "email_address"))
LOCAL_PART, CANONICAL, _TAG = map(_tag, ("local_part", "canonical", "tag"))
RESULT = _latin(field_tag(RESULTS_FIELD))
_TIME, EXPLANATION, _EVIDENCE = map(_tag, ("complete_time", "explanation", "evidence"))
_MAILBOX = _tag("mailbox", pb.Evidence)
_TEXT = _tag("text", pb.SmtpEvidence)


class Form(NamedTuple):
    """The encoded fields that some results share, as text."""

    status: int
    classification: int
    basic: str
    more: str
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
        message = _latin(body(row, pb.RESULT_VIEW_FULL))
        length = row.basic_length
        return Form(
            row.status, row.classification, message[:length], message[length:], row.evidence
        )

    def fits(self, names: Names) -> bool:
        """Whether an entry's names can be filled in: all ASCII, none too long."""
        said = f"{names[1]}{names[2]}{names[3]}"
        return len(said) < _SHORT and said.isascii()

    def fill(
        self,
        form: Form,
        names: Names,
        now: float,
        basic: str,
        more: str,
        evidence: bytes,
    ) -> ResultRow | None:
        """Return the row of an entry: what it shares, and its own.

        `now` is when it was answered, in seconds since the epoch, kept to the
        millisecond. The others are fields of the BASIC view, of the FULL one, and evidence, as the
        methods below return them. None when the names do not fit.
        """
        index, input_data, custom, email, local_part, canonical, tag = names
        said = f"{input_data}{custom}{email}"
        if len(said) >= _SHORT or not said.isascii():
            return None
        moment = self.time_text(now)
        if custom:
            custom = f"{CUSTOM}{LENGTHS[len(custom)]}{custom}"
        own = ""
        if email:
            own = (
                f"{LOCAL_PART}{LENGTHS[len(local_part)]}{local_part}"
                f"{CANONICAL}{LENGTHS[len(canonical)]}{canonical}"
            )
            if tag:
                own = f"{own}{_TAG}{LENGTHS[len(tag)]}{tag}"
            email = f"{EMAIL}{LENGTHS[len(email)]}{email}"
        # The fields of the BASIC view, then the others; each character is one byte.
        first = (
            f"{INDEX}{number_text(index)}{INPUT}{LENGTHS[len(input_data)]}{input_data}"
            f"{custom}{email}{moment}{basic}{form.basic}"
        )
        rest = f"{form.more}{more}{own}"
        length = len(first)
        doc = f"{RESULT}{number_text(length + len(rest))}{first}{rest}".encode("latin-1")
        return ResultRow(
            index, form.status, form.classification, doc, length, form.evidence + evidence
        )

    def time_text(self, now: float) -> str:
        """Return the field of the time of an answer, to the millisecond."""
        millisecond = int(now * 1000)
        if millisecond != self._millisecond:
            self._millisecond, self._encoded_time = millisecond, _time(millisecond / 1000)
        return self._encoded_time

    def domain(self, domain: DomainName, mx_hosts: tuple[str, ...]) -> str:
        """Return the fields about a domain."""
        message = pb.Result(domain=domain.unicode, ascii_domain=domain.ascii, mx_hosts=mx_hosts)
        return _latin(message.SerializeToString())

    def domain_evidence(self, dns_records: tuple[str, ...], made_up: SmtpEvidence | None) -> bytes:
        """Return the evidence about a domain."""
        return encode.evidence_field(
            pb.Evidence(
                dns_records=map(encode.printable, dns_records),
                made_up_mailbox=encode.smtp_evidence(made_up),
            )
        )

    def voice(self, mailbox: SmtpEvidence) -> str:
        """Return an observation without its words, for `words`."""
        message = encode.smtp_evidence(replace(mailbox, text=""))
        assert message is not None
        return _latin(message.SerializeToString())

    def words(self, voice: str, text: str) -> bytes:
        """Return the evidence of an observation: what was said about one mailbox."""
        text = text[: encode.MAX_REPLY_CHARACTERS]
        if text.isascii() and text.isprintable():
            said = f"{_TEXT}{LENGTHS[len(text)]}{text}" if text else ""
        else:
            said = _latin(pb.SmtpEvidence(text=encode.printable(text)).SerializeToString())
        mailbox = f"{_MAILBOX}{number_text(len(voice) + len(said))}{voice}{said}"
        return f"{_EVIDENCE}{number_text(len(mailbox))}{mailbox}".encode("latin-1")

    def role(self, role: ListHit) -> bytes:
        """Return the evidence of the role that a mailbox names."""
        return encode.role_evidence(role)

    def explanation(self, text: str) -> str:
        """Return the sentence about an answer."""
        if len(text) < _SHORT and text.isascii() and text.isprintable():
            return f"{EXPLANATION}{LENGTHS[len(text)]}{text}"
        message = pb.Result(explanation=encode.printable(text))
        return _latin(message.SerializeToString())

    def rare(
        self,
        *,
        duplicate_of: int | None,
        syntax_failure_index: int | None,
        suggestions: tuple[str, ...],
    ) -> str:
        """Return the fields that few entries have."""
        duplicate = "" if duplicate_of is None else f"{DUPLICATE}{number_text(duplicate_of)}"
        fault = (
            "" if syntax_failure_index is None else f"{FAULT}{number_text(syntax_failure_index)}"
        )
        meant = ""
        if suggestions:
            meant = _latin(pb.Result(suggestions=suggestions).SerializeToString())
        return f"{duplicate}{fault}{meant}"


def number_text(number: int) -> str:
    """A varint as text."""
    if number < _SHORT:
        return LENGTHS[number]
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
    return f"{_TIME}{LENGTHS[len(encoded)]}{_latin(encoded)}"
