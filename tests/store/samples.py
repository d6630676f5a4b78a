"""Entries, results and settlements that tests of the stores are made of."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mailvet.model.batch import (
    BatchSpec,
    Claim,
    Deferral,
    Entry,
    ResultRow,
    Settlement,
)
from mailvet.store.base import Store
from mailvet.store.sqlite import SqliteStore

SPEC = BatchSpec(name="spring")
TENANT = "acme"


class Clock:
    """A clock that tests move by hand."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def entry(name: str, domain: str = "example.org", *, key: int = 0, custom: str = "") -> Entry:
    """Return an entry for a mailbox."""
    return Entry(f"{name}@{domain}" if domain else name, custom, domain, key)


def entries(count: int, *, domains: int = 3) -> list[Entry]:
    """Return entries of a few domains."""
    return [entry(f"user{number}", f"d{number % domains}.example") for number in range(count)]


def row(index: int, status: int = 1, classification: int = 1) -> ResultRow:
    """Return a result that tells which entry it is of."""
    doc = f"basic{index}full{index}".encode()
    return ResultRow(
        index, status, classification, doc, len(f"basic{index}"), b"evidence%d" % index
    )


def settled(claim: Claim, **kinds: int) -> Settlement:
    """Return the settlement that answers every entry of a claim."""
    return Settlement(claim, [row(one.entry_index, **kinds) for one in claim.entries], [])


def deferred(claim: Claim, indexes: Sequence[int], run_at: float) -> Settlement:
    """Return the settlement that puts entries of a claim off."""
    return Settlement(claim, [], [Deferral(tuple(indexes), run_at)])


def indexes_of(claims: Iterable[Claim]) -> list[int]:
    """Return the indexes of all entries of some claims, in order."""
    return [one.entry_index for claim in claims for one in claim.entries]


async def launched(store: Store, count: int, batch_id: str = "b1", spec: BatchSpec = SPEC) -> int:
    """Create, launch and plan a batch; return its key."""
    created = await store.create_batch(TENANT, batch_id, spec, entries(count), launch=True)
    await store.plan_launched()
    return created.batch.key


async def finish(store: Store, *, owner: str = "w", per_claim: int = 100) -> None:
    """Answer everything that is ready."""
    while claims := await store.claim(owner, max_entries=per_claim):
        await store.settle([settled(claim) for claim in claims])


async def open_sqlite(
    path: Path, clock: Clock, *, chunk_size: int = 4, reserve_bytes: int = 4096
) -> SqliteStore:
    """Open a SQLite store with small chunks and a clock that is moved by hand."""
    return await SqliteStore.open(
        path,
        clock=clock,
        lease_clock=clock,
        chunk_size=chunk_size,
        reserve_bytes=reserve_bytes,
    )
