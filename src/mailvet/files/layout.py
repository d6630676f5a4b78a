"""Where the header and the address column of a table are, told from its first rows.

What is dropped by mistake is lost, what is kept by mistake is merely a bad address: a first row
counts as header only when it can be nothing else.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mailvet.files.refusal import FileRefused
from mailvet.files.rows import RawRow, ReadOptions

ADDRESS = re.compile(
    r"\s*(?:mailto:)?(?:[^<>@]*<)?[^\s@,;|<>\t]+@[^\s@,;|<>\t]+\.[^\s@,;|<>\t]+>?\s*", re.IGNORECASE
)
"""Only for guessing; what an address is, `syntax` says."""
_DOMAIN_LIKE = re.compile(r"\S+\.[A-Za-z]{2,}\Z")
_NUMBER_LIKE = re.compile(r"[\d\s.,:/+-]+\Z")
HEADER_SEARCH_ROWS = 10
"""Exports put a title, a date and a blank line or two above the header, seldom more."""
EXACT_WEIGHT, CONTAINING_WEIGHT = 0.6, 0.3
"""Content that is mostly addresses (1.0) outweighs a name, a name outweighs stray addresses."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out."""

    header_at: int | None
    """Index of the header among the sample rows; what stands above it is no data."""
    names: tuple[str, ...]
    column: int
    reason: str


def looks_like_address(cell: str) -> bool:
    """Whether a cell is shaped like an address, good or bad."""
    return ADDRESS.fullmatch(cell) is not None


def find_layout(sample: Sequence[RawRow], options: ReadOptions, name: str) -> Layout:
    """Return where header and addresses are; `sample` are the first rows, blank ones among them.

    Raises FileRefused when the column that is asked for is not there, or when none is asked for
    and none looks like addresses.
    """
    header_at = _header_at(sample, options)
    below = [row.cells for row in sample[0 if header_at is None else header_at + 1 :]]
    names = _names(sample[header_at].cells if header_at is not None else [], below)
    column, reason = _column(names, below, header_at is not None, options, name)
    return Layout(header_at, names, column, reason)


def name_weight(text: str) -> float:
    """How much a column's name says that it holds addresses: 0, a little, or much."""
    exact, containing = _header_names()
    folded = _folded(text)
    if folded in exact:
        return EXACT_WEIGHT
    return CONTAINING_WEIGHT if any(word in folded for word in containing) else 0.0


@cache
def _header_names() -> tuple[frozenset[str], tuple[str, ...]]:
    text = (files("mailvet.files") / "data" / "header_names.toml").read_text("utf-8")
    loaded = tomllib.loads(text)
    return frozenset(map(_folded, loaded["exact"])), tuple(loaded["containing"])


def _folded(text: str) -> str:
    """Letters and digits only, without accents, lower case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def _header_at(sample: Sequence[RawRow], options: ReadOptions) -> int | None:
    if options.header is False:
        return None
    filled = [at for at, row in enumerate(sample) if any(map(str.strip, row.cells))]
    if options.header and filled:
        return _named_header(sample, filled, options) or filled[0]
    found = _named_header(sample, filled, options)
    if found is not None or not filled:
        return found
    return filled[0] if _can_only_be_names(sample, filled) else None


def _named_header(sample: Sequence[RawRow], filled: list[int], options: ReadOptions) -> int | None:
    """The first row with a name for addresses, before any address."""
    for at in filled[:HEADER_SEARCH_ROWS]:
        cells = sample[at].cells
        if any(map(looks_like_address, cells)):
            return None
        if any(name_weight(cell) == EXACT_WEIGHT for cell in cells):
            return at
        if isinstance(options.column, str) and _index_of(options.column, cells) is not None:
            return at
        if len(cells) > 1 and any(map(name_weight, cells)) and _are_names(cells):
            return at
    return None


def _can_only_be_names(sample: Sequence[RawRow], filled: list[int]) -> bool:
    """Whether the first filled row is a header though none of its names is known."""
    first = sample[filled[0]].cells
    if len([cell for cell in first if cell.strip()]) < 2 or not _are_names(first):
        return False
    return any(looks_like_address(cell) for at in filled[1:] for cell in sample[at].cells)


def _are_names(cells: Sequence[str]) -> bool:
    given = [cell.strip() for cell in cells if cell.strip()]
    return len(set(given)) == len(given) and not any(
        "@" in cell or _DOMAIN_LIKE.fullmatch(cell) or _NUMBER_LIKE.fullmatch(cell)
        for cell in given
    )


def _names(header: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Unique names: those of the header, `column_3` where there is none, `name_2` for a second."""
    width = max([len(header), *(len(cells) for cells in below)], default=0)
    given = [cell.strip() for cell in header] + [""] * (width - len(header))
    taken: set[str] = set()
    for at, text in enumerate(given):
        wanted = plain = text or f"column_{at + 1}"
        count = 2
        while wanted in taken:
            wanted, count = f"{plain}_{count}", count + 1
        taken.add(wanted)
        given[at] = wanted
    return tuple(given)


def _column(
    names: tuple[str, ...],
    below: Sequence[Sequence[str]],
    has_header: bool,
    options: ReadOptions,
    name: str,
) -> tuple[int, str]:
    if options.column is not None:
        return _asked_column(names, options.column, name), "as asked"
    if len(names) <= 1:
        return 0, "the only one"
    weights = [name_weight(text) if has_header else 0.0 for text in names]
    shares = [_share(below, at) for at in range(len(names))]
    scores = [weight + share for weight, share in zip(weights, shares, strict=True)]
    best = max(range(len(names)), key=lambda at: (scores[at], -at))
    if not scores[best]:
        raise FileRefused(name, f"no column looks like addresses: name one of {_listed(names)}")
    by_name = "its name" if weights[best] else ""
    by_content = f"{shares[best]:.0%} of its cells look like addresses" if shares[best] else ""
    return best, ", ".join(filter(None, (by_name, by_content)))


def _asked_column(names: tuple[str, ...], asked: str | int, name: str) -> int:
    found = asked if isinstance(asked, int) else _index_of(asked, names)
    if found is None or not 0 <= found < max(len(names), 1):
        told = f"number {found + 1}" if isinstance(found, int) else repr(asked)
        raise FileRefused(name, f"there is no column {told}: it has {_listed(names)}")
    return found


def _index_of(asked: str, names: Sequence[str]) -> int | None:
    """Exactly so first, then whatever the case."""
    for fold in (str.strip, lambda text: text.strip().casefold()):
        wanted = fold(asked)
        for at, text in enumerate(names):
            if fold(text) == wanted:
                return at
    return None


def _share(below: Sequence[Sequence[str]], at: int) -> float:
    cells = [cells[at] for cells in below if at < len(cells) and cells[at].strip()]
    return sum(map(looks_like_address, cells)) / len(cells) if cells else 0.0


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(text[:40]) for text in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "no columns"
