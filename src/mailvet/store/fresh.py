"""What was taken in of late, compact and in memory: most of it is cut and claimed soon after.

It is told of committed entries only, in the order of their commits, and forgets a batch of which
it missed some, or whose entries were changed or erased. What it does not have is read from the
file, so it may forget anything at any time.
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from mailvet.model.batch import Entry

MAX_BYTES = 64 << 20
"""Of all batches together; a million entries of the usual length have 40 MB."""

MAX_DOMAINS = 100_000
"""Of one batch; each costs a hundred bytes, and of more than that the file makes the plan."""

_EACH = 8 + 4 + 4 + 4
"""Bytes of numbers that an entry has beside its texts."""


class Appended(NamedTuple):
    """Entries that were added to a batch, one or more, by column."""

    key: int
    """Of the batch."""
    start: int
    """The index of the first."""
    texts: Sequence[str]
    customs: Sequence[str]
    domains: Sequence[str]
    keys: Sequence[int]
    labels: Sequence[str]


def appended(key: int, start: int, entries: Sequence[Entry]) -> Appended:
    """Return entries by column."""
    return Appended(
        key,
        start,
        [entry[0] for entry in entries],
        [entry[1] for entry in entries],
        [entry[2] for entry in entries],
        [entry[3] for entry in entries],
        [entry[4] for entry in entries],
    )


class Texts:
    """Texts by their number, one after the other in one piece of memory.

    They are kept as UTF-8, but in a string of one character for each byte: parts of a string are
    had sooner than parts of bytes.
    """

    __slots__ = ("_ends", "_parts", "size")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._ends = array("I", (0,))
        self.size = 0
        """The bytes of all texts."""

    def extend(self, texts: Sequence[str]) -> None:
        """Add texts at the end."""
        joined = "".join(texts)
        if not joined:
            self._ends += array("I", (self.size,)) * len(texts)
            return
        if joined.isascii():
            lengths = list(map(len, texts))
        else:
            lengths = [len(text.encode()) for text in texts]
            joined = joined.encode().decode("latin-1")
        self._ends.pop()
        self._ends.extend(array("I", list(accumulate(lengths, initial=self.size))))
        self._parts.append(joined)
        self.size += len(joined)

    def pick(self, numbers: Sequence[int]) -> list[str]:
        """Return the texts with these numbers."""
        if not self.size:
            return [""] * len(numbers)
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        joined, ends = self._parts[0], self._ends
        picked: list[str] = []
        for number in numbers:
            start: int = ends[number]
            stop: int = ends[number + 1]
            text = joined[start:stop]
            picked.append(text if text.isascii() else text.encode("latin-1").decode())
        return picked


class Recent:
    """The entries of one batch, from the first on."""

    __slots__ = ("_names", "_numbers", "_of_domain", "customs", "keys", "texts")

    def __init__(self) -> None:
        self.texts = Texts()
        """What was sent, by index."""
        self.customs = Texts()
        """What the caller calls them, by index."""
        self.keys = array("q")
        """Their duplicates keys."""
        self._numbers = array("I")
        self._names: list[str] = []
        self._of_domain: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.keys)

    @property
    def size(self) -> int:
        """About how many bytes they have."""
        return self.texts.size + self.customs.size + _EACH * self.count

    def extend(self, added: Appended) -> bool:
        """Add entries at the end; False when they have too many domains."""
        self.texts.extend(added.texts)
        self.customs.extend(added.customs)
        self.keys.extend(array("q", added.keys))
        known, names = self._of_domain, self._names
        numbers: list[int] = []
        for domain in added.domains:
            number = known.get(domain, -1)
            if number < 0:
                number = known[domain] = len(names)
                names.append(domain)
            numbers.append(number)
        self._numbers.extend(array("I", numbers))
        return len(names) <= MAX_DOMAINS

    def domains(self, start: int, stop: int) -> list[str]:
        """Return the domains of the entries from `start` to before `stop`."""
        names = self._names
        return [names[number] for number in self._numbers[start:stop]]


class Fresh:
    """Entries by the key of their batch; of what was not touched the longest is forgotten first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._batches: dict[int, Recent] = {}
        self._size = 0

    def note(self, added: Appended) -> None:
        """Hear of entries that were committed."""
        recent = self._batches.pop(added.key, None) or Recent()
        self._size -= recent.size
        if recent.count == added.start and recent.extend(added):
            self._batches[added.key] = recent
            self._size += recent.size
        while self._size > self._max_bytes:
            self.drop(next(iter(self._batches)))

    def of(self, key: int) -> Recent | None:
        """Return what is remembered of a batch: its entries up to some index, if anything."""
        return self._batches.get(key)

    def drop(self, key: int) -> None:
        """Forget a batch."""
        recent = self._batches.pop(key, None)
        if recent is not None:
            self._size -= recent.size

    def clear(self) -> None:
        """Forget all batches."""
        self._batches.clear()
        self._size = 0
