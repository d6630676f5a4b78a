"""Which entries of a batch repeat others, and which of the others are at which domain; no I/O.

What is remembered is bounded by whoever hands the entries in, a part of the keys at a time, and by
`MAX_DOMAINS`: of more domains than that only the store can make an order.
"""

from collections.abc import Sequence

from mailvet.store.chunks import Indexes, packed

MAX_DOMAINS = 100_000
"""Told apart at once: some 25 MB."""


class Sifting:
    """What was found of a batch so far."""

    __slots__ = (
        "_domains",
        "_kept",
        "_max_domains",
        "_repeats",
        "duplicates",
        "originals",
        "without",
    )

    def __init__(self, entry_count: int, max_domains: int = MAX_DOMAINS) -> None:
        self.duplicates: Indexes = packed()
        self.originals: Indexes = packed()
        """The entry that is kept, for each duplicate."""
        self.without: Indexes = packed()
        """Entries without a domain that repeat no other."""
        self._repeats = bytearray(entry_count)  # 1 where the entry is a duplicate
        self._kept: dict[int, int] = {}
        self._domains: dict[str, Indexes] | None = {}
        self._max_domains = max_domains

    def see(self, indexes: Sequence[int], keys: Sequence[int], domains: Sequence[str]) -> None:
        """Take entries in; of those with one key the first is kept, whatever comes later.

        The key 0 is nobody's duplicate.
        """
        kept, repeats, by_domain = self._kept, self._repeats, self._domains
        duplicates, originals, without = self.duplicates, self.originals, self.without
        for index, key, domain in zip(indexes, keys, domains, strict=True):
            if key:
                first = kept.setdefault(key, index)
                if first != index:
                    repeats[index] = 1
                    duplicates.append(index)
                    originals.append(first)
                    continue
            if not domain:
                without.append(index)
            elif by_domain is not None:
                same = by_domain.get(domain)
                if same is None:
                    by_domain[domain] = packed((index,))
                else:
                    same.append(index)
        if by_domain is not None and len(by_domain) > self._max_domains:
            self._domains = None

    def forget_keys(self) -> None:
        """Forget who is kept: no key that was seen comes again."""
        self._kept = {}

    def is_repeat(self, index: int) -> bool:
        """Whether an entry is a duplicate."""
        return bool(self._repeats[index])

    def by_domain(self) -> "Indexes | None":
        """Return the entries with a domain that repeat no other, in order of domain and index.

        None when there are more domains than could be told apart.
        """
        if self._domains is None:
            return None
        order = packed()
        for domain in sorted(self._domains):
            order.extend(sorted(self._domains[domain]))
        return order
