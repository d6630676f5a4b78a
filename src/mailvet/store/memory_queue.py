"""Chunks in memory: the same queue as the SQLite store's, in plain Python."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from mailvet.model.batch import Batch, Claim, Deferral, Entry, Settlement, WorkEntry
from mailvet.store.chunks import Cut, Indexes, Parts, divide, packed
from mailvet.store.fairness import reweighed, stamps
from mailvet.store.suspects import POISONED, SUSPECT, after_death, is_halved


@dataclass(slots=True)
class Chunk:
    """Entries that are claimed together; held while it has an owner."""

    number: int
    batch_key: int
    indexes: Indexes
    originals: dict[int, int] | None
    run_at: float
    stamp: float | None = None
    """None while it waits for `run_at`."""
    attempt: int = 0
    first_attempt_at: float | None = None
    fence: int = 0
    owner: str | None = None
    lease_until: float = 0.0
    deaths: int = 0
    """As `store.suspects` counts them."""

    @property
    def ready(self) -> bool:
        """Whether it can be claimed."""
        return self.owner is None and self.stamp is not None


@dataclass(slots=True)
class Lane:
    """What the queue keeps of one running batch."""

    batch: Batch
    entries: list[Entry]
    last_stamp: float = 0.0
    last_retry_stamp: float = 0.0
    paused: bool = False


class Queue:
    """Every chunk of every running batch."""

    def __init__(self) -> None:
        self._chunks: dict[int, Chunk] = {}
        self._lanes: dict[int, Lane] = {}
        self._virtual_time = 0.0
        self._numbers = 0
        self._fences = 0

    def add(self, batch: Batch, entries: list[Entry], cuts: Sequence[Cut], *, now: float) -> None:
        """Queue the chunks of a batch."""
        lane = self._lanes[batch.key] = Lane(batch, entries)
        given = stamps(
            [len(cut.indexes) for cut in cuts],
            priority=batch.spec.priority,
            virtual_time=self._virtual_time,
            last=lane.last_stamp,
        )
        for cut, stamp in zip(cuts, given, strict=True):
            originals = _mapping(cut)
            self._put(Chunk(0, batch.key, cut.indexes, originals, run_at=now, stamp=stamp))
            lane.last_stamp = stamp

    def _put(self, chunk: Chunk) -> None:
        self._numbers += 1
        chunk.number = self._numbers
        self._chunks[chunk.number] = chunk

    def drop(self, batch_key: int) -> None:
        """Forget a batch and its chunks."""
        self._lanes.pop(batch_key, None)
        for chunk in self.of_batch(batch_key):
            del self._chunks[chunk.number]

    def of_batch(self, batch_key: int) -> list[Chunk]:
        """Return the chunks of a batch."""
        return [chunk for chunk in self._chunks.values() if chunk.batch_key == batch_key]

    def _active(self) -> list[Chunk]:
        """The chunks of batches that are not paused."""
        return [c for c in self._chunks.values() if not self._lanes[c.batch_key].paused]

    def pause(self, batch_key: int) -> None:
        """Give out nothing of a batch until it is resumed."""
        if batch_key in self._lanes:
            self._lanes[batch_key].paused = True

    def resume(self, batch_key: int) -> None:
        """Go on with a batch: its next chunk is served as one that is queued now."""
        if batch_key not in self._lanes:
            return
        self._lanes[batch_key].paused = False
        queued = [c for c in self.of_batch(batch_key) if c.ready]
        first = min((c.stamp or 0.0 for c in queued), default=self._virtual_time)
        for chunk in queued:
            chunk.stamp = (chunk.stamp or 0.0) + max(0.0, self._virtual_time - first)

    def update(self, batch: Batch) -> None:
        """Take over the settings of a batch, and what its priority means for what is queued."""
        lane = self._lanes.get(batch.key)
        if lane is None:
            return
        old, lane.batch = lane.batch.spec.priority, batch
        if old == batch.spec.priority:
            return
        queued = [c for c in self.of_batch(batch.key) if c.ready]
        base = min([self._virtual_time, *(c.stamp or 0.0 for c in queued)])
        for chunk in queued:
            chunk.stamp = reweighed(chunk.stamp or 0.0, base, old=old, new=batch.spec.priority)
        lane.last_retry_stamp = min(lane.last_retry_stamp, self._virtual_time)

    def claim(self, owner: str, *, max_entries: int, now: float, lease_until: float) -> list[Claim]:
        """See `Store.claim`."""
        self._promote(now)
        claims = []
        for chunk in self._fairest(max_entries):
            self._fences += 1
            chunk.fence, chunk.owner, chunk.lease_until = self._fences, owner, lease_until
            self._virtual_time = max(self._virtual_time, chunk.stamp or 0.0)
            claims.append(self._claim(chunk))
        return claims

    def _fairest(self, max_entries: int) -> list[Chunk]:
        """Return ready chunks in order of their stamps, until they have enough entries."""
        taken: list[Chunk] = []
        room = max_entries
        ready = (chunk for chunk in self._active() if chunk.ready)
        for chunk in sorted(ready, key=lambda chunk: (chunk.stamp, chunk.number)):
            if chunk.deaths == SUSPECT:
                if taken or self._holds_a_suspect():
                    continue
                return [chunk]
            taken.append(chunk)
            room -= len(chunk.indexes)
            if room <= 0:
                break
        return taken

    def _holds_a_suspect(self) -> bool:
        held = (chunk for chunk in self._chunks.values() if chunk.owner is not None)
        return any(chunk.deaths == SUSPECT for chunk in held)

    def _promote(self, now: float) -> None:
        """Make waiting chunks ready whose time has come, stamped as work that is queued now."""
        due = [c for c in self._active() if c.stamp is None and c.run_at <= now]
        for chunk in sorted(due, key=lambda chunk: chunk.run_at):
            lane = self._lanes[chunk.batch_key]
            (lane.last_retry_stamp,) = stamps(
                [len(chunk.indexes)],
                priority=lane.batch.spec.priority,
                virtual_time=self._virtual_time,
                last=lane.last_retry_stamp,
            )
            chunk.stamp = lane.last_retry_stamp

    def _claim(self, chunk: Chunk) -> Claim:
        lane, originals = self._lanes[chunk.batch_key], chunk.originals or {}
        entries = lane.entries
        return Claim(
            chunk=chunk.number,
            fence=chunk.fence,
            batch_key=chunk.batch_key,
            tenant=lane.batch.tenant,
            quality=lane.batch.spec.quality,
            attempt=chunk.attempt,
            first_attempt_at=chunk.first_attempt_at,
            entries=tuple(
                WorkEntry(at, entries[at].input_data, entries[at].custom, originals.get(at))
                for at in chunk.indexes
            ),
            rules=lane.batch.spec.rules,
            max_age_s=lane.batch.spec.max_age_s,
            max_shared_age_s=lane.batch.spec.max_shared_age_s,
            bare_domains=lane.batch.spec.bare_domains,
            poisoned=chunk.deaths == POISONED,
        )

    def active(self, batch_key: int) -> int:
        """Return how many entries of a batch are held by workers."""
        held = (chunk for chunk in self.of_batch(batch_key) if chunk.owner is not None)
        return sum(len(chunk.indexes) for chunk in held)

    def settle(self, settlement: Settlement, *, now: float) -> Parts | None:
        """Take out of a chunk what is settled; None when its fence is not held any more."""
        chunk = self._chunks.get(settlement.claim.chunk)
        if chunk is None or chunk.owner is None or chunk.fence != settlement.claim.fence:
            return None
        parts = divide(chunk.indexes, settlement)
        for deferral in parts.deferrals:
            self._put(_deferred(chunk, deferral, now))
        if parts.rest:
            chunk.indexes = parts.rest
        else:
            del self._chunks[chunk.number]
        return parts

    def heartbeat(
        self, owner: str, chunks: Collection[int], *, lease_until: float
    ) -> frozenset[int]:
        """See `Store.heartbeat`."""
        named = [self._chunks[number] for number in chunks if number in self._chunks]
        held = [chunk for chunk in named if chunk.owner == owner]
        for chunk in held:
            chunk.lease_until = lease_until
        return frozenset(chunk.batch_key for chunk in held)

    def reap(self, *, now: float) -> int:
        """See `Store.reap`."""
        late = [c for c in self._chunks.values() if c.owner is not None and c.lease_until < now]
        for chunk in late:
            chunk.owner = None
        return len(late)

    def let_go(self, owner: str, *, died: bool) -> int:
        """See `WorkStore.let_go`."""
        held = [chunk for chunk in self._chunks.values() if chunk.owner == owner]
        for chunk in held:
            chunk.owner = None
            if died:
                self._count_death(chunk)
        return len(held)

    def _count_death(self, chunk: Chunk) -> None:
        size = len(chunk.indexes)
        deaths, halved = after_death(chunk.deaths, size), is_halved(chunk.deaths, size)
        chunk.deaths = deaths
        if halved:
            self._put(replace(chunk, indexes=chunk.indexes[size // 2 :]))
            chunk.indexes = chunk.indexes[: size // 2]

    def end_leases(self, batch_key: int, indexes: set[int]) -> None:
        """Take the chunks with these entries from their workers."""
        for chunk in self.of_batch(batch_key):
            if chunk.owner is not None and not indexes.isdisjoint(chunk.indexes):
                chunk.owner = None

    def next_run_at(self) -> float | None:
        """See `Store.next_run_at`."""
        return min((c.run_at for c in self._active() if c.owner is None), default=None)


def _mapping(cut: Cut) -> dict[int, int] | None:
    if cut.originals is None:
        return None
    return dict(zip(cut.indexes, cut.originals, strict=True))


def _deferred(chunk: Chunk, deferral: Deferral, now: float) -> Chunk:
    return Chunk(
        0,
        chunk.batch_key,
        packed(deferral.indexes),
        chunk.originals,
        run_at=deferral.run_at,
        attempt=chunk.attempt + 1,
        first_attempt_at=now if chunk.first_attempt_at is None else chunk.first_attempt_at,
    )
