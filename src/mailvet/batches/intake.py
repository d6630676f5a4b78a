"""From a line of a list to the entry the store keeps: parsed once, its duplicates key hashed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from struct import unpack
from typing import NamedTuple

from mailvet.errors import Unavailable
from mailvet.model.address import SyntaxFault
from mailvet.model.batch import Entry
from mailvet.model.named import new
from mailvet.model.status import Deduplication
from mailvet.store.hindrances import MEMORY_SHORT
from mailvet.syntax import (
    bare_domain,
    check_provider_syntax,
    domain_key,
    duplicate_key,
    glance,
    parse,
)

SLICE = 500
"""Entries parsed in one go: about 2 ms, so that the event loop stays answerable."""


SHORT_RETRY_S = 5.0
"""About the time of a window of entries."""


Hindrances = Sequence[tuple[str, str]]


class RawEntry(NamedTuple):
    """One entry as the caller sent it."""

    input_data: str
    custom: str = ""
    labels: str = ""
    """The other columns of its row in a file, as JSON."""


class Intake:
    """Makes entries; `secret` keys the hashes, so that nobody can craft colliding addresses."""

    def __init__(
        self, secret: bytes, hindrances: Callable[[], Awaitable[Hindrances]] | None = None
    ) -> None:
        """`hindrances` tells what holds up all work, as `Store.hindrances` does."""
        self._hindrances = hindrances
        self._keyed = blake2b(digest_size=8, key=secret, person=b"duplicates")

    async def take(
        self, raws: Sequence[RawEntry], mode: Deduplication, *, bare_domains: bool = False
    ) -> list[Entry]:
        """Return the entries in order; bad addresses are entries too.

        With `bare_domains` what is no address may be a domain.
        Raises `Unavailable` while memory is short: what is there has to be worked off first.
        """
        if self._hindrances is not None:
            _require_memory(await self._hindrances())
        entries: list[Entry] = []
        for start in range(0, len(raws), SLICE):
            if start:
                await asyncio.sleep(0)
            entries += self._slice(raws[start : start + SLICE], mode, bare_domains)
        return entries

    def _slice(
        self, raws: Sequence[RawEntry], mode: Deduplication, bare_domains: bool
    ) -> list[Entry]:
        if mode is Deduplication.SAFE:
            names = [glance(text) or _names(text, mode, bare_domains) for text, _, _ in raws]
        else:
            names = [_names(text, mode, bare_domains) for text, _, _ in raws]
        is_off = mode is Deduplication.OFF
        keys = [0] * len(raws) if is_off else self._hashes([name for name, _ in names])
        make, kind = new, Entry
        entries: list[Entry] = []
        for place, (text, custom, labels) in enumerate(raws):
            entries.append(make(kind, (text, custom, names[place][1], keys[place], labels)))
        return entries

    def _hashes(self, texts: Sequence[str]) -> list[int]:
        # A copy of the keyed state saves hashing the key once more for every entry.
        keyed = self._keyed.copy
        digests: list[bytes] = []
        for text in texts:
            state = keyed()
            state.update(text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass"))
            digests.append(state.digest())
        numbers = unpack(f">{len(digests)}Q", b"".join(digests))
        # 63 bits fit a signed integer column; 0 means "nobody's duplicate".
        return [number >> 1 or 1 for number in numbers]


def _names(text: str, mode: Deduplication, bare_domains: bool) -> tuple[str, str]:
    """Return the duplicates key of an entry, and its domain as `Entry` has it."""
    address = parse(text)
    if isinstance(address, SyntaxFault):
        domain = bare_domain(text) if bare_domains else None
        return ("\0" + text.strip(), "") if domain is None else (domain_key(domain), domain.ascii)
    if check_provider_syntax(address) is not None:
        return "\0" + text.strip(), ""
    return duplicate_key(address, mode), address.domain.ascii


def _require_memory(hindrances: Hindrances) -> None:
    for kind, detail in hindrances:
        if kind == MEMORY_SHORT:
            raise Unavailable(detail, retry_after_s=SHORT_RETRY_S, hindrance=kind)
