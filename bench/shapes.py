"""Lists of addresses for load, and the truth about each: made by pattern, so nothing is kept."""

from collections.abc import Iterator
from typing import NamedTuple

UNKNOWN_EVERY = 5
"""Every fifth mailbox does not exist: a list that has not been cleaned for some years."""


class Shape(NamedTuple):
    """How many domains share how many exchangers."""

    name: str
    domains: int
    exchangers: int
    entries: int
    """Of a run, unless it is told otherwise."""

    def addresses(self, count: int) -> Iterator[str]:
        """Yield addresses, every domain in turn, no mailbox twice."""
        for number in range(count):
            user, domain = divmod(number, self.domains)
            word = "user" if is_known(number) else "gone"
            yield f"{word}{user}@d{domain}.example.net"

    def exchanger_of(self, domain: int) -> int:
        """The number of the exchanger of a domain, by its number."""
        return domain % self.exchangers


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("dense", 200, 20, 100_000),
        Shape("middle", 10_000, 1_000, 100_000),
        Shape("tail", 20_000, 20_000, 40_000),
    )
}


def is_known(number: int) -> bool:
    """Whether the address with this number is a mailbox; mixed over all domains."""
    return (number * 7 + number // 11) % UNKNOWN_EVERY != 0


def address_of(exchanger: int) -> str:
    """The loopback address of an exchanger."""
    return f"127.{80 + (exchanger >> 14)}.{exchanger >> 7 & 127}.{(exchanger & 127) + 1}"
