"""Plain entries of a dead domain answered together: the same answers as one by one."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailvet.engine.answers import Answers
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.encoder import Plain
from mailvet.engine.herds import Herd, Herding
from mailvet.engine.judge import Judge
from mailvet.lists import load_lists, suggest
from mailvet.model.address import Address
from mailvet.model.batch import Claim, ResultRow, WorkEntry
from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.model.status import QualityLevel
from mailvet.rpc.frames import VIEW_BASIC, VIEW_EVIDENCE, body
from mailvet.rpc.plain_forms import PlainForms
from mailvet.syntax import check_provider_syntax, parse
from mailvet.v1 import result_pb2 as pb

NOW = 1_700_000_000.125
LISTS = load_lists()
JUDGE = Judge(suggest)
LOCAL_PARTS = ("ann", "info", "a.b-c", "12345", "Ann", "ann+news", "a..b", "öl", '"q q"', "x" * 64)
DOMAINS = (
    "gone.example",
    "x.gov",
    "mailinator.com",
    "gmial.com",
    "gmail.com",
    "Gone.example",
    "bücher.example",
    "[192.0.2.1]",
    "b..org",
    "",
)
TEXTS = st.one_of(
    st.builds("{}@{}".format, st.sampled_from(LOCAL_PARTS), st.sampled_from(DOMAINS)),
    st.text(max_size=12),
)
CUSTOMS = st.sampled_from(["", "", "row 7", "Zeile ü", "c" * 2000])
DEAD = tuple(
    MxAnswer(outcome=outcome, ttl_s=60.0, records=("gone.example. 60 IN SOA",))
    for outcome in (MxOutcome.NO_DOMAIN, MxOutcome.NULL_MX, MxOutcome.NO_MAIL)
)


def claim_of(entries: Sequence[WorkEntry], attempt: int = 0) -> Claim:
    return Claim(
        chunk=1,
        fence=1,
        batch_key=1,
        tenant="acme",
        quality=QualityLevel.HIGH,
        attempt=attempt,
        first_attempt_at=None,
        entries=tuple(entries),
    )


class House:
    """Where herds come from and go."""

    def __init__(self) -> None:
        self.answers = Answers(JUDGE, PlainForms())
        self.rows: list[ResultRow] = []

    def answer(self, herd: Herd, card: DomainCard, classify: object) -> list[Plain]:
        rows, left = self.answers.of_herd(herd, card, LISTS.classify, NOW)
        self.rows += rows
        return left

    def cases(self, entries: Sequence[WorkEntry]) -> list[Case]:
        return [Case(*entry, 0, QualityLevel.HIGH, lambda _: None) for entry in entries]

    def part(self, claim: Claim) -> tuple[list[Herd], list[WorkEntry]]:
        return Herding(fewest=1).part(claim, claim.entries, self.answer, self.cases)


def card_of(domain: str, answer: MxAnswer) -> DomainCard:
    card = DomainCard(domain)
    card.answer = answer
    return card


def answered_alone(entry: WorkEntry, attempt: int, answer: MxAnswer) -> ResultRow:
    """The row of an entry that is answered as a case of its own."""
    case = Case(*entry, attempt, QualityLevel.HIGH, lambda _: None)
    parsed = parse(entry.input_data)
    assert isinstance(parsed, Address)
    assert check_provider_syntax(parsed) is None
    case.address = parsed
    case.membership = LISTS.classify(parsed.local_part, parsed.domain.ascii)
    case.card = card_of(parsed.domain.ascii, answer)
    return Answers(JUDGE, PlainForms()).of(case, NOW).row


def read(row: ResultRow) -> tuple[pb.Result, pb.Result, tuple[int, int, int]]:
    """Return the smallest and the largest view, and what is filtered on."""
    return (
        pb.Result.FromString(body(row, VIEW_BASIC)),
        pb.Result.FromString(body(row, VIEW_EVIDENCE)),
        row[:3],
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, CUSTOMS), min_size=1, max_size=40),
    st.integers(0, 1),
    st.sampled_from(DEAD),
)
def test_an_answer_for_the_herd_is_the_one_given_alone(
    texts: list[tuple[str, str]], attempt: int, answer: MxAnswer
) -> None:
    """Every field of every view is the same, and every entry is answered or left, once."""
    entries = [
        WorkEntry(number * 777, text, custom, 5 if number % 9 == 8 else None)
        for number, (text, custom) in enumerate(texts)
    ]
    house = House()
    herds, others = house.part(claim_of(entries, attempt))
    left = [entry.entry_index for entry in others]
    for herd in herds:
        herd.answer(card_of(herd.domain.ascii, answer), LISTS.classify)
        cases = herd.cases()
        left += [case.entry_index for case in cases]
        assert [case.address for case in cases] == [parse(case.input_data) for case in cases]
        assert [] == herd.cases()

    answered = [row.entry_index for row in house.rows]
    assert [entry.entry_index for entry in entries] == sorted(answered + left)
    by_index = {entry.entry_index: entry for entry in entries}
    for row in house.rows:
        assert read(answered_alone(by_index[row.entry_index], attempt, answer)) == read(row)


def test_plain_entries_of_a_dead_domain_are_all_answered() -> None:
    """No case is made of them."""
    entries = [WorkEntry(n, f"user{n}@d{n % 3}.gone.example", f"c{n}") for n in range(90)]
    house = House()
    herds, others = house.part(claim_of(entries))
    for herd in herds:
        herd.answer(card_of(herd.domain.ascii, DEAD[0]), LISTS.classify)

    assert (3, []) == (len(herds), others)
    assert [] == [case for herd in herds for case in herd.cases()]
    assert set(range(90)) == {row.entry_index for row in house.rows}


@pytest.mark.parametrize("outcome", [MxOutcome.TIMEOUT, MxOutcome.SERVER_FAILURE])
def test_what_may_be_known_later_is_left(outcome: MxOutcome) -> None:
    """A name server that failed decides nothing for good: each is a case, which may wait."""
    entries = [WorkEntry(n, f"user{n}@gone.example", "") for n in range(9)]
    house = House()
    ((herd,), _) = house.part(claim_of(entries))
    herd.answer(card_of("gone.example", MxAnswer(outcome=outcome, ttl_s=1.0)), LISTS.classify)

    assert [] == house.rows
    assert list(range(9)) == [case.entry_index for case in herd.cases()]


def test_a_fault_of_ours_leaves_all_to_be_answered_as_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When an encoder fails nothing is lost: the entries go the long way."""

    def broken(*_: object, **__: object) -> list[ResultRow]:
        raise ValueError

    monkeypatch.setattr(PlainForms, "plain", broken)
    entries = [WorkEntry(n, f"user{n}@gone.example", "") for n in range(9)]
    house = House()
    ((herd,), _) = house.part(claim_of(entries))
    herd.answer(card_of("gone.example", DEAD[0]), LISTS.classify)

    assert [] == house.rows
    assert list(range(9)) == [case.entry_index for case in herd.cases()]


def test_few_entries_of_a_domain_are_no_herd() -> None:
    """They are left to be cases from the start."""
    entries = [WorkEntry(n, f"user{n}@d{n % 3}.gone.example", "") for n in range(20)]
    claim, house = claim_of(entries), House()
    herds, others = Herding(fewest=7).part(claim, claim.entries, house.answer, house.cases)

    assert ["d0.gone.example", "d1.gone.example"] == [herd.domain.ascii for herd in herds]
    assert {2, 5, 8, 11, 14, 17} == {entry.entry_index for entry in others}
