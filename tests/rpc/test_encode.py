"""Values to protobuf."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.batch import ResultRow
from mailvet.model.result import Evidence, ListHit, Result, RiskPoint, SmtpEvidence
from mailvet.model.status import (
    Category,
    Classification,
    EntryStatus,
    Fact,
    LocalPartType,
    ProviderType,
    QualityLevel,
)
from mailvet.rpc import frames
from mailvet.rpc.encode import duration, encode_result, printable, timestamp
from mailvet.rpc.forms import Forms, number_text
from mailvet.v1 import result_pb2 as pb

SEEN = SmtpEvidence(
    stage="RCPT",
    host="mx.example.net",
    address="192.0.2.1",
    code=550,
    enhanced_code="5.1.1",
    text="no such user",
    trouble="DROPPED",
    meaning="MAILBOX_DOES_NOT_EXIST",
    rule="r1",
)
FULL = Result(
    index=7,
    input_data="Ann@example.org",
    custom="row 7",
    status=EntryStatus.MAILBOX_DOES_NOT_EXIST,
    classification=Classification.UNDELIVERABLE,
    risk_score=90,
    email_address="ann@example.org",
    category=Category.BLACK,
    duplicate_of=0,
    complete_time=1_700_000_000.25,
    suggestions=("ann@example.com",),
    syntax_failure_index=0,
    explanation="no such mailbox",
    custom_classification="send-later",
    local_part="ann",
    domain="example.org",
    ascii_domain="example.org",
    canonical="ann@example.org",
    tag="news",
    has_international_mailbox_name=True,
    has_international_domain_name=True,
    provider_type=ProviderType.CORPORATE,
    mail_provider="Example Mail",
    mx_hosts=("mx1.example.net", "mx2.example.net"),
    mx_valid=Fact.YES,
    is_disposable=True,
    is_free=True,
    is_masked=True,
    local_part_type=LocalPartType.ROLE,
    is_role_account=True,
    can_connect=Fact.YES,
    is_deliverable=Fact.NO,
    is_catch_all=Fact.INCONCLUSIVE,
    has_full_inbox=Fact.NO,
    is_disabled=Fact.NO,
    risk_points=(RiskPoint("missing", 90),),
    attempts=2,
    quality=QualityLevel.HIGH,
    warnings=("mixed_script",),
    from_cache=True,
    cache_age=90.5,
    evidence=Evidence(
        dns_records=("example.org. MX 10 mx1.example.net.",),
        mailbox=SEEN,
        made_up_mailbox=SEEN,
        list_hits=(ListHit("free", "example.org", "ours", "2026-01-01"),),
        findings=("mailbox FAIL r1",),
    ),
)
PLAIN = Result(index=0, input_data="", status=EntryStatus.SUCCESS, classification=Classification(1))


def read(row: ResultRow) -> pb.Result:
    return pb.Result.FromString(frames.body(row, frames.VIEW_EVIDENCE))


def plain_value(value: Any) -> Any:
    """A message field as our values have it."""
    if isinstance(value, str | int | bool):
        return value
    if hasattr(value, "ToSeconds"):
        return value.seconds + value.nanos / 1e9
    if hasattr(value, "ListFields"):
        return {
            field.name: plain_value(getattr(value, field.name)) for field in value.DESCRIPTOR.fields
        }
    return [plain_value(item) for item in value]


def as_plain(value: Any) -> Any:
    """One of our values as `plain_value` gives a message."""
    if isinstance(value, tuple):
        return [as_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
    return value


def test_every_field_arrives() -> None:
    """Whatever a result says is on the wire, under the same name."""
    found = read(encode_result(FULL))

    for field in fields(FULL):
        assert as_plain(getattr(FULL, field.name)) == plain_value(getattr(found, field.name))


def test_every_field_of_the_sample_is_set() -> None:
    """The sample would notice a forgotten field: each differs from its default."""
    zero_on_purpose = {"duplicate_of", "syntax_failure_index"}
    unset = {field.name for field in fields(FULL) if not getattr(FULL, field.name)}

    assert zero_on_purpose == unset


def test_what_is_not_known_is_absent() -> None:
    """None and zero differ on the wire where they mean different things."""
    plain, full = read(encode_result(PLAIN)), read(encode_result(FULL))

    for name in ("duplicate_of", "syntax_failure_index", "evidence"):
        assert not plain.HasField(name)
        assert full.HasField(name)


def test_the_views_are_leading_parts() -> None:
    """BASIC is fields 1 to 15, FULL adds the others, EVIDENCE adds the evidence."""
    row = encode_result(FULL)
    views = [frames.body(row, view) for view in pb.ResultView.values()[1:]]
    numbers = [
        {field.number for field, _ in pb.Result.FromString(view).ListFields()} for view in views
    ]

    assert set(range(1, 15)) == numbers[0]
    assert numbers[0] | set(range(16, 43)) == numbers[1]
    assert numbers[1] | {60} == numbers[2]


def test_the_row_has_what_is_filtered_on() -> None:
    """Index, status and classification stand beside the bytes."""
    assert (7, 30, 3) == encode_result(FULL)[:3]


def test_a_hosts_words_are_escaped() -> None:
    """No control, bidi or escape character of a remote host reaches a terminal or a log."""
    words = "550 \x1b[2J\r\nno \u202euser\x85\u2028ü"
    seen = replace(SEEN, text=words)
    found = read(encode_result(replace(FULL, explanation=words, evidence=Evidence(mailbox=seen))))

    for text in (found.explanation, found.evidence.mailbox.text):
        assert "550 \\x1b[2J\\r\\nno \\u202euser\\x85\\u2028ü" == text


def test_a_long_reply_is_cut() -> None:
    """A host cannot fill our store."""
    seen = replace(SEEN, text="x" * 70_000)
    found = read(encode_result(replace(FULL, evidence=Evidence(mailbox=seen))))

    assert "x" * 512 == found.evidence.mailbox.text


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_can_be_encoded(text: str, reply: str) -> None:
    """Lone surrogates, which no wire can carry, are replaced and nothing is raised."""
    seen = replace(SEEN, text=reply + "\udcff")
    result = replace(
        PLAIN, input_data=text + "\ud800", suggestions=("\ud800",), evidence=Evidence(mailbox=seen)
    )

    assert text + "?" == read(encode_result(result)).input_data or "\ud800" in text


@pytest.mark.parametrize("text", ["", "plain", "ü ß 例え", "a b"])
def test_ordinary_text_stays(text: str) -> None:
    """Only what cannot be seen is escaped."""
    assert text is printable(text)


@pytest.mark.parametrize("seconds", [0.0, 1.5, 1_700_000_000.123456, -0.25])
def test_times_are_exact(seconds: float) -> None:
    """Timestamps keep microseconds, before the epoch too."""
    found = timestamp(seconds)

    assert found is not None
    assert found.ToMicroseconds() == pytest.approx(seconds * 1e6, abs=1)


def test_no_time_stays_none() -> None:
    """A time that is not known is absent."""
    assert timestamp(None) is None
    assert duration(None) is None
    found = duration(2.5)
    assert found is not None
    assert (2, 500_000_000) == (found.seconds, found.nanos)


@given(st.floats(0, 4e9) | st.integers(0, 4_000_000_000).map(float))
def test_the_time_of_a_form_is_that_of_a_message(now: float) -> None:
    """A time that is written by hand has the bytes that the library would write."""
    written = pb.Result.FromString(Forms().time_text(now).encode("latin-1"))
    assert timestamp(int(now * 1000) / 1000) == written.complete_time


@given(
    st.integers(0, 2**31 - 1) | st.sampled_from([1023, 1024, 2**14 - 1, 2**14, 2**21 - 1, 2**21])
)
def test_a_number_as_text_is_its_varint(number: int) -> None:
    """Whichever of the short ways it takes."""
    assert frames.varint(number) == number_text(number).encode("latin-1")
