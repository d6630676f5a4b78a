"""From a case to the row that is kept, worked out once for all cases that end alike.

Thousands of entries differ in nothing but their names, their domain's records and an exchanger's
words: what was found and what it means is the same. The first case of a kind makes a form, and it
and all after it fill it in. What is not plain goes the long way.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.encoder import Names, Plain, PlainEncoder
from mailvet.engine.explain import explain, names_domain, names_host
from mailvet.engine.hearing import SILENCE, Heard, Hearing
from mailvet.engine.herds import Classify, Herd
from mailvet.engine.judge import Judge, fault_of, find, may_change, suggestions_of
from mailvet.engine.offhand import Offhand, is_short
from mailvet.engine.places import Place, Places
from mailvet.engine.sorts import Sorts
from mailvet.lists import Hit, Membership
from mailvet.model.batch import ResultRow
from mailvet.model.finding import Finding
from mailvet.model.named import new
from mailvet.model.result import ListHit, Result
from mailvet.model.status import EntryStatus
from mailvet.syntax import canonical, is_plain, tag_of
from mailvet.verdict import Verdict

MAX_KINDS = 8192
"""Kinds of cases remembered: some 10 MB of forms; a chunk has few, and lists repeat them."""


class Kind(NamedTuple):
    """What all cases of a kind have in common."""

    form: Any
    status: EntryStatus
    may_change: bool
    is_rare: bool
    """Whether each has rare fields of its own."""
    names_host: bool
    """Whether the sentence about each names the host or what it said."""
    names_domain: bool
    """Whether it names something else that is not the same for all."""
    holds: tuple[object, ...]
    """What the key names by identity: as long as it is held nothing else can have that identity."""


class Answer(NamedTuple):
    """What is kept of a case, unless trying later may change it and is wanted."""

    row: ResultRow
    may_change: bool


class Shared(NamedTuple):
    """What the answers to all plain entries of a domain share that are on the same lists."""

    form: Any
    basic: str
    more: str
    evidence: bytes


class Answers:
    """Answers cases; remembers what they share."""

    def __init__(self, judge: Judge, encoder: PlainEncoder) -> None:
        self.offhand = Offhand(judge, encoder)
        """Answers what needs no case."""
        self._judge = judge
        self._encoder = encoder
        self._kinds: dict[Hashable, Kind] = {}
        self._roles: dict[str, tuple[Hit, bytes]] = {}
        sorts = Sorts()
        self._hearing = Hearing(encoder, sorts)
        self._places = Places(encoder, judge.suggest, sorts, self._hearing)

    def of(self, case: Case, now: float) -> Answer:
        """Return the answer of a case as of `now`, in seconds since the epoch."""
        if case.ruling is not None or case.is_domain:  # both are few
            return self._long_way(case, now)
        place = self._places.of(case)
        seen, membership = case.seen, case.membership
        heard = SILENCE if seen is None else self._hearing.of(seen, case.reading)
        kind, names = self._kind(case, place, heard), _names(case)
        if kind is None:
            return self._long_way(case, now)
        basic = self._sentence(case, kind, heard)
        if kind.is_rare:
            basic += self._rare(case, place)
        evidence = place.dns if seen is None else place.evidence + heard.evidence
        if membership is not None and membership.of_all_roles is not None:
            evidence += self._role(membership.hits[-1])
        moment, more = now, place.more
        if case.remembered_at is not None:
            moment = case.remembered_at
            more += self._encoder.age(max(0.0, now - moment))
        row = self._encoder.fill(kind.form, names, moment, basic, more, evidence)
        return self._long_way(case, now) if row is None else new(Answer, (row, kind.may_change))

    def of_herd(
        self, herd: Herd, card: DomainCard, classify: Classify, now: float
    ) -> tuple[list[ResultRow], list[Plain]]:
        """Return the rows of plain entries about which nobody can be asked, as of `now`, and the
        members that are left."""
        rows: list[ResultRow] = []
        left: list[Plain] = []
        alike: dict[int, tuple[Membership, list[Plain]]] = {}
        domain = herd.domain.ascii
        for member in herd.members:
            _, _, custom, local_part = member
            if custom and not is_short(custom):
                left.append(member)
                continue
            membership = classify(local_part, domain)
            same = alike.get(id(membership))
            if same is None:
                same = alike[id(membership)] = (membership, [])
            same[1].append(member)
        shares: dict[int, Shared | None] = {}
        for membership, members in alike.values():
            kin = membership.of_all_roles or membership  # lives as long as the lists do
            if id(kin) not in shares:
                shares[id(kin)] = self._shared(herd.model(members[0], card), membership)
            shared = shares[id(kin)]
            if shared is None:
                left += members
                continue
            form, basic, more, evidence = shared
            if kin is not membership:
                evidence += self._role(membership.hits[-1])
            rows += self._encoder.plain(form, members, now, basic, more, evidence)
        return rows, left

    def _shared(self, case: Case, membership: Membership) -> Shared | None:
        """Return what is shared with a case; None where each has more of its own, or a future."""
        case.membership = membership
        place = self._places.of(case)
        kind = self._kind(case, place, SILENCE)
        if kind is None or kind.may_change or kind.is_rare:
            return None
        return Shared(kind.form, self._sentence(case, kind, SILENCE), place.more, place.dns)

    def forget(self) -> None:
        """Drop what is remembered."""
        self.offhand.forget()
        self._kinds.clear()
        self._roles.clear()
        self._places.forget()
        self._hearing.forget()

    def fault(self, case: Case, now: float) -> ResultRow:
        """Return the row of a case that could not be concluded for a fault of ours."""
        return self._encoder.row(fault_of(case, now))

    def _long_way(self, case: Case, now: float) -> Answer:
        findings, verdict = self._conclude(case)
        result = self._judge.result(case, findings, verdict, now=now)
        return Answer(self._encoder.row(result), may_change(findings, verdict))

    def _conclude(self, case: Case) -> tuple[list[Finding], Verdict]:
        findings = find(case)
        return findings, self._judge.verdict(case, findings)

    def _kind(self, case: Case, place: Place, heard: Heard) -> Kind | None:
        """Return the kind of a case; None when it is the first, and its form would tell of it."""
        membership, fault = case.membership, case.fault
        kin = membership and (membership.of_all_roles or membership)
        key = (
            heard.sort,
            place.sort,
            case.attempt + 1 if case.visits else case.attempt,
            # A member of an enumeration lives for ever, and its hash is slow.
            id(case.forced),
            id(case.quality),
            id(case.policy),
            id(kin),
            fault and fault.reason,  # tells the status as well
            case.duplicate_of is not None,
            case.remembered_at is not None,
        )
        kind = self._kinds.get(key)
        if kind is None and self._encoder.fits(_names(case)):
            kind = self._learn(key, case, kin)
        return kind

    def _learn(self, key: Hashable, case: Case, kin: Membership | None) -> Kind:
        findings, verdict = self._conclude(case)
        result = self._judge.result(case, findings, verdict, now=0.0)
        is_rare = bool(case.fault or case.duplicate_of is not None or result.suggestions)
        status = verdict.status
        is_told = case.fault is not None and case.duplicate_of is None  # and its reason is the key
        if not is_told and (names_host(status) or names_domain(status)):
            result.explanation = ""
        kind = Kind(
            form=self._encoder.form(_stripped(result)),
            status=status,
            may_change=may_change(findings, verdict),
            is_rare=is_rare,
            names_host=not is_told and names_host(status),
            names_domain=not is_told and names_domain(status),
            holds=(case.policy, kin),
        )
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        self._kinds[key] = kind
        return kind

    def _sentence(self, case: Case, kind: Kind, heard: Heard) -> str:
        if kind.names_domain:
            return self._encoder.explanation(explain(case, kind.status))
        return self._hearing.sentence(case, kind.status, heard) if kind.names_host else ""

    def _role(self, hit: Hit) -> bytes:
        encoded = self._roles.get(hit.row)
        if encoded is None or encoded[0] != hit:
            if len(self._roles) >= MAX_KINDS:
                self._roles.clear()
            encoded = self._roles[hit.row] = (hit, self._encoder.role(ListHit(*hit)))
        return encoded[1]

    def _rare(self, case: Case, place: Place) -> str:
        return self._encoder.rare(
            duplicate_of=case.duplicate_of,
            syntax_failure_index=case.fault.index if case.fault else None,
            suggestions=suggestions_of(case, self._judge.suggest) if place.is_mistyped else (),
        )


def _names(case: Case) -> Names:
    address = case.address
    if address is None:
        return Names(case.entry_index, case.input_data, case.custom, "", "", "", "")
    local_part, domain = address
    email = f"{local_part}@{domain.unicode}"
    same, tag = (email, "") if is_plain(address) else (canonical(address), tag_of(address))
    return new(
        Names, (case.entry_index, case.input_data, case.custom, email, local_part, same, tag)
    )


def _stripped(result: Result) -> Result:
    """A result made to be shared, without what is an entry's, a domain's or a host's own."""
    result.index = 0
    result.input_data = result.custom = result.email_address = ""
    result.local_part = result.canonical = result.tag = ""
    result.domain = result.ascii_domain = ""
    result.mx_hosts = ()
    result.complete_time = result.cache_age = None
    result.duplicate_of = result.syntax_failure_index = None
    result.suggestions = ()
    evidence = result.evidence
    if evidence is not None:
        evidence.dns_records = ()
        evidence.mailbox = evidence.made_up_mailbox = None
        if result.is_role_account:
            evidence.list_hits = evidence.list_hits[:-1]
    return result
