"""Answers worked out once for all cases of a kind: the same as each worked out alone."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailvet.engine.answers import Answers
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.judge import Judge, find, may_change
from mailvet.lists import load_lists, operator_of, suggest
from mailvet.model.address import SyntaxFault
from mailvet.model.batch import ResultRow
from mailvet.model.reply import Observation, Reply, Stage, Trouble
from mailvet.model.result import Result
from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.model.ruling import OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import Classification, EntryStatus, Fact, QualityLevel
from mailvet.rpc.encode import encode_result
from mailvet.rpc.frames import VIEW_BASIC, VIEW_EVIDENCE, body
from mailvet.rpc.plain_forms import PlainForms
from mailvet.smtp.meanings import meaning_of
from mailvet.syntax import check_provider_syntax, parse
from mailvet.v1 import result_pb2 as pb
from mailvet.verdict.policy import policy_of

NOW = 1_700_000_000.125
LISTS = load_lists()
JUDGE = Judge(suggest)
DOMAINS = (
    "example.org",
    "example.net",
    "mail.example.com",
    "gmial.com",
    "mailinator.com",
    "gmail.com",
    "bücher.example",
    "x.gov",
)
NAMES = ("ann", "Ann+news", "info", "12345", "a..b", "öl", '"q q"', "x" * 70, "")
POLICY = policy_of(
    (OverrideRule("boss@*", Classification.DELIVERABLE),),
    TenantRules(scheme=(SchemeRow(EntryStatus.SUCCESS, Classification.RISKY, "hm"),)),
)
REPLIES = (
    Reply(250, "2.1.5 Ok", "2.1.5"),
    Reply(550, "5.1.1 No such user here", "5.1.1"),
    Reply(550, "5.1.1 <{}>: Recipient address rejected: User unknown", "5.1.1"),
    Reply(452, "4.2.2 Over quota", "4.2.2"),
    Reply(450, "4.2.0 Greylisted, try {} again", "4.2.0"),
    Reply(554, "5.7.1 Client host blocked using a list", "5.7.1"),
)


class Found(NamedTuple):
    """What a generated case is made of, by number."""

    name: str
    domain: str
    reply: int
    attempt: int
    is_duplicate: bool
    has_policy: bool
    catch_all: Fact
    custom: str
    age_s: float | None = None
    """Of an answer that was remembered; None where the exchanger was asked."""


FOUND = st.builds(
    Found,
    st.sampled_from((*NAMES, "boss")),
    st.sampled_from(DOMAINS),
    st.integers(-3, len(REPLIES) - 1),
    st.integers(0, 1),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, True]),
    st.sampled_from([Fact.NO, Fact.YES, Fact.NOT_LOOKED_AT]),
    st.sampled_from(["", "row 7", "Zeile ü"]),
    st.sampled_from([None, None, 0.0, 0.25, 90.0, 86_400.125]),
)


def card_of(domain: str, catch_all: Fact) -> DomainCard:
    """A domain with one exchanger."""
    card = DomainCard(domain)
    hosts = (f"mx.{domain}",)
    card.answer = MxAnswer(
        hosts=hosts, outcome=MxOutcome.EXCHANGERS, ttl_s=60.0, records=("mx",), exchangers=()
    )
    card.operator = operator_of(hosts)
    card.catch_all = catch_all
    if catch_all is not Fact.NOT_LOOKED_AT:
        card.catch_all_seen = Observation(Stage.RCPT, hosts[0], "127.0.0.1", REPLIES[0])
    return card


class Cards:
    """One card for each domain and catch-all answer, as the engine has them."""

    def __init__(self) -> None:
        self._cards: dict[tuple[str, Fact], DomainCard] = {}

    def of(self, domain: str, catch_all: Fact) -> DomainCard:
        """Return the card."""
        key = (domain, catch_all)
        if key not in self._cards:
            self._cards[key] = card_of(*key)
        return self._cards[key]


def case_of(number: int, found: Found, cards: Cards) -> Case:
    """Return a case as the engine hands it to be answered."""
    text = f"{found.name}@{found.domain}"
    case = Case(
        entry_index=number * 777,
        input_data=text,
        custom=found.custom,
        duplicate_of=number + 1 if found.is_duplicate else None,
        attempt=found.attempt,
        quality=QualityLevel.HIGH,
        done=lambda case: None,
    )
    case.policy = POLICY if found.has_policy else None
    parsed = parse(text)
    if isinstance(parsed, SyntaxFault):
        case.fault = parsed
        return case
    case.address, case.fault = parsed, check_provider_syntax(parsed)
    if case.policy is not None:
        case.ruling = case.policy.ruling_of(parsed)
    if case.fault is None and case.duplicate_of is None and case.ruling is None:
        _visit(case, found, cards)
    return case


def _visit(case: Case, found: Found, cards: Cards) -> None:
    address = case.address
    assert address is not None
    case.membership = LISTS.classify(address.local_part, address.domain.ascii)
    if found.reply == -3:
        case.forced = EntryStatus.LOCAL_EGRESS_UNAVAILABLE
        return
    case.card = cards.of(address.domain.ascii, found.catch_all)
    case.visits = 1
    host = f"mx.{address.domain.ascii}"
    if found.reply < 0:
        case.seen = Observation(Stage.BANNER, host, "127.0.0.1", None, Trouble.TIMEOUT)
        return
    reply = REPLIES[found.reply]
    reply = reply._replace(text=reply.text.format(address.mailbox))
    case.seen = Observation(Stage.RCPT, host, "127.0.0.1", reply)
    case.reading = None if reply.positive else meaning_of(reply)
    if found.age_s is not None:  # as `engine.recall` puts it in
        case.seen = case.seen._replace(reply=reply._replace(text=""))
        case.card, case.attempt, case.visits = case.card.snapshot(), found.attempt + 1, 0
        case.remembered_at = NOW - found.age_s


def read(row: ResultRow) -> tuple[pb.Result, pb.Result, tuple[int, int, int]]:
    """Return the smallest and the largest view, and what is filtered on."""
    return (
        pb.Result.FromString(body(row, VIEW_BASIC)),
        pb.Result.FromString(body(row, VIEW_EVIDENCE)),
        row[:3],
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(FOUND, min_size=1, max_size=60))
def test_a_shared_answer_is_the_one_worked_out_alone(found: list[Found]) -> None:
    """Whatever came before, every field of every view is the same."""
    answers, cards = Answers(JUDGE, PlainForms()), Cards()
    for number, each in enumerate(found * 3):
        case = case_of(number, each, cards)
        findings = find(case)
        verdict = JUDGE.verdict(case, findings)
        expected = encode_result(JUDGE.result(case, findings, verdict, now=NOW))
        answer = answers.of(case, NOW)

        assert read(expected) == read(answer.row)
        assert may_change(findings, verdict) == answer.may_change


def test_an_answer_in_a_known_form_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second plain case of a kind is not judged any more, whatever its domain."""
    judged: list[str] = []
    form = PlainForms.form

    def counted(forms: PlainForms, result: Result) -> object:
        judged.append(result.explanation)
        return form(forms, result)

    monkeypatch.setattr(PlainForms, "form", counted)
    monkeypatch.setattr(PlainForms, "row", counted)  # of what is judged by itself
    answers, cards = Answers(Judge(suggest), PlainForms()), Cards()
    for number in range(10):
        found = Found("ann", f"d{number}.example.org", 0, 0, False, False, Fact.NO, "")
        answers.of(case_of(number, found, cards), NOW)

    assert 1 == len(judged)
