"""Stored results as plain dicts."""

from mailvet.files import plain
from mailvet.model.result import Result, RiskPoint
from mailvet.model.status import (
    Category,
    Classification,
    EntryStatus,
    Fact,
    LocalPartType,
    ProviderType,
    QualityLevel,
)
from mailvet.rpc.encode import encode_result
from mailvet.rpc.frames import body
from mailvet.rpc.plain_results import plain_result
from mailvet.v1 import result_pb2

FULL = Result(
    index=7,
    input_data="=Ann@b.test",
    custom="c",
    status=EntryStatus.SUCCESS,
    classification=Classification.DELIVERABLE,
    risk_score=3,
    email_address="Ann@b.test",
    category=Category.WHITE,
    duplicate_of=0,
    complete_time=1564570160.595767,
    suggestions=("a@b.test", "c@d.test"),
    syntax_failure_index=0,
    explanation="yes",
    custom_classification="mine",
    local_part="Ann",
    domain="b.test",
    ascii_domain="b.test",
    canonical="ann@b.test",
    tag="t",
    has_international_mailbox_name=True,
    has_international_domain_name=True,
    provider_type=ProviderType.FREEMAIL,
    mail_provider="Google",
    mx_hosts=("mx1.b.test", "mx2.b.test"),
    mx_valid=Fact.YES,
    is_disposable=True,
    is_free=True,
    is_masked=True,
    local_part_type=LocalPartType.ROLE,
    is_role_account=True,
    can_connect=Fact.NO,
    is_deliverable=Fact.INCONCLUSIVE,
    is_catch_all=Fact.YES,
    has_full_inbox=Fact.NO,
    is_disabled=Fact.NO,
    risk_points=(RiskPoint("free", 3),),
    attempts=2,
    quality=QualityLevel.HIGH,
    warnings=("w",),
)
BARE = Result(
    index=0,
    input_data="",
    status=EntryStatus.AT_SIGN_NOT_FOUND,
    classification=Classification.UNDELIVERABLE,
    complete_time=1564570160.0,
)


def test_what_the_store_keeps_reads_as_what_was_put_in() -> None:
    """Field for field, full or bare."""
    for result in (FULL, BARE):
        stored = body(encode_result(result), result_pb2.RESULT_VIEW_FULL)
        assert plain.plain_result(result) == plain_result(stored)


def test_a_value_that_is_unknown_here_is_its_number() -> None:
    """A result of a newer server can still be exported."""
    stored = result_pb2.Result(index=1, status=999).SerializeToString()  # type: ignore[arg-type]
    assert "999" == plain_result(stored)["status"]
