"""From a line of a list to the entry the store keeps: parsed once, its duplicates key hashed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from mailvet.errors import Unavailable
from mailvet.model.address import SyntaxFault
from mailvet.model.batch import Entry
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

_new = tuple.__new__
"""Makes a named tuple in a third of the time that its own constructor takes."""

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
    ) -> Iterator[Entry]:
        if mode is not Deduplication.SAFE:
            yield from [self.entry(raw, mode, bare_domains=bare_domains) for raw in raws]
            return
        for raw in raws:
            text, custom, labels = raw
            seen = glance(text)
            if seen is None:
                yield self.entry(raw, mode, bare_domains=bare_domains)
            else:
                key, domain = seen
                yield _new(Entry, (text, custom, domain, self._hash(key), labels))

    def entry(self, raw: RawEntry, mode: Deduplication, *, bare_domains: bool = False) -> Entry:
        """Return one entry; its domain is empty where syntax or provider rules decide already."""
        text, custom, labels = raw
        address = parse(text)
        domain = bare_domain(text) if bare_domains and isinstance(address, SyntaxFault) else None
        if domain is not None:
            key = 0 if mode is Deduplication.OFF else self._hash(domain_key(domain))
            return Entry(text, custom, domain.ascii, key, labels)
        if isinstance(address, SyntaxFault) or check_provider_syntax(address) is not None:
            key = 0 if mode is Deduplication.OFF else self._hash("\0" + text.strip())
            return Entry(text, custom, "", key, labels)
        key = 0 if mode is Deduplication.OFF else self._hash(duplicate_key(address, mode))
        return Entry(text, custom, address.domain.ascii, key, labels)

    def _hash(self, text: str) -> int:
        # A copy of the keyed state saves hashing the key once more for every entry.
        state = self._keyed.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        # 63 bits fit a signed integer column; 0 means "nobody's duplicate".
        return int.from_bytes(state.digest()) >> 1 or 1


def _require_memory(hindrances: Hindrances) -> None:
    for kind, detail in hindrances:
        if kind == MEMORY_SHORT:
            raise Unavailable(detail, retry_after_s=SHORT_RETRY_S, hindrance=kind)
