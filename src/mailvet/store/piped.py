"""The work of a store over a pipe between two processes of ours: every call is a pickled frame.

One process owns a store and writes it (`answer`); engines in others work on it, each through a
`PipedStore`. A pipe that closes is the other process gone: what was asked through it is dropped,
and the leases it had end.
"""

import asyncio
import contextlib
import pickle
import struct
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import count
from typing import Any

from mailvet.errors import Unavailable
from mailvet.model.batch import Claim, Settlement
from mailvet.model.ruling import TenantRules
from mailvet.store.base import WorkStore
from mailvet.store.piped_values import (
    claims_from,
    flat_claims,
    flat_settlements,
    settlements_from,
)
from mailvet.telemetry.logs import logger

CALLS = frozenset(
    {
        "plan_launched",
        "claim",
        "settle",
        "heartbeat",
        "reap",
        "let_go",
        "next_run_at",
        "work_signal",
        "note_hindrance",
        "get_rules",
    }
)
"""What may be called: the methods of `WorkStore`."""

MAX_FRAME_BYTES = 1 << 30
"""A settlement of a thousand results has some hundred kilobytes; more is a broken pipe."""

_LOG = logger("store")

_UNASKED = -1
"""In place of the number of a call."""

_LENGTH = struct.Struct(">I")

Note = Callable[[str, str | None], Awaitable[None]]


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Return the next value from a pipe; raises `EOFError` when there comes no more."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise EOFError(f"a frame of {length} bytes")
        # Both ends are processes of one service, and nobody else has the descriptors.
        return pickle.loads(await reader.readexactly(length))  # noqa: S301
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError("the pipe is closed") from error


def write_frame(writer: asyncio.StreamWriter, value: object) -> None:
    """Send a value through a pipe."""
    encoded = pickle.dumps(value, protocol=5)
    writer.writelines((_LENGTH.pack(len(encoded)), encoded))


class PipedStore:
    """The store at the other end of a pipe, for the engine at this end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._closed = False
        self.told: Callable[[Any], None] = lambda _: None
        """Hears what the other end tells without being asked."""

    async def listen(self) -> None:
        """Take the answers until the pipe closes; calls that wait then raise `Unavailable`."""
        try:
            while True:
                number, is_value, value = await read_frame(self._reader)
                if number == _UNASKED:
                    self.told(value)
                    continue
                future = self._waiting.pop(number, None)
                if future is None or future.done():  # its caller was cancelled
                    continue
                if is_value:
                    future.set_result(value)
                else:
                    future.set_exception(value)
        except EOFError:
            pass
        finally:
            self._closed = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(_gone())

    async def _call(self, name: str, *values: object, **more: object) -> Any:
        if self._closed:
            raise _gone()
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        write_frame(self._writer, (number, name, values, more))
        try:
            await self._writer.drain()
            return await future
        except ConnectionError:
            raise _gone() from None
        finally:
            self._waiting.pop(number, None)

    async def plan_launched(self) -> int:
        """See `WorkStore.plan_launched`."""
        planned: int = await self._call("plan_launched")
        return planned

    async def claim(self, owner: str, *, max_entries: int) -> list[Claim]:
        """See `WorkStore.claim`."""
        return claims_from(await self._call("claim", owner, max_entries=max_entries))

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """See `WorkStore.settle`."""
        held: list[bool] = await self._call("settle", flat_settlements(settlements))
        return held

    async def heartbeat(self, owner: str, chunks: Collection[int]) -> frozenset[int]:
        """See `WorkStore.heartbeat`."""
        alive: frozenset[int] = await self._call("heartbeat", owner, list(chunks))
        return alive

    async def reap(self) -> int:
        """See `WorkStore.reap`."""
        reaped: int = await self._call("reap")
        return reaped

    async def let_go(self, owner: str, *, died: bool = False) -> int:
        """See `WorkStore.let_go`."""
        ready: int = await self._call("let_go", owner, died=died)
        return ready

    async def next_run_at(self) -> float | None:
        """See `WorkStore.next_run_at`."""
        run_at: float | None = await self._call("next_run_at")
        return run_at

    async def work_signal(self, *, after: int, timeout_s: float) -> int:
        """See `WorkStore.work_signal`."""
        revision: int = await self._call("work_signal", after=after, timeout_s=timeout_s)
        return revision

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """See `WorkStore.note_hindrance`."""
        await self._call("note_hindrance", kind, detail)

    async def get_rules(self, tenant: str) -> TenantRules:
        """See `WorkStore.get_rules`."""
        rules: TenantRules = await self._call("get_rules", tenant)
        return rules


def _gone() -> Unavailable:
    return Unavailable("the process that keeps the store is gone")


def tell(writer: asyncio.StreamWriter, value: object) -> None:
    """Tell the engine at the other end something it has not asked for."""
    write_frame(writer, (_UNASKED, True, value))


async def answer(
    store: WorkStore, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Note
) -> None:
    """Answer the calls that come through a pipe until it closes; then let go of what was claimed.

    `note(kind, detail)` hears of hindrances in the store's place: several engines may speak of
    the same one.
    """
    under_way: set[asyncio.Task[None]] = set()
    owners: set[str] = set()
    try:
        while True:
            call = await read_frame(reader)
            if call[1] == "claim":
                owners.add(call[2][0])
            task = asyncio.create_task(_answer_one(store, writer, note, call))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    except EOFError:
        return
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        writer.close()
        with contextlib.suppress(Unavailable):  # or the leases run out
            for owner in owners:
                await store.let_go(owner, died=True)  # one that drains has let go of all


async def _answer_one(
    store: WorkStore,
    writer: asyncio.StreamWriter,
    note: Note,
    call: tuple[int, str, tuple[Any, ...], dict[str, Any]],
) -> None:
    number, name, values, more = call
    assert name in CALLS
    try:
        reply = (number, True, await _call(store, note, name, values, more))
    except Exception as error:  # whatever it is, the caller is told
        _LOG.warning("store.piped_call_failed", call=name, error=type(error).__name__)
        reply = (number, False, Unavailable(str(error)))
    write_frame(writer, reply)
    await writer.drain()


async def _call(
    store: WorkStore, note: Note, name: str, values: tuple[Any, ...], more: dict[str, Any]
) -> Any:
    if name == "claim":
        return flat_claims(await store.claim(*values, **more))
    if name == "settle":
        return await store.settle(settlements_from(*values))
    method = note if name == "note_hindrance" else getattr(store, name)
    return await method(*values, **more)
