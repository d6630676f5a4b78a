"""The work of a store over a pipe: the same as beside it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from mailvet.errors import Unavailable
from mailvet.model.batch import Claim
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.piped import CALLS, PipedStore, answer
from tests.store.samples import SPEC, TENANT, deferred, entries, settled


class Failing(MemoryStore):
    """Cannot be settled."""

    async def settle(self, settlements: object) -> list[bool]:
        raise Unavailable("the disk is full", hindrance="DISK_FULL")


@contextlib.asynccontextmanager
async def piped(store: Store) -> AsyncIterator[tuple[PipedStore, list[tuple[str, str | None]]]]:
    """A store at the other end of a pipe, and what it heard of hindrances."""
    noted: list[tuple[str, str | None]] = []

    async def note(kind: str, detail: str | None) -> None:
        noted.append((kind, detail))

    ours, theirs = socket.socketpair()
    answering = asyncio.create_task(answer(store, *await asyncio.open_connection(sock=ours), note))
    reader, writer = await asyncio.open_connection(sock=theirs)
    there = PipedStore(reader, writer)
    listening = asyncio.create_task(there.listen())
    yield there, noted
    writer.close()
    await asyncio.wait_for(answering, 5)
    await asyncio.wait_for(listening, 5)


async def launch(store: Store, count: int) -> None:
    """Create and launch a batch."""
    await store.create_batch(TENANT, "b1", SPEC, entries(count), launch=True)


async def test_an_engine_works_through_a_pipe(store: Store) -> None:
    """Plan, claim, put off, settle: what comes of it stands in the store."""
    await launch(store, 10)
    async with piped(store) as (there, noted):
        assert 1 == await there.plan_launched()
        claims: list[Claim] = []
        while more := await there.claim("w", max_entries=1):
            claims += more
        assert frozenset({claims[0].batch_key}) == await there.heartbeat(
            "w", [one.chunk for one in claims]
        )
        first, *others = claims
        index = first.entries[0].entry_index
        assert [True] == await there.settle([deferred(first, [index], 2_000_000_000.0)])
        rest = settled(first)._replace(results=settled(first).results[1:])
        assert {True} == set(await there.settle([rest, *map(settled, others)]))
        assert 2_000_000_000.0 == await there.next_run_at()
        assert 0 == await there.reap()
        assert await there.work_signal(after=0, timeout_s=0.01) > 0
        await there.note_hindrance("EGRESS", "closed")
        assert await store.get_rules(TENANT) == await there.get_rules(TENANT)
    assert [("EGRESS", "closed")] == noted
    assert 9 == (await store.progress(TENANT, "b1"))[1].result_count


async def test_what_was_claimed_through_a_pipe_that_closes_is_ready_again(store: Store) -> None:
    """The process at its end is gone, so another takes over at once."""
    await launch(store, 10)
    async with piped(store) as (there, _):
        await there.plan_launched()
        claims = await there.claim("w", max_entries=100)
    again = await store.claim("v", max_entries=100)

    assert {one.chunk for one in claims} == {one.chunk for one in again}


async def test_a_refusal_comes_through_a_pipe() -> None:
    """The engine hears why, as it would beside the store."""
    async with piped(Failing()) as (there, _):
        with pytest.raises(Unavailable, match="the disk is full"):
            await there.settle([])


async def test_calls_end_with_their_pipe() -> None:
    """Who waits for an answer, and who asks later, is told that the store is gone."""
    async with piped(MemoryStore()) as (there, _):
        revision = await there.work_signal(after=-1, timeout_s=0)
        waiting = asyncio.create_task(there.work_signal(after=revision, timeout_s=60))
        await there.reap()
    with pytest.raises(Unavailable, match="gone"):
        await waiting
    with pytest.raises(Unavailable, match="gone"):
        await there.reap()


def test_every_call_is_there_at_both_ends() -> None:
    """Nothing else can be called."""
    assert set(CALLS) == {name for name in vars(PipedStore) if name[0] != "_"} - {"listen"}
