"""What each large mail provider makes of a local part, read once from `data/local_parts.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

_ANY_TAG = r"!-~"
"""Every printable ASCII character: providers with tags mostly do not look at them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider's rules; the fields are explained in the data file."""

    name: str
    source: str
    domains: tuple[str, ...]
    first: str
    middle: str
    last: str
    min_length: int
    max_length: int
    no_pairs: str
    digits_only: bool
    tag_signs: str
    tag_characters: str
    ignored: str
    same: tuple[str, ...]
    one_mailbox: bool
    plain: re.Pattern[str]
    """Matches most names that keep every rule, in one step; the rest is looked at slowly."""

    @property
    def main_domain(self) -> str:
        """The domain under which a mailbox of this provider is known."""
        return self.domains[0]

    def split_tag(self, local_part: str) -> tuple[str, str]:
        """Return the name and the tag without its sign; the tag is empty where there is none."""
        # From 1: a sign in front leaves no name for the tag to belong to.
        found = [local_part.find(sign, 1) for sign in self.tag_signs]
        first = min((index for index in found if index > 0), default=len(local_part))
        return local_part[:first], local_part[first + 1 :]


def _read(row: Mapping[str, Any]) -> Provider:
    middle = row["middle"]
    first = row.get("first", middle)
    last = row.get("last", middle)
    shortest = row.get("min", 1)
    return Provider(
        name=row["name"],
        source=row["source"],
        domains=tuple(row["domains"].split()),
        first=first,
        middle=middle,
        last=last,
        min_length=shortest,
        max_length=row["max"],
        no_pairs=row.get("no_pairs", ""),
        digits_only=row.get("digits_only", False),
        tag_signs=row.get("tag", ""),
        tag_characters=row.get("tag_characters", _ANY_TAG),
        ignored=row.get("ignored", ""),
        same=tuple(row.get("same", ())),
        one_mailbox=row.get("one_mailbox", False),
        plain=_plain(row, first, last),
    )


def _plain(row: Mapping[str, Any], first: str, last: str) -> re.Pattern[str]:
    ignored = "".join(map(re.escape, row.get("ignored", "")))
    unpaired = "".join(map(re.escape, row.get("no_pairs", "")))
    counted = f"[{row['middle']}]"
    if ignored:
        counted = f"(?:(?![{ignored}]){counted}[{ignored}]*+)"
    pairs = f"(?!.*[{unpaired}]{{2}})" if unpaired else ""
    length = f"{{{row.get('min', 1)},{row['max']}}}"
    pattern = f"{pairs}(?=[{first}]){counted}{length}(?<=[{last}])"
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _load() -> Mapping[str, Provider]:
    text = files("mailvet.syntax").joinpath("data/local_parts.toml").read_text("utf-8")
    rows = map(_read, tomllib.loads(text)["provider"])
    return MappingProxyType({domain: row for row in rows for domain in row.domains})


PROVIDERS: Mapping[str, Provider] = _load()
"""By domain, in lower-case ASCII."""
