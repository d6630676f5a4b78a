"""The mail domains people mean when they mistype, and the real ones beside them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import count
from typing import NamedTuple, TypeVar

from publicsuffixlist import PublicSuffixList

from mailvet.lists.rows import expand, read_bundled, read_document

_SHORT = 4
"""Letters up to which a name that is a word is somebody's, whatever one letter is changed."""
_LONG = 7

_REMEMBERED_SUFFIXES = 8192
"""As many as the list has; what follows the first dot of a domain comes again and again."""

_Key = TypeVar("_Key")


def letters_of(name: str) -> int:
    """The different letters of a name as bits: two names are compared by one XOR."""
    bits = 0
    for letter in name:
        bits |= 1 << (ord(letter) & 63)
    return bits


class Target(NamedTuple):
    """A mail domain that people mean."""

    domain: str
    name: str
    suffix: str
    rank: int
    """0 is meant most often."""
    limit: float
    """How dear the slips in its name may be, when the suffix is right."""
    letters: int
    """The letters of the name, a bit each (`letters_of`)."""


class Knowledge(NamedTuple):
    """Everything that is known about mistyped domains."""

    targets: Mapping[str, Target]
    """By domain, most frequent first."""
    distinctive: Mapping[str, tuple[Target, ...]]
    """By name: meant whatever suffix follows."""
    ordinary: Mapping[str, tuple[Target, ...]]
    """By suffix: meant with their own suffix only."""
    by_name: Mapping[str, tuple[Target, ...]]
    coined: frozenset[str]
    """Names that are nobody else's, with any of the common suffixes."""
    national: frozenset[str]
    """Names of brands whose domains under other countries' suffixes may be real."""
    suffixes: tuple[str, ...]
    """Most frequent first."""
    private: frozenset[str]
    """Suffixes outside DNS, which are no slips."""
    real: frozenset[str]
    """Never corrected."""
    public: PublicSuffixList

    def is_suffix(self, text: str) -> bool:
        """Whether a text is on the Public Suffix List (publicsuffix.org, ICANN section)."""
        return _is_suffix(self.public, text)

    def has_suffix(self, domain: str) -> bool:
        """Whether the domain ends in a suffix of the Public Suffix List."""
        if self.is_suffix(domain.rpartition(".")[2]):  # and only some lesser ones are not
            return True
        return self.public.publicsuffix(domain, accept_unknown=False) is not None

    def is_below_real(self, domain: str) -> bool:
        """Whether what was registered of the domain is one that is never corrected."""
        name = domain
        while "." in name:
            if name in self.real:
                return self.public.privatesuffix(domain) in self.real
            name = name.partition(".")[2]
        return False


@lru_cache(_REMEMBERED_SUFFIXES)
def _is_suffix(public: PublicSuffixList, text: str) -> bool:
    return bool(public.publicsuffix(text, accept_unknown=False) == text)


@cache
def knowledge() -> Knowledge:
    """Return what the data files say, read once."""
    document = read_document("typos")
    tables = document["targets"]
    ranks = count()
    distinctive = _targets(tables["distinctive"], ranks, _distinctive_limit)
    coined = _targets(tables["coined"], ranks, lambda name: 1.1 if len(name) > _SHORT else 0.0)
    words = _targets(tables["words"], ranks, lambda name: 0.6 if len(name) > _SHORT else 0.0)
    targets = {target.domain: target for target in (*distinctive, *coined, *words)}
    return Knowledge(
        targets,
        _grouped(distinctive, lambda target: target.name),
        _grouped((*coined, *words), lambda target: target.suffix),
        _grouped(targets.values(), lambda target: target.name),
        frozenset(target.name for target in coined),
        frozenset(expand(tables["national"])),
        tuple(expand(document["suffixes"]["common"])),
        frozenset(expand(document["suffixes"]["private"])),
        _real(document["real"]).union(targets),
        PublicSuffixList(only_icann=True),
    )


def _targets(
    rows: str, ranks: Iterator[int], limit_of: Callable[[str], float]
) -> tuple[Target, ...]:
    parts = [(domain, *domain.partition(".")[::2]) for domain in expand(rows)]
    return tuple(
        Target(domain, name, suffix, next(ranks), limit_of(name), letters_of(name))
        for domain, name, suffix in parts
    )


def _distinctive_limit(name: str) -> float:
    """Two slips at most; in a short name they would reach too many words."""
    return 1.65 if len(name) < _LONG else 1.9


def _grouped(
    targets: Iterable[Target], key_of: Callable[[Target], _Key]
) -> Mapping[_Key, tuple[Target, ...]]:
    groups: dict[_Key, tuple[Target, ...]] = {}
    for target in targets:
        groups[key_of(target)] = (*groups.get(key_of(target), ()), target)
    return groups


def _real(tables: Mapping[str, str]) -> frozenset[str]:
    real = {f"{word}.com" for word in expand(tables["words_com"])}
    real.update(expand(tables["others"]))
    for name in ("free", "organisations", "masked"):
        real = real.union(*read_bundled(name).tables.values())
    return frozenset(real)


def is_great_provider(domain: str) -> bool:
    """Whether a domain in A-labels is one of the great mail providers, which do exist."""
    return domain in knowledge().targets
