"""What is remembered of a mailbox, for whom, and for how long."""

from collections.abc import Callable

import pytest

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.recall import MAX_AGE_S, SHARED_STEP_S, Recall
from mailvet.model.address import SyntaxFault
from mailvet.model.reply import Observation, Reading, Reply, Stage, Trouble
from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.model.status import EntryStatus, Fact, Meaning, QualityLevel
from mailvet.syntax import parse

NO_SUCH = Reading(Meaning.MAILBOX_DOES_NOT_EXIST, "no_such")


class Clock:
    """Wall time, moved by hand."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="recall")
def _recall(clock: Clock) -> Recall:
    return Recall(clock, max_memories=3)


def case_of(text: str, quality: QualityLevel = QualityLevel.STANDARD) -> Case:
    """A case whose text was read."""
    case = Case(0, text, "", None, 0, quality, lambda _: None)
    address = parse(text)
    assert not isinstance(address, SyntaxFault)
    case.address = address
    return case


def asked(text: str, quality: QualityLevel = QualityLevel.STANDARD) -> Case:
    """A case whose exchanger said that there is no such mailbox."""
    case = case_of(text, quality)
    assert case.address is not None
    case.card = DomainCard(case.address.domain.ascii)
    exchanger = Exchanger(host="mx.test", preference=1, addresses=("192.0.2.1",))
    case.card.answer = MxAnswer(
        outcome=MxOutcome.EXCHANGERS, exchangers=(exchanger,), hosts=("mx.test",)
    )
    reply = Reply(550, f"5.1.1 <{text}> no such user", "5.1.1")
    case.seen = Observation(Stage.RCPT, "mx.test", "192.0.2.1", reply)
    case.reading, case.visits = NO_SUCH, 1
    return case


def remember(recall: Recall, case: Case, tenant: str = "acme", **more: bool) -> None:
    """Remember a case as a mailbox that does not exist."""
    status = EntryStatus.MAILBOX_DOES_NOT_EXIST
    recall.remember(tenant, case, status, may_change=more.get("may_change", False))


def known(recall: Recall, text: str, tenant: str = "acme", **more: float) -> bool:
    """Whether an address is remembered."""
    return recall.within(tenant, more.get("max_age_s", 60.0))(case_of(text))


def test_what_was_seen_comes_back(recall: Recall, clock: Clock) -> None:
    """With its time and its number of visits, but without the words, which may name people."""
    remember(recall, asked("ann@example.org"))
    clock.now += 60
    case = case_of("ann@example.org")

    assert recall.within("acme", 60.0)(case)
    assert ((550, "5.1.1", ""), NO_SUCH, 1, clock.now - 60) == (
        case.seen and case.seen.reply and (case.seen.reply[0], case.seen.reply[2], case.seen[3][1]),  # type: ignore[index]
        case.reading,
        case.attempt,
        case.remembered_at,
    )


def test_age_is_the_callers_choice(recall: Recall, clock: Clock) -> None:
    """A second too old is not known; nobody gets what is older than a month."""
    remember(recall, asked("ann@example.org"))
    clock.now += 61

    assert not known(recall, "ann@example.org")
    assert known(recall, "ann@example.org", max_age_s=61)
    clock.now += MAX_AGE_S
    assert not known(recall, "ann@example.org", max_age_s=10 * MAX_AGE_S)


def test_a_clock_set_back_makes_nothing_young(recall: Recall, clock: Clock) -> None:
    """What seems to come from the future is asked again."""
    remember(recall, asked("ann@example.org"))
    clock.now -= 1

    assert not known(recall, "ann@example.org")


def test_tenants_do_not_share(recall: Recall) -> None:
    """What one has asked tells another nothing."""
    remember(recall, asked("ann@example.org"))

    assert not known(recall, "ann@example.org", "other")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ann@EXAMPLE.org", True),
        ("Ann@example.org", False),
        ("ann+x@example.org", False),
        ("bob@example.org", False),
    ],
)
def test_only_the_same_mailbox_is_known(recall: Recall, text: str, *, same: bool) -> None:
    """As duplicates are told without false ones."""
    remember(recall, asked("ann@example.org"))

    assert same is known(recall, text)


def _unanswered(case: Case) -> None:
    case.seen = Observation(Stage.CONNECT, "mx.test", "192.0.2.1", None, Trouble.TIMEOUT)


def _unasked(case: Case) -> None:
    case.seen = None


def _recalled(case: Case) -> None:
    case.remembered_at = 1.0


@pytest.mark.parametrize("spoil", [_unanswered, _unasked, _recalled])
def test_only_what_an_exchanger_said_is_remembered(
    recall: Recall, spoil: Callable[[Case], None]
) -> None:
    """No trouble, no list hit, and no memory of a memory, which would never grow old."""
    case = asked("ann@example.org")
    spoil(case)
    remember(recall, case)

    assert not known(recall, "ann@example.org")


def test_what_may_change_is_not_remembered(recall: Recall) -> None:
    """Neither what a later try may change nor what says nothing about the address."""
    remember(recall, asked("ann@example.org"), may_change=True)
    refused = EntryStatus.LOCAL_END_POINT_REJECTED
    recall.remember("acme", asked("ann@example.org"), refused, may_change=False)

    assert not known(recall, "ann@example.org")


def test_less_effort_does_not_stand_in_for_more(recall: Recall) -> None:
    """An answer of STANDARD quality is none of HIGH; the other way round it is."""
    remember(recall, asked("ann@example.org"))
    remember(recall, asked("bob@example.org", QualityLevel.HIGH))
    within = recall.within("acme", 60.0)

    assert not within(case_of("ann@example.org", QualityLevel.HIGH))
    assert within(case_of("bob@example.org", QualityLevel.STANDARD))


def test_what_a_domain_learns_later_changes_no_memory(recall: Recall) -> None:
    """The catch-all that was known then goes with the answer of then."""
    case = asked("ann@example.org")
    assert case.card is not None
    case.card.catch_all = Fact.NO
    remember(recall, case)
    case.card.catch_all = Fact.YES
    again = case_of("ann@example.org")
    recall.within("acme", 60.0)(again)

    assert again.card is not None
    assert Fact.NO is again.card.catch_all


def test_the_least_used_is_forgotten_first(recall: Recall) -> None:
    """There is room for three; what was just used stays."""
    for name in ("a", "b", "c"):
        remember(recall, asked(f"{name}@example.org"))
    assert known(recall, "a@example.org")
    remember(recall, asked("d@example.org"))

    assert [True, False, True, True] == [known(recall, f"{name}@example.org") for name in "abcd"]


def test_a_mailbox_can_be_forgotten(recall: Recall) -> None:
    """Forgetting what is not known is fine."""
    case = asked("ann@example.org")
    assert case.address is not None
    remember(recall, case)
    recall.forget("acme", case.address)
    recall.forget("acme", case.address)

    assert not known(recall, "ann@example.org")


def shared(recall: Recall, text: str, tenant: str, **more: float) -> Case | None:
    """What a tenant that shares is answered with, if anything is known."""
    case = case_of(text)
    ages = {"max_age_s": 0.0, "max_shared_age_s": 86_400.0} | more
    return case if recall.within(tenant, **ages)(case) else None


def share(recall: Recall, case: Case, tenant: str = "acme") -> None:
    """Remember a case for everybody who shares."""
    status = EntryStatus.MAILBOX_DOES_NOT_EXIST
    recall.remember(tenant, case, status, may_change=False, shared=True)


def test_what_is_shared_serves_those_who_share(recall: Recall, clock: Clock) -> None:
    """Its age is told in whole hours, so that nobody sees when another tenant asked."""
    share(recall, asked("ann@example.org"))
    clock.now += 1_000
    found = shared(recall, "ann@example.org", "other")

    assert found is not None
    assert found.remembered_at is not None
    assert 0 == found.remembered_at % SHARED_STEP_S
    assert 0 <= clock.now - 1_000 - found.remembered_at < SHARED_STEP_S
    assert not known(recall, "ann@example.org", "other")
    assert shared(recall, "bob@example.org", "other") is None


def test_what_is_not_shared_serves_its_tenant_only(recall: Recall) -> None:
    """Asking for shared answers does not show what others kept to themselves."""
    remember(recall, asked("ann@example.org"))

    assert shared(recall, "ann@example.org", "other") is None
    assert shared(recall, "ann@example.org", "acme") is None
    assert shared(recall, "ann@example.org", "acme", max_age_s=60.0) is not None


def test_own_answers_come_before_shared_ones(recall: Recall, clock: Clock) -> None:
    """With their exact time."""
    share(recall, asked("ann@example.org"), "other")
    clock.now += 5_000
    share(recall, asked("ann@example.org"))
    found = shared(recall, "ann@example.org", "acme", max_age_s=60.0)

    assert found is not None
    assert clock.now == found.remembered_at


def test_shared_answers_grow_too_old(recall: Recall, clock: Clock) -> None:
    """By their real age."""
    share(recall, asked("ann@example.org"))
    clock.now += 100

    assert shared(recall, "ann@example.org", "x", max_shared_age_s=99.0) is None
    assert shared(recall, "ann@example.org", "x", max_shared_age_s=101.0) is not None


def test_forgetting_reaches_what_is_shared(recall: Recall) -> None:
    """Whoever asks for it."""
    case = asked("ann@example.org")
    share(recall, case, "other")
    assert case.address is not None
    recall.forget("acme", case.address)

    assert shared(recall, "ann@example.org", "other") is None


def test_mailboxes_of_a_domain_share_what_is_remembered_of_it() -> None:
    """One copy of its card for all of them, until the card learns something else."""
    card = DomainCard("example.org")
    first, second = card.snapshot(), card.snapshot()
    card.catch_all = Fact.YES
    third = card.snapshot()

    assert first is second
    assert (Fact.NOT_LOOKED_AT, Fact.YES) == (first.catch_all, third.catch_all)
