"""Which lists an address is on: disposable, free, masked, role; and the kinds that follow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mailvet.lists.roles import RoleWords
from mailvet.lists.rows import ListFile
from mailvet.lists.suffixes import registered
from mailvet.model.status import LocalPartType, ProviderType

MAX_REMEMBERED_DOMAINS = 50_000
"""About 20 MB; mail lists repeat their domains, and a missed one costs a few microseconds."""

MAX_REMEMBERED_ROLES = 16_384
"""A few MB; functions are called the same everywhere."""

ORDER = ("masked", "disposable", "organisations", "allow", "free")
"""When several lists hold the same name, the first of these decides."""

_KINDS = {
    "masked": ProviderType.MASKED,
    "disposable": ProviderType.DISPOSABLE,
    "organisations": ProviderType.CORPORATE,
    "allow": ProviderType.UNKNOWN,
    "free": ProviderType.FREEMAIL,
}
_PUBLIC_BODIES = frozenset({"edu", "gov", "mil", "int", "ac", "gob", "gouv", "gub", "bank"})
"""Registries that give such names to institutions only."""


class Hit(NamedTuple):
    """One row of a list that the address is on."""

    list: str
    row: str
    source: str
    date: str


class Membership(NamedTuple):
    """What the lists say about one address."""

    is_disposable: bool
    is_free: bool
    is_masked: bool
    is_role_account: bool
    provider_type: ProviderType
    local_part_type: LocalPartType
    hits: tuple[Hit, ...]
    """Those of the domain, then that of the role."""
    of_all_roles: "Membership | None" = None
    """Of a role: the same without its own hit, one object for all roles of the domain (or of all
    domains that are on no list)."""


@dataclass(frozen=True, slots=True)
class DomainList:
    """One list of domains; a row also stands for every name below it."""

    name: str
    """One of `ORDER`."""
    source: str
    licence: str
    date: str
    rows: frozenset[str]


class Lists:
    """All lists in force. Never changes: to reload, build another and put it in its place."""

    def __init__(
        self,
        domain_lists: Sequence[DomainList],
        roles: RoleWords,
        role_file: ListFile,
        optout: DomainList | None = None,
    ) -> None:
        """`role_file` is where `roles` come from, for the evidence; `optout` has the domains and
        exchangers that asked not to be probed."""
        self.optout = optout
        self.domain_lists = tuple(sorted(domain_lists, key=lambda each: ORDER.index(each.name)))
        self._roles = roles
        self.role_file = role_file
        registered("example.org")  # reads the list of suffixes now, and not amid the first batch
        self._remembered: dict[str, Membership] = {}
        self._variants: dict[tuple[int, LocalPartType], tuple[Membership, Membership]] = {}
        """By the identity of the domain's, which is held beside the variant."""
        self._of_roles: dict[tuple[int, str], Membership] = {}
        """By the identity of what all roles share, which each holds, and the role."""
        self._unlisted: dict[ProviderType, Membership] = {}
        """Domains on no list: all that are of one kind share one object."""

    def classify(self, local_part: str, domain_ascii: str) -> Membership:
        """Return what the lists say about an address whose domain is in lower-case A-labels.

        The name nearest to the domain decides, up to the registrable domain; at one name the
        order is masked, disposable, free. An address literal is on no list.
        """
        by_domain = self._remembered.get(domain_ascii)
        if by_domain is None:
            by_domain = self._remember(domain_ascii)
        name, plus, _ = local_part.lower().partition("+")
        if self._roles.is_role(name):
            return self._as_role(self._variant(by_domain, LocalPartType.ROLE), name)
        if plus and name:
            return self._variant(by_domain, LocalPartType.PLUS_ADDRESSING)
        if name.isdecimal():
            return self._variant(by_domain, LocalPartType.NUMERICAL)
        return by_domain

    def opts_out(self, domain_ascii: str, hosts: Iterable[str]) -> bool:
        """Whether a domain, one of its exchangers, or a name above them asked not to be probed."""
        if self.optout is None or not self.optout.rows:
            return False
        rows = self.optout.rows
        return any(name in rows for host in (domain_ascii, *hosts) for name in _names_above(host))

    def _variant(self, by_domain: Membership, kind: LocalPartType) -> Membership:
        """The same object every time, so that equal ones are told by their identity."""
        key = (id(by_domain), kind)
        found = self._variants.get(key)
        if found is None:
            if len(self._variants) >= MAX_REMEMBERED_DOMAINS:
                self._variants.clear()
            found = self._variants[key] = (by_domain, _typed(by_domain, kind))
        return found[1]

    def _as_role(self, shared: Membership, name: str) -> Membership:
        key = (id(shared), name)
        found = self._of_roles.get(key)
        if found is None:
            if len(self._of_roles) >= MAX_REMEMBERED_ROLES:
                self._of_roles.clear()
            role = self.role_file
            hit = Hit("roles", name, role.source, role.date)
            found = shared._replace(hits=(*shared.hits, hit), of_all_roles=shared)
            self._of_roles[key] = found
        return found

    def _remember(self, domain: str) -> Membership:
        if len(self._remembered) >= MAX_REMEMBERED_DOMAINS:
            self._remembered.clear()
        membership = self._remembered[domain] = self._of_domain(domain)
        return membership

    def _of_domain(self, domain: str) -> Membership:
        kind, hits = self._nearest(domain)
        if hits:
            return self._membership(kind, hits)
        unlisted = self._unlisted.get(kind)
        if unlisted is None:
            unlisted = self._unlisted[kind] = self._membership(kind, ())
        return unlisted

    def _membership(self, kind: ProviderType, hits: tuple[Hit, ...]) -> Membership:
        return Membership(
            is_disposable=kind is ProviderType.DISPOSABLE,
            is_free=kind is ProviderType.FREEMAIL,
            is_masked=kind is ProviderType.MASKED,
            is_role_account=False,
            provider_type=kind,
            local_part_type=LocalPartType.STANDARD,
            hits=hits,
        )

    def _nearest(self, domain: str) -> tuple[ProviderType, tuple[Hit, ...]]:
        for name in self._lineage(domain) if self._may_be_listed(domain) else ():
            holders = [each for each in self.domain_lists if name in each.rows]
            if holders:
                first = holders[0].name
                same = (each for each in holders if each.name == first)
                hits = tuple(Hit(each.name, name, each.source, each.date) for each in same)
                return _KINDS[first], hits
        if not _PUBLIC_BODIES.isdisjoint(domain.split(".")[-2:]):
            return ProviderType.CORPORATE, ()
        return ProviderType.UNKNOWN, ()

    def _may_be_listed(self, domain: str) -> bool:
        """Whether the domain or any parent is: most are not, and what was registered of them is
        dear to find."""
        lists = self.domain_lists
        name = domain
        while name:
            for each in lists:
                if name in each.rows:
                    return True
            name = name.partition(".")[2]
        return False

    def _lineage(self, domain: str) -> Iterator[str]:
        """The domain and its parents, the registrable domain last (publicsuffix.org)."""
        top = registered(domain) or domain
        name = domain
        while len(name) > len(top):
            yield name
            name = name.partition(".")[2]
        yield top


def _names_above(name: str) -> Iterator[str]:
    """The name and its parents."""
    name = name.rstrip(".").lower()
    while name:
        yield name
        name = name.partition(".")[2]


def _typed(membership: Membership, kind: LocalPartType) -> Membership:
    """The same with another type of local part; `_replace` takes three times as long."""
    return Membership(
        membership.is_disposable,
        membership.is_free,
        membership.is_masked,
        kind is LocalPartType.ROLE,
        membership.provider_type,
        kind,
        membership.hits,
    )
