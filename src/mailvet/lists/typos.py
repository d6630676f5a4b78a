"""What a mistyped domain was meant to be: near a provider, with a broken suffix, or neither.

A correction that is wrong costs more than one that is missing, so whatever is known to be real
is left alone and short names are only mended in their suffix.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from mailvet.lists.misspelling import finger_cost, slip_cost
from mailvet.lists.targets import Knowledge, Target, knowledge, letters_of

MAX_SUGGESTIONS = 3
_REMEMBERED_DOMAINS = 50_000
"""A list of a million addresses repeats its domains; an answer is a few bytes."""

_JUNK = re.compile(r"[\s,;:/\\|!?*'\"()<>`]+")
"""Signs that are typed for a dot, or slip in while copying."""
_DOTS = re.compile(r"\.{2,}")

_SHORTEST_MENDED = 4
"""Every name of three letters is somebody's: only its suffix is mended."""
_SHORT_NAME_LIMIT = 1.35
"""Two slips in four letters leave nothing to recognise."""
_OTHER_SUFFIX_LIMIT = 1.1
"""A misspelt name with another suffix must be nearer: it may be real in that country."""
_HEAD_LIMIT = 1.8
"""Slips before a common ending (hot|mail): what is left of the name has to be recognised."""
_TAIL = "mail"

_RANK_COST = 0.004
"""What one place down the list of targets costs: decides between equals, never more."""
_SUFFIX_RANK_COST = 0.01
_OTHER_SUFFIX = 0.5
_BROKEN_SUFFIX = 0.2
_DEAREST_SUFFIX = 1.7
"""`cin` is `com` (1.2); what is further away is another word."""
_DEAREST_COUNTRY = 1.2
"""Two letters bear one slip: `lan` is not `in`."""
_MUCH_WORSE = 0.5
"""What is further behind the best guess helps nobody."""

_CUT_SUFFIXES = {"com": frozenset({"co", "cm", "om"}), "net": frozenset({"ne", "et", "nt"})}
"""Suffixes, of countries by chance, that are another with a letter missing."""
_COUNTRY = 2
"""Letters of a country's suffix (ISO 3166-1)."""
_WORLDWIDE = frozenset({"com", "net", "org"})
_SECOND_LEVELS = frozenset({"co", "com", "net", "org", "ac", "gov", "edu"})


def suggest(local_part: str, domain: str) -> tuple[str, ...]:
    """Return the addresses that were probably meant, best first; empty when the domain is fine.

    `domain` is in lower-case A-labels. Nothing is asked of the network: a domain that nobody
    knows is only mended where its suffix does not exist or a provider is a slip away.
    """
    found = suggest_domains(domain)
    return tuple([f"{local_part}@{meant}" for meant in found]) if found else ()


@lru_cache(_REMEMBERED_DOMAINS)
def suggest_domains(domain: str) -> tuple[str, ...]:
    """Return the domains that were probably meant, best first, at most three."""
    known = knowledge()
    cleaned = _cleaned(known, domain.lower())
    found: list[str] = []
    if cleaned and cleaned not in known.real:
        found = _respelt(known, cleaned) or _unknown(known, cleaned)
    if not found and cleaned and cleaned != domain.lower():
        found = [cleaned]
    return tuple(found[:MAX_SUGGESTIONS])


def _cleaned(known: Knowledge, domain: str) -> str:
    """The domain without signs that cannot be in one, and without the `www.` of a known one."""
    if _is_clean(domain):
        return domain
    if domain.startswith("["):
        return ""
    cleaned = _DOTS.sub(".", _JUNK.sub(".", domain)).strip(".-")
    bare = cleaned.removeprefix("www.")
    return bare if bare in known.real else cleaned


def _is_clean(domain: str) -> bool:
    """Whether a lower-case domain has nothing odd in it; an expression takes five times as long."""
    letters = _letters(domain)
    if not (letters.isascii() and letters.isalnum()) or ".." in domain:
        return False
    return domain[0].isalnum() and domain[-1].isalnum() and not domain.startswith("www.")


def _respelt(known: Knowledge, domain: str) -> list[str]:
    """Targets with a dot or hyphen too few or too many: `gmailcom`, `hot.mail.com`."""
    same: Sequence[Target] = _by_letters().get(_letters(domain), ())
    if domain in known.by_name and domain not in known.suffixes:
        same = [*same, *known.by_name[domain]]
    if not same:
        return []
    return [target.domain for target in sorted(set(same), key=lambda target: target.rank)]


@cache
def _by_letters() -> dict[str, list[Target]]:
    """The targets whose names are long enough to be told by their letters alone."""
    found: dict[str, list[Target]] = {}
    for target in knowledge().targets.values():
        if len(target.name) > _SHORTEST_MENDED:
            found.setdefault(_letters(target.domain), []).append(target)
    return found


def _letters(domain: str) -> str:
    return domain.replace(".", "").replace("-", "")


def _unknown(known: Knowledge, domain: str) -> list[str]:
    """Corrections of a domain on no list: its suffix is mended first, then its name."""
    if known.is_below_real(domain):
        return []
    name, _, suffix = domain.partition(".")
    is_broken = not known.has_suffix(domain)
    if not known.is_suffix(suffix) and (same := _same_name(known, name, suffix)):
        return same
    mended = _mended_suffix(known, domain) if is_broken else None
    if mended in known.real:
        return [mended]
    near = _near_targets(known, mended or domain) or (mended and _near_targets(known, domain))
    return near or ([mended] if mended else [])


def _same_name(known: Knowledge, name: str, suffix: str) -> list[str]:
    """Targets of that very name whose suffix is near the broken one: `wp.ol`, `centrum.xz`."""
    named_so = known.by_name.get(name)
    if not named_so:
        return []
    priced = sorted(
        (finger_cost(suffix, target.suffix) + target.rank * _RANK_COST, target.domain)
        for target in named_so
    )
    return [meant for cost, meant in priced[:1] if cost <= _DEAREST_SUFFIX]


def _near_targets(known: Knowledge, domain: str) -> list[str]:
    name, _, suffix = domain.partition(".")
    if not suffix or not _is_suffix_like(known, suffix):
        return []
    priced = sorted((*_distinctive(known, name, suffix), *_ordinary(known, name, suffix)))
    limit = priced[0][0] + _MUCH_WORSE if priced else 0.0
    return [meant for cost, meant in priced if cost <= limit]


def _distinctive(known: Knowledge, name: str, suffix: str) -> Iterator[tuple[float, str]]:
    """Prices and domains of the distinctive names that this one may stand for."""
    # gmailcom.br: the end of the meant domain stuck to its name.
    name = name.removesuffix("com") if name.removesuffix("com") in known.distinctive else name
    letters = letters_of(name)
    for targets in known.distinctive.values():
        first = targets[0]
        if not _may_be(name, letters, first, max_letters=5):
            continue
        cost = _name_cost(name, first.name)
        if cost > first.limit:
            continue
        for target in targets:
            if target.suffix == suffix:
                yield cost + target.rank * _RANK_COST, target.domain
            elif _bears_other_suffix(known, name, cost, suffix, target):
                price = cost + _suffix_cost(suffix, target.suffix)
                yield price + target.rank * _RANK_COST, target.domain


def _ordinary(known: Knowledge, name: str, suffix: str) -> Iterator[tuple[float, str]]:
    """Prices and domains of other targets: one small slip, the suffix right or cut short."""
    letters = letters_of(name)
    for target in known.ordinary.get(suffix, ()):
        if _may_be(name, letters, target, max_letters=2):
            is_coined = target.name in known.coined
            cost = (slip_cost if is_coined else finger_cost)(name, target.name)
            if cost <= target.limit and (is_coined or name[0] == target.name[0]):
                yield cost + target.rank * _RANK_COST, target.domain
    for target in known.by_name.get(name, ()):
        if _is_cut(suffix, target.suffix) or _is_swapped(known, suffix, target):
            yield _OTHER_SUFFIX, target.domain


def _is_cut(suffix: str, meant: str) -> bool:
    """Whether a suffix, of some country by chance, is another with a letter missing."""
    return suffix in _CUT_SUFFIXES.get(meant, ())


def _is_swapped(known: Knowledge, suffix: str, target: Target) -> bool:
    """`sbcglobal.com`: a coined name with another of the suffixes that all the world uses."""
    is_telling = target.name in known.coined and len(target.name) > _SHORTEST_MENDED
    return is_telling and {suffix, target.suffix} <= _WORLDWIDE


def _may_be(name: str, letters: int, target: Target, *, max_letters: int) -> bool:
    """Whether a closer look is worth its time."""
    if name == target.name:
        return True
    return (
        len(name) >= _SHORTEST_MENDED
        and -3 <= len(name) - len(target.name) <= 4
        and (target.letters ^ letters).bit_count() <= max_letters
    )


def _name_cost(name: str, meant: str) -> float:
    cost = slip_cost(name, meant)
    if name.endswith(_TAIL) and meant.endswith(_TAIL):
        head = finger_cost(name.removesuffix(_TAIL), meant.removesuffix(_TAIL))
        return cost if head <= _HEAD_LIMIT or cost <= _OTHER_SUFFIX else 9.0
    return cost if len(name) > _SHORTEST_MENDED or cost <= _SHORT_NAME_LIMIT else 9.0


def _bears_other_suffix(
    known: Knowledge, name: str, cost: float, suffix: str, target: Target
) -> bool:
    """Whether a name stands for a target although another suffix follows.

    A misspelt first letter speaks against it: fmail.co.uk is a provider of its own.
    """
    if name == target.name:
        is_country = known.is_suffix(suffix) and len(suffix.rpartition(".")[2]) == _COUNTRY
        return name not in known.national or _is_cut(suffix, "com") or not is_country
    return cost <= _OTHER_SUFFIX_LIMIT and name[0] == target.name[0]


def _suffix_cost(suffix: str, meant: str) -> float:
    if suffix.startswith(f"{meant}."):
        return _OTHER_SUFFIX
    return _OTHER_SUFFIX + _BROKEN_SUFFIX * min(finger_cost(suffix, meant), 3.0)


def _is_suffix_like(known: Knowledge, suffix: str) -> bool:
    """Whether every label could be, or could have been meant as, part of a public suffix."""
    return all(len(label) <= 3 or known.is_suffix(label) for label in suffix.split("."))


def _mended_suffix(known: Knowledge, domain: str) -> str | None:
    """The domain with a suffix that exists, where one is near its own."""
    head, _, last = domain.rpartition(".")
    if not head:
        return _dotted(known, domain)
    if last in known.private:
        return None
    name, _, second = head.rpartition(".")
    if name and second in _SECOND_LEVELS:
        mended = _nearest_suffix(known, f"{second}.{last}", dots=1)
        return f"{name}.{mended}" if mended else None
    mended = _nearest_suffix(known, last, dots=0)
    return f"{head}.{mended}" if mended else None


def _nearest_suffix(known: Knowledge, suffix: str, *, dots: int) -> str | None:
    priced = [
        (_mending_cost(suffix, common) + rank * _SUFFIX_RANK_COST, common)
        for rank, common in enumerate(known.suffixes)
        if common.count(".") == dots or _letters(common) == suffix
    ]
    cost, nearest = min(priced)
    limit = _DEAREST_SUFFIX if len(nearest) > _COUNTRY else _DEAREST_COUNTRY
    return nearest if cost <= limit else None


def _mending_cost(suffix: str, common: str) -> float:
    return 0.0 if suffix == _letters(common) else finger_cost(suffix, common)


def _dotted(known: Knowledge, label: str) -> str | None:
    """`examplenet` with its dot; only the three oldest suffixes end no ordinary word by chance."""
    for suffix in known.suffixes[:3]:
        if label.endswith(suffix) and len(label) > len(suffix) + 1:
            return f"{label.removesuffix(suffix)}.{suffix}"
    return None
