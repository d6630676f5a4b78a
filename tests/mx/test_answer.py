"""What a message says about a name."""

import pytest

from mailvet.mx.answer import (
    MAX_ALIASES,
    AnswerKind,
    Message,
    Record,
    RecordType,
    presented,
    understand,
)

A = RecordType.A
CNAME = RecordType.CNAME


def _address(owner: str) -> Record:
    return Record(owner, A, 60, "192.0.2.1")


def _alias(owner: str, target: str) -> Record:
    return Record(owner, CNAME, 60, target)


def _chain(length: int) -> list[Record]:
    return [_alias(f"n{step}", f"n{step + 1}") for step in range(length)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(True, [_address("n0")]), AnswerKind.ANSWER),
        (Message(True, [_address("elsewhere")]), AnswerKind.NODATA),
        (Message(True, []), AnswerKind.NODATA),
        (Message(True, [], 60), AnswerKind.NODATA),
        (Message(True, [], 60, has_delegation=True), AnswerKind.NODATA),
        (Message(True, [], None, has_delegation=True), AnswerKind.BROKEN),
        (Message(False, [], 60), AnswerKind.NXDOMAIN),
        (Message(False, []), AnswerKind.NXDOMAIN),
        (Message(False, [_address("n0")]), AnswerKind.BROKEN),
        (Message(True, [_alias("n0", "n1"), _address("n1")]), AnswerKind.ANSWER),
        (Message(True, [_address("n1"), _alias("n0", "n1")]), AnswerKind.ANSWER),
        (Message(True, [_alias("n0", "n1")]), AnswerKind.ALIAS),
        (Message(True, [_alias("n0", "n1")], None, has_delegation=True), AnswerKind.ALIAS),
        (Message(True, [_alias("n0", "n1")], 60), AnswerKind.NODATA),
        (Message(False, [_alias("n0", "n1")], 60), AnswerKind.NXDOMAIN),
        (Message(True, [_alias("n0", "n0")]), AnswerKind.BROKEN),
        (Message(True, [_alias("n0", "n1"), _alias("n1", "n0")]), AnswerKind.BROKEN),
        (Message(True, [*_chain(MAX_ALIASES), _address(f"n{MAX_ALIASES}")]), AnswerKind.ANSWER),
        (Message(True, _chain(MAX_ALIASES + 1)), AnswerKind.BROKEN),
    ],
)
def test_a_message_is_one_kind_of_answer(message: Message, expected: AnswerKind) -> None:
    """ "No such name", "no such type", "ask there" and nonsense are told apart (RFC 2308 2)."""
    assert expected is understand("n0", A, message).kind


def test_only_records_that_the_question_leads_to_are_read() -> None:
    """Records of other names and types in the answer section are left out."""
    wanted, alias = _address("n1"), _alias("n0", "n1")
    other = [_address("n2"), _alias("n3", "n4"), Record("n1", RecordType.AAAA, 60, "2001:db8::1")]
    answer = understand("n0", A, Message(True, [*other, alias, wanted]))
    assert ((wanted,), (alias,)) == (answer.records, answer.aliases)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (_address("a.test"), "a.test. 60 IN A 192.0.2.1"),
        (_alias("a.test", "b.test"), "a.test. 60 IN CNAME b.test."),
        (Record("a.test", RecordType.MX, 60, "b.test", 10), "a.test. 60 IN MX 10 b.test."),
        (Record("a.test", RecordType.MX, 60, ".", 0), "a.test. 60 IN MX 0 ."),
        (Record(".", RecordType.NS, 60, "ns.test"), ". 60 IN NS ns.test."),
    ],
)
def test_a_record_is_shown_as_zone_files_have_it(record: Record, expected: str) -> None:
    """Names end in a dot, addresses do not."""
    assert expected == presented(record)
