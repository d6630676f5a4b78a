"""Entries answered by the chunk: the same answers as one by one."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailvet.engine.answers import Answers
from mailvet.engine.case import Case
from mailvet.engine.judge import Judge
from mailvet.engine.offhand import Offhand
from mailvet.lists import suggest
from mailvet.model.address import SyntaxFault
from mailvet.model.batch import Claim, ResultRow, WorkEntry
from mailvet.model.ruling import OverrideRule
from mailvet.model.status import Classification, EntryStatus, QualityLevel
from mailvet.rpc.frames import VIEW_BASIC, VIEW_EVIDENCE, body
from mailvet.rpc.plain_forms import PlainForms
from mailvet.syntax import check_provider_syntax, parse
from mailvet.v1 import result_pb2 as pb

NOW = 1_700_000_000.125
JUDGE = Judge(suggest)
LOCAL_PARTS = (
    *("ann", "a.b-c", "Ann+news", "Ann9", "12345", "a..b", ".a", "öl", "x\u00b2", '"q q"'),
    *("x" * 64, "x" * 65),
)
DOMAINS = (
    "example.org",
    "mail.example.com",
    "Example.net",
    "gmial.com",
    "gmail.com",
    "bücher.example",
    "xn--bcher-kva.example",
    "[192.0.2.1]",
    "x" * 63 + ".a" * 63 + ".org",
    "b..org",
    "localhost",
    "",
)
ODD = ("", "@", "ann", "Ann <ann@example.org>", "a@b@c.org", " ann@example.org", "\ud800@x.org")
TEXTS = st.one_of(
    st.builds("{}@{}".format, st.sampled_from(LOCAL_PARTS), st.sampled_from(DOMAINS)),
    st.sampled_from(ODD),
    st.text(max_size=12),
)
CUSTOMS = st.sampled_from(["", "", "row 7", "Zeile ü", "c" * 600])


def claim_of(entries: Sequence[WorkEntry], attempt: int = 0, rules: bool = False) -> Claim:
    return Claim(
        chunk=1,
        fence=1,
        batch_key=1,
        tenant="acme",
        quality=QualityLevel.HIGH,
        attempt=attempt,
        first_attempt_at=None,
        entries=tuple(entries),
        rules=(OverrideRule("*@*", Classification.DELIVERABLE),) if rules else (),
    )


def answered_alone(entry: WorkEntry) -> ResultRow:
    """The row of an entry that is answered as a case of its own."""
    case = Case(*entry, 0, QualityLevel.HIGH, lambda _: None)
    parsed = parse(entry.input_data)
    if isinstance(parsed, SyntaxFault):
        case.fault = parsed
    else:
        case.address, case.fault = parsed, check_provider_syntax(parsed)
    return Answers(JUDGE, PlainForms()).of(case, NOW).row


def read(row: ResultRow) -> tuple[pb.Result, pb.Result, tuple[int, int, int]]:
    """Return the smallest and the largest view, and what is filtered on."""
    return (
        pb.Result.FromString(body(row, VIEW_BASIC)),
        pb.Result.FromString(body(row, VIEW_EVIDENCE)),
        row[:3],
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXTS, CUSTOMS), min_size=1, max_size=40), st.booleans())
def test_an_answer_by_the_chunk_is_the_one_given_alone(
    texts: list[tuple[str, str]], duplicates: bool
) -> None:
    """Every field of every view is the same, and every entry is answered or left, once."""
    offhand = Offhand(JUDGE, PlainForms())
    entries = [
        WorkEntry(number * 777, text, custom, number + 1 if duplicates else None)
        for number, (text, custom) in enumerate(texts)
    ]
    for _ in range(2):  # learning the forms, and knowing them
        rows, rest = offhand.answer(claim_of(entries), NOW)

        left = {entry.entry_index for entry in rest}
        assert [e.entry_index for e in entries if e.entry_index not in left] == [
            row.entry_index for row in rows
        ]
        by_index = {entry.entry_index: entry for entry in entries}
        for row in rows:
            assert read(answered_alone(by_index[row.entry_index])) == read(row)


def test_plain_duplicates_are_all_answered() -> None:
    """A chunk of repeats of usual addresses leaves nothing."""
    entries = [WorkEntry(n, f"user{n}@d{n % 7}.example.org", f"c{n}", n - 1) for n in range(200)]
    rows, rest = Offhand(JUDGE, PlainForms()).answer(claim_of(entries), NOW)

    assert (200, []) == (len(rows), list(rest))
    assert {EntryStatus.DUPLICATE} == {row.status for row in rows}


def test_texts_that_are_no_address_are_all_answered() -> None:
    """A chunk of plain mistakes leaves nothing."""
    entries = [WorkEntry(n, f"user{n}..x@d{n % 7}.example.org", "") for n in range(200)]
    rows, rest = Offhand(JUDGE, PlainForms()).answer(claim_of(entries), NOW)

    assert (200, []) == (len(rows), list(rest))
    assert {EntryStatus.DOUBLE_DOT_SEQUENCE} == {row.status for row in rows}


def test_what_has_to_be_asked_is_left() -> None:
    """Addresses of a chunk that is to be visited are left, all of them."""
    entries = [WorkEntry(n, f"user{n}@example.org", "") for n in range(5)]

    assert ([], tuple(entries)) == Offhand(JUDGE, PlainForms()).answer(claim_of(entries), NOW)


@pytest.mark.parametrize(("attempt", "rules"), [(1, False), (0, True)])
def test_what_a_caller_decides_is_left(attempt: int, rules: bool) -> None:
    """Where rules are in force, or an attempt was made before, every entry is a case."""
    entries = [WorkEntry(n, f"user{n}@example.org", "", 0) for n in range(1, 5)]
    claim = claim_of(entries, attempt, rules)

    assert ([], claim.entries) == Offhand(JUDGE, PlainForms()).answer(claim, NOW)


def test_where_entries_may_be_domains_all_are_left() -> None:
    """Only a case tells a domain from a fault."""
    entries = [WorkEntry(0, "example.org", ""), WorkEntry(1, "no domain", "")]
    claim = replace(claim_of(entries), bare_domains=True)

    assert ([], claim.entries) == Offhand(JUDGE, PlainForms()).answer(claim, NOW)


def test_a_fault_of_ours_leaves_all_to_be_answered_as_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When an encoder fails nothing is lost: the entries go the long way."""

    def broken(*_: object, **__: object) -> list[ResultRow]:
        raise ValueError

    monkeypatch.setattr(PlainForms, "repeats", broken)
    entries = [WorkEntry(n, f"user{n}@example.org", "", 0) for n in range(1, 5)]
    claim = claim_of(entries)

    assert ([], claim.entries) == Offhand(JUDGE, PlainForms()).answer(claim, NOW)


def test_forms_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of ever new domains does not fill the memory, and is answered all the same."""
    monkeypatch.setattr("mailvet.engine.offhand.MAX_FORMS", 10)
    offhand = Offhand(JUDGE, PlainForms())
    for turn in range(3):
        entries = [WorkEntry(n, f"a@d{turn}-{n}.example.org", "", 0) for n in range(1, 31)]
        rows, rest = offhand.answer(claim_of(entries), NOW)
        assert (30, []) == (len(rows), list(rest))
