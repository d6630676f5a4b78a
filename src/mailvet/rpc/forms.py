"""What the answers to many entries share, encoded once, and what each adds of its own.

A message may be written in parts and its fields in any order (protobuf encoding guide), so the
part that a thousand entries of a domain share is encoded for the first of them, and put beside
the few strings that are the entry's own.
"""

import math
from dataclasses import replace
from typing import Final, NamedTuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from mailvet.model.address import DomainName
from mailvet.model.batch import ResultRow
from mailvet.model.named import new
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


_BYTES: Final = tuple(map(chr, range(256)))

_PAIRS: Final = tuple(
    chr(number & 0x7F | 0x80) + chr(number >> 7 | 0x80) for number in range(0x4000)
)
"""The two bytes that a varint of three begins with, by its low bits."""


def _tag(name: str, of: type[Message] = pb.Result) -> str:
    """The tag of a field as text (protobuf encoding guide: wire type 0 is a varint, 2 a length)."""
    field = of.DESCRIPTOR.fields_by_name[name]
    is_number = field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64)
    return _latin(varint(field.number << 3) if is_number else field_tag(field.number))


INDEX, DUPLICATE, FAULT = map(_tag, ("index", "duplicate_of", "syntax_failure_index"))
INPUT, CUSTOM, EMAIL = map(_tag, ("input_data", "custom", "email_address"))
LOCAL_PART, CANONICAL, _TAG = map(_tag, ("local_part", "canonical", "tag"))
RESULT = _latin(field_tag(RESULTS_FIELD))
_TIME, EXPLANATION, _EVIDENCE = map(_tag, ("complete_time", "explanation", "evidence"))
_AGE = _tag("cache_age")
_DOMAIN, _ASCII_DOMAIN, _MX_HOSTS = map(_tag, ("domain", "ascii_domain", "mx_hosts"))
_MAILBOX, _MADE_UP, _DNS = (
    _tag(name, pb.Evidence) for name in ("mailbox", "made_up_mailbox", "dns_records")
)
_TEXT, _CODE = (_tag(name, pb.SmtpEvidence) for name in ("text", "code"))
_VOICE = tuple(
    _tag(name, pb.SmtpEvidence) for name in ("stage", "enhanced_code", "trouble", "meaning", "rule")
)
_SECONDS, _NANOS = (_tag(name, Timestamp) for name in ("seconds", "nanos"))
_HOST, _ADDRESS = (_tag(name, pb.SmtpEvidence) for name in ("host", "address"))


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
        self._second = -1
        self._encoded_second = ""

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
        evidence = form.evidence + evidence
        return new(ResultRow, (index, form.status, form.classification, doc, length, evidence))

    def time_text(self, now: float) -> str:
        """Return the field of the time of an answer, to the millisecond."""
        millisecond = int(now * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            encoded = self._moment(millisecond / 1000)
            self._encoded_time = f"{_TIME}{LENGTHS[len(encoded)]}{encoded}"
        return self._encoded_time

    def _moment(self, seconds: float) -> str:
        """A Timestamp as `encode.timestamp` makes it, which takes longer than all else of a row."""
        second = math.floor(seconds)
        if second != self._second:
            self._second, self._encoded_second = second, f"{_SECONDS}{number_text(second)}"
        nanos = encode.nanos_of(seconds)
        return (
            f"{self._encoded_second}{_NANOS}{number_text(nanos)}" if nanos else self._encoded_second
        )

    def domain(self, domain: DomainName, mx_hosts: tuple[str, ...]) -> str:
        """Return the fields about a domain."""
        if f"{domain.unicode}{''.join(mx_hosts)}".isascii():
            hosts = [f"{_MX_HOSTS}{number_text(len(host))}{host}" for host in mx_hosts]
            return (
                f"{_text(_DOMAIN, domain.unicode)}{_text(_ASCII_DOMAIN, domain.ascii)}"
                f"{''.join(hosts)}"
            )
        message = pb.Result(domain=domain.unicode, ascii_domain=domain.ascii, mx_hosts=mx_hosts)
        return _latin(message.SerializeToString())

    def domain_evidence(self, dns_records: tuple[str, ...], made_up: str) -> bytes:
        """Return the evidence about a domain; `made_up` is what `words` returned, or empty."""
        together = "".join(dns_records)
        if together.isascii() and together.isprintable():
            records = "".join([f"{_DNS}{number_text(len(each))}{each}" for each in dns_records])
        else:
            shown = map(encode.printable, dns_records)
            records = _latin(pb.Evidence(dns_records=shown).SerializeToString())
        tried = f"{_MADE_UP}{number_text(len(made_up))}{made_up}" if made_up else ""
        return _evidence(f"{records}{tried}")

    def host(self, host: str, address: str) -> str:
        """Return who was heard, for `words`."""
        if host.isascii():
            return f"{_text(_HOST, host)}{_text(_ADDRESS, address)}"
        return _latin(pb.SmtpEvidence(host=host, address=address).SerializeToString())

    def voice(self, seen: SmtpEvidence) -> str:
        """Return an observation without who was heard and the words, for `words`."""
        parts = (seen.stage, seen.enhanced_code, seen.trouble, seen.meaning, seen.rule)
        if "".join(parts).isascii():
            code = f"{_CODE}{number_text(seen.code)}" if seen.code else ""
            return f"{code}{''.join(map(_text, _VOICE, parts))}"
        message = encode.smtp_evidence(replace(seen, text="", host="", address=""))
        assert message is not None
        return _latin(message.SerializeToString())

    def words(self, voice: str, text: str) -> str:
        """Return an observation: `host` and `voice` together, and the words."""
        text = text[: encode.MAX_REPLY_CHARACTERS]
        if text.isascii() and text.isprintable():
            return f"{voice}{_text(_TEXT, text)}"
        said = pb.SmtpEvidence(text=encode.printable(text)).SerializeToString()
        return f"{voice}{_latin(said)}"

    def mailbox_evidence(self, words: str) -> bytes:
        """Return the evidence about a mailbox: what `words` returned of it."""
        return _evidence(f"{_MAILBOX}{number_text(len(words))}{words}")

    def role(self, role: ListHit) -> bytes:
        """Return the evidence of the role that a mailbox names."""
        return encode.role_evidence(role)

    def age(self, age_s: float) -> str:
        """Return the field of the age of an answer that was remembered, to the millisecond."""
        return _message(_AGE, encode.duration(age_s))

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


def _evidence(encoded: str) -> bytes:
    """The field `evidence`; parts of it that follow each other are merged."""
    return f"{_EVIDENCE}{number_text(len(encoded))}{encoded}".encode("latin-1")


def _text(tag: str, text: str) -> str:
    """A field of text in ASCII; nothing where it is empty, as protobuf has it."""
    return f"{tag}{number_text(len(text))}{text}" if text else ""


def number_text(number: int) -> str:
    """A varint as text."""
    if number < _SHORT:
        return LENGTHS[number]
    if number < 0x4000:
        return _BYTES[number & 0x7F | 0x80] + _BYTES[number >> 7]
    if number < 0x200000:
        return _PAIRS[number & 0x3FFF] + _BYTES[number >> 14]
    return _latin(varint(number))


def _message(tag: str, value: Message | None) -> str:
    assert value is not None
    encoded = value.SerializeToString()
    return f"{tag}{LENGTHS[len(encoded)]}{_latin(encoded)}"
