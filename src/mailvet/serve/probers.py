"""Probing processes beside the serving one: each has an engine, this one has the store.

They meet in the store as nodes of a cluster would, and share nothing else: each has its part of the
limits. One that dies is started again; what it held is claimed by another when its lease ends.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial

from mailvet.config import Settings
from mailvet.store.base import WorkStore
from mailvet.store.piped import answer, tell, write_frame
from mailvet.telemetry.logs import logger

RESTART_S = 1.0
"""Before a process that died is started again: one that cannot live must not eat the machine."""

MARGIN_S = 2.0
"""Beyond the grace, for a process to settle and end by itself."""

_LOG = logger("serve")


_SHARED = ("window_entries", "max_sessions", "route_sessions", "resolving")


def share_of(settings: Settings) -> Settings:
    """Return the settings of one probing process: its share of what all may do together."""
    number = settings.processes
    return settings.model_copy(
        update={
            name: max(1, getattr(settings, name) // number)
            for name in (*_SHARED, *(["unknown_user_limit"] if settings.unknown_user_limit else []))
        }
    )


class Probers:
    """The probing processes of one service."""

    def __init__(self, settings: Settings, store: WorkStore) -> None:
        self._settings = settings
        self._store = store
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._said: dict[str, dict[int, str]] = {}
        """What hinders which process, by kind."""
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Start them."""
        self._tasks = [
            asyncio.create_task(self._keep_running(number), name=f"prober-{number}")
            for number in range(self._settings.processes)
        ]

    async def stop(self, grace_s: float) -> None:
        """Have them end their sessions and settle; those that take too long are killed."""
        self._stopping = True
        for process in self._processes.values():
            _signal(process.terminate)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s + MARGIN_S)
        for process in self._processes.values():
            _signal(process.kill)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self, tenant: str, texts: Sequence[str]) -> None:
        """Have them forget what they remember of some addresses."""
        for writer in self._writers.values():
            tell(writer, ("forget", tenant, list(texts)))

    async def _keep_running(self, number: int) -> None:
        while not self._stopping:
            code = await self._run(number)
            if not self._stopping:
                _LOG.error("prober.died", number=number, exit_code=code)
                await asyncio.sleep(RESTART_S)

    async def _run(self, number: int) -> int:
        """Run one process to its end, and return its exit code."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mailvet.serve.prober", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
            )
        finally:
            theirs.close()
        self._processes[number] = process
        reader, writer = await asyncio.open_connection(sock=ours)
        write_frame(writer, share_of(self._settings))
        self._writers[number] = writer
        try:
            await answer(self._store, reader, writer, partial(self._note, number))
            return await process.wait()
        finally:
            _signal(process.kill)
            del self._processes[number], self._writers[number]
            for kind in list(self._said):
                await self._note(number, kind, None)

    async def _note(self, number: int, kind: str, detail: str | None) -> None:
        """A hindrance is there as long as one process meets it."""
        said = self._said.setdefault(kind, {})
        if detail is None:
            said.pop(number, None)
        else:
            said[number] = detail
        await self._store.note_hindrance(kind, next(iter(said.values()), None))


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended
        send()
