"""Random histories over every store, checked against a simple model; SQLite also crashes."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mailvet.errors import MailvetError, WrongState
from mailvet.model.batch import BatchSpec, Claim, Deferral, Entry, Settlement
from mailvet.model.status import BatchState
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from tests.store.samples import TENANT, Clock, entry, open_sqlite, row

T = TypeVar("T")

ACTIVE = (BatchState.RUNNING, BatchState.PAUSED)
"""Batches of which something may still be settled."""

ENTRIES = st.lists(
    st.builds(
        lambda name, domain, key: entry(
            f"u{name}", f"d{domain}.example" if domain else "", key=key
        ),
        st.integers(0, 99),
        st.integers(0, 3),
        st.integers(0, 5),
    ),
    max_size=12,
)


@dataclass
class Expected:
    """What the model knows of one batch."""

    state: BatchState
    entries: list[Entry]
    results: list[int] = field(default_factory=list)
    """Indexes in the order in which results were committed."""
    read: list[int] = field(default_factory=list)
    """What a reader has, who comes back now and then with the sequence of the last."""


class MemoryMachine(RuleBasedStateMachine):
    """Everything that callers and workers may do with batches, in any order."""

    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.expected: dict[str, Expected] = {}
        self.keys: dict[int, str] = {}
        self.fences: dict[int, int] = {}
        """The fence under which each chunk was claimed last."""
        self.created = 0
        self.store = self.run(self.open())

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run one call to its end."""
        return self.loop.run_until_complete(call)

    async def open(self) -> Store:
        """Return an empty store."""
        return MemoryStore(clock=self.clock, lease_clock=self.clock, chunk_size=3)

    @rule(some=ENTRIES, priority=st.sampled_from([0, 127, 255]), keep_last=st.booleans())
    def create(self, some: list[Entry], priority: int, keep_last: bool) -> None:
        """A new batch is a draft with these entries."""
        batch_id = f"b{self.created}"
        self.created += 1
        spec = BatchSpec(priority=priority, keep_last=keep_last)
        created = self.run(self.store.create_batch(TENANT, batch_id, spec, some))
        self.expected[batch_id] = Expected(BatchState.DRAFT, list(some))
        self.keys[created.batch.key] = batch_id

    @rule(which=st.integers(0, 9), some=ENTRIES, back=st.integers(0, 4))
    def append(self, which: int, some: list[Entry], back: int) -> None:
        """Entries come at the end, or overlap it."""
        for batch_id, batch in self._pick(which):
            offset = max(0, len(batch.entries) - back)
            new = some[len(batch.entries) - offset :]
            if batch.state is not BatchState.DRAFT and new:
                with contextlib.suppress(WrongState):
                    self.run(self.store.append_entries(TENANT, batch_id, offset, some))
                    raise AssertionError("entries were added to a batch that is no draft")
                continue
            kept = self.run(self.store.append_entries(TENANT, batch_id, offset, some))
            batch.entries += new
            assert len(batch.entries) == kept

    @rule(which=st.integers(0, 9))
    def launch(self, which: int) -> None:
        """A draft with entries runs; the plan is made when there is one to make."""
        for batch_id, batch in self._pick(which):
            if batch.state is BatchState.DRAFT and batch.entries:
                self.run(self.store.launch_batch(TENANT, batch_id))
                batch.state = BatchState.RUNNING

    @rule()
    def plan(self) -> None:
        """Launched batches are cut; a repeat changes nothing."""
        self.run(self.store.plan_launched())

    @rule(target=claims, owner=st.sampled_from(["w1", "w2"]), size=st.integers(1, 20))
    def claim(self, owner: str, size: int) -> list[Claim]:
        """Only entries without a result, of running batches, are given out."""
        claims = self.run(self.store.claim(owner, max_entries=size))
        for claim in claims:
            batch = self.expected[self.keys[claim.batch_key]]
            assert BatchState.RUNNING is batch.state
            assert self.fences.get(claim.chunk, -1) < claim.fence
            self.fences[claim.chunk] = claim.fence
            for one in claim.entries:
                assert one.entry_index not in batch.results
                assert batch.entries[one.entry_index][:2] == one[1:3]
                if one.duplicate_of is not None:
                    same = batch.entries[one.duplicate_of].key
                    assert batch.entries[one.entry_index].key == same != 0
        return claims

    @rule(held=claims, results=st.integers(0, 7), waits=st.integers(0, 3))
    def settle(self, held: list[Claim], results: int, waits: int) -> None:
        """A prefix gets results, some more wait; what is not held any more changes nothing."""
        settlements = []
        for claim in held:
            indexes = [one.entry_index for one in claim.entries]
            later = tuple(indexes[results : results + waits])
            deferrals = [Deferral(later, self.clock.now + 10)] if later else []
            rows = [row(index) for index in indexes[:results]]
            settlements.append(Settlement(claim, rows, deferrals))
        kept = self.run(self.store.settle(settlements))
        answered = list(zip(settlements, kept, strict=True))
        for one, still_held in answered:
            passed = self.fences[one.claim.chunk] != one.claim.fence
            assert not (still_held and passed), "a fence that was passed still counts"
        for key in {one.claim.batch_key for one, still_held in answered if still_held}:
            self._settled(self.keys[key])

    def _settled(self, batch_id: str) -> None:
        batch = self.expected[batch_id]
        assert batch.state in (BatchState.RUNNING, BatchState.PAUSED)
        page = self.run(self.store.results_after(TENANT, batch_id, len(batch.results), limit=1_000))
        batch.results += [result.entry_index for result in page.rows]
        if len(batch.results) == len(batch.entries):
            batch.state = BatchState.COMPLETED

    @rule(held=claims, owner=st.sampled_from(["w1", "w2"]))
    def heartbeat(self, held: list[Claim], owner: str) -> None:
        """Only batches that have not ended and have chunks under these claims are named."""
        keys = self.run(self.store.heartbeat(owner, [claim.chunk for claim in held]))
        assert keys <= {claim.batch_key for claim in held}
        for key in keys:
            assert self.expected[self.keys[key]].state in ACTIVE

    @rule(which=st.integers(0, 9), limit=st.integers(1, 5))
    def read_on(self, which: int, limit: int) -> None:
        """A reader who comes back gets what follows, as results and as joined bytes."""
        for batch_id, batch in self._pick(which):
            place = len(batch.read)
            page = self.run(self.store.results_after(TENANT, batch_id, place, limit=limit))
            joined = self.run(
                self.store.joined_after(TENANT, batch_id, place, limit=limit, max_bytes=10**6)
            )
            assert page.sequence == joined[0].sequence
            assert b"".join(result.doc for result in page.rows) == joined[0].docs
            batch.read += [result.entry_index for result in page.rows]
            assert batch.results[: len(batch.read)] == batch.read

    @rule(seconds=st.sampled_from([1, 11, 40]))
    def wait(self, seconds: int) -> None:
        """Time passes, and leases that ran out are reaped."""
        self.clock.advance(seconds)
        self.run(self.store.reap())

    @rule(which=st.integers(0, 9), pause=st.booleans())
    def pause_or_resume(self, which: int, pause: bool) -> None:
        """Only what runs is paused, only what is paused is resumed."""
        old, new = BatchState.RUNNING, BatchState.PAUSED
        call = self.store.pause_batch if pause else self.store.resume_batch
        old, new = (old, new) if pause else (new, old)
        for batch_id, batch in self._pick(which):
            if batch.state in (old, new):
                assert new is self.run(call(TENANT, batch_id)).state
                batch.state = new
            else:
                with contextlib.suppress(WrongState):
                    self.run(call(TENANT, batch_id))
                    raise AssertionError(f"a batch was moved from {batch.state} to {new}")

    @rule(which=st.integers(0, 9), priority=st.integers(0, 255))
    def update(self, which: int, priority: int) -> None:
        """A new priority moves work in the queue; none of it is lost."""
        for batch_id, _ in self._pick(which):
            updated = self.run(self.store.update_batch(TENANT, batch_id, {"priority": priority}))
            assert priority == updated.spec.priority

    @rule(which=st.integers(0, 9))
    def pause(self, which: int) -> None:
        """What runs gives out no work any more; what is held may still be settled."""
        for batch_id, batch in self._pick(which):
            if batch.state in ACTIVE:
                self.run(self.store.pause_batch(TENANT, batch_id))
                batch.state = BatchState.PAUSED

    @rule(which=st.integers(0, 9))
    def resume(self, which: int) -> None:
        """What is paused runs on."""
        for batch_id, batch in self._pick(which):
            if batch.state in ACTIVE:
                self.run(self.store.resume_batch(TENANT, batch_id))
                batch.state = BatchState.RUNNING

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        """What has not ended is cancelled."""
        for batch_id, batch in self._pick(which):
            self.run(self.store.cancel_batch(TENANT, batch_id))
            if batch.state is not BatchState.COMPLETED:
                batch.state = BatchState.CANCELLED

    @rule(which=st.integers(0, 9))
    def delete(self, which: int) -> None:
        """A batch goes, whatever its state."""
        for batch_id, batch in self._pick(which):
            gone = self.run(self.store.delete_batch(TENANT, batch_id, force=True))
            assert len(batch.entries) == gone
            del self.expected[batch_id]

    def _pick(self, which: int) -> list[tuple[str, Expected]]:
        found = list(self.expected.items())
        return [found[which % len(found)]] if found else []

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """States, counts and the order of results agree, and no entry has two results."""
        listed = {b.batch_id: b for b in self.run(self.store.list_batches(TENANT, limit=1_000))}
        assert self.expected.keys() == listed.keys()
        for batch_id, batch in self.expected.items():
            page = self.run(self.store.results_after(TENANT, batch_id, 0, limit=1_000))
            assert batch.results == [result.entry_index for result in page.rows]
            assert len(batch.results) == len(set(batch.results)) == page.sequence
            kept, progress = self.run(self.store.progress(TENANT, batch_id))
            assert (batch.state, len(batch.entries)) == (kept.state, kept.entry_count)
            assert len(batch.results) == progress.result_count

    def teardown(self) -> None:
        """Everything that runs can be finished: no entry was lost on the way."""
        try:
            self._finish_all()
        finally:
            self.run(self.store.close())
            self.run(self.loop.shutdown_default_executor())
            self.loop.close()

    def _finish_all(self) -> None:
        for batch_id, batch in self.expected.items():
            if batch.state is BatchState.PAUSED:
                batch.state = self.run(self.store.resume_batch(TENANT, batch_id)).state
        self.clock.advance(1_000)
        self.run(self.store.reap())
        for batch_id, batch in self.expected.items():
            if batch.state is BatchState.PAUSED:
                self.run(self.store.resume_batch(TENANT, batch_id))
                batch.state = BatchState.RUNNING
        self.run(self.store.plan_launched())
        while claims := self.run(self.store.claim("last", max_entries=100)):
            rows = [
                Settlement(claim, [row(one.entry_index) for one in claim.entries], [])
                for claim in claims
            ]
            assert all(self.run(self.store.settle(rows)))
        for batch_id, batch in self.expected.items():
            if batch.state is BatchState.RUNNING:
                page = self.run(self.store.results_after(TENANT, batch_id, 0, limit=1_000))
                indexes = sorted(result.entry_index for result in page.rows)
                assert (list(range(len(batch.entries))), BatchState.COMPLETED) == (
                    indexes,
                    page.state,
                )


class SqliteMachine(MemoryMachine):
    """The same, and the process may end at any point."""

    async def open(self) -> Store:
        """Return the store in the newest folder."""
        self.folder = Path(tempfile.mkdtemp(prefix="mailvet-store-"))
        return await open_sqlite(self.folder / "store.db", self.clock, chunk_size=3)

    @rule()
    def crash(self) -> None:
        """The files are opened as they are on disk, without a close."""
        old, folder = self.store, self.folder
        self.folder = Path(tempfile.mkdtemp(prefix="mailvet-store-"))
        for path in folder.glob("store.db*"):
            shutil.copy(path, self.folder)
        self.store = self.run(open_sqlite(self.folder / "store.db", self.clock, chunk_size=3))
        with contextlib.suppress(MailvetError):
            self.run(old.close())
        shutil.rmtree(folder)

    def teardown(self) -> None:
        """Leave no folder behind."""
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


TestMemoryMachine = MemoryMachine.TestCase
TestMemoryMachine.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestSqliteMachine = SqliteMachine.TestCase
TestSqliteMachine.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
