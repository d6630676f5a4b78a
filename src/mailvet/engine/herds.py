"""Plain entries of one domain, together until it is known whether anybody has to be asked.

Where mail for a domain goes nowhere, all its mailboxes get one answer but for their names: no case
is made of them. Where somebody has to be asked each becomes a case, whose address is known already.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.encoder import Plain
from mailvet.engine.offhand import MAX_PLAIN_DOMAIN, is_plain_local_part
from mailvet.lists import Membership
from mailvet.model.address import Address, DomainName
from mailvet.model.batch import Claim, WorkEntry
from mailvet.model.named import new
from mailvet.syntax import is_plain, parse

MAX_DOMAINS = 100_000
"""Remembered by their text; some 20 MB when full."""

FEWEST = 16
"""Of one domain in a claim: fewer cost more as a herd than they save, where the domain lives."""

Classify = Callable[[str, str], Membership]
"""Tells which lists an address is on, by its local part and its domain in A-labels."""


_LOG = structlog.get_logger(room="engine")


class Herd:
    """The plain entries of one claim at one domain."""

    __slots__ = ("_answer", "_cases", "claim", "domain", "members")

    def __init__(self, claim: Claim, domain: DomainName, answer: "Answer", cases: "Cases") -> None:
        """`answer` keeps the answers that need no case and returns the members that are left;
        `cases` makes a case of each entry."""
        self.claim = claim
        self.domain = domain
        self.members: list[Plain] = []
        self._answer = answer
        self._cases = cases

    def answer(self, card: DomainCard, classify: Classify) -> None:
        """Answer the members, now that it is known that nobody can be asked about them."""
        try:
            self.members = self._answer(self, card, classify)
        except Exception as error:  # a fault of ours; case by case it meets one entry at most
            _LOG.error("herd.failed", error=type(error).__name__, exc_info=True)

    def cases(self) -> list[Case]:
        """Return a case for each that is not answered, once."""
        cases = self._cases([_entry(member) for member in self.members])
        for case, member in zip(cases, self.members, strict=True):
            case.address = new(Address, (member.local_part, self.domain))
        self.members = []
        return cases

    def model(self, member: Plain, card: DomainCard) -> Case:
        """Return what a case of a member would be, but for the lists that it is on."""
        claim = self.claim
        case = Case(*_entry(member), claim.attempt, claim.quality, lambda _: None)
        case.address, case.card = Address(member.local_part, self.domain), card
        return case


Answer = Callable[[Herd, DomainCard, Classify], list[Plain]]
Cases = Callable[[Sequence[WorkEntry]], list[Case]]


class Herding:
    """Tells plain entries from others, by domain."""

    def __init__(self, fewest: int = FEWEST) -> None:
        """Domains with fewer plain entries in a claim have no herd."""
        self._fewest = fewest
        self._domains: dict[str, DomainName | None] = {}
        """By their text; None where an entry cannot be plain."""

    def part(
        self, claim: Claim, entries: Sequence[WorkEntry], answer: Answer, cases: Cases
    ) -> tuple[list[Herd], list[WorkEntry]]:
        """Return the plain ones of some entries of a claim by domain, and the others.

        `answer` and `cases` are those of the herds.
        """
        if len(self._domains) > MAX_DOMAINS:
            self._domains.clear()
        names = [entry[1].partition("@")[2] for entry in entries]
        often = {name for name, count in Counter(names).items() if count >= self._fewest}
        if not often:
            return [], list(entries)
        herds: dict[str, Herd] = {}
        others: list[WorkEntry] = []
        for entry, name in zip(entries, names, strict=True):
            if name not in often:
                others.append(entry)
                continue
            index, text, custom, original = entry
            local_part = text[: -len(name) - 1]
            herd = herds.get(name)
            if herd is None:
                domain = self._domain(name)
                if domain is not None:
                    herd = herds[name] = Herd(claim, domain, answer, cases)
            if herd is not None and original is None and is_plain_local_part(local_part):
                herd.members.append(new(Plain, (index, text, custom, local_part)))
            else:
                others.append(entry)
        for herd in herds.values():
            if len(herd.members) < self._fewest:
                others += [_entry(member) for member in herd.members]
        return [herd for herd in herds.values() if len(herd.members) >= self._fewest], others

    def _domain(self, name: str) -> DomainName | None:
        """Return a domain that is shown as it was sent and whose provider has no rules."""
        if name in self._domains:
            return self._domains[name]
        domain = None
        if len(name) <= MAX_PLAIN_DOMAIN:
            address = parse(f"a@{name}")
            if isinstance(address, Address) and address.domain.ascii == name and is_plain(address):
                domain = address.domain
            self._domains[name] = domain
        return domain


def _entry(member: Plain) -> WorkEntry:
    """Return the entry that a member was; it is no duplicate."""
    index, text, custom, _ = member
    return new(WorkEntry, (index, text, custom, None))
