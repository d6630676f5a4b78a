"""The one connection that writes, in its own thread: everything queued becomes one commit.

A caller's operation runs in a savepoint of a shared transaction; its future is resolved only after
the commit, so an answer is never ahead of the disk. An operation must be safe to run again: when
a shared transaction fails, each of its operations is tried once more by itself.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mailvet.errors import MailvetError, Unavailable
from mailvet.failpoints import reach
from mailvet.store import sqlite_audit
from mailvet.store.changes import WORK, Changes
from mailvet.store.fresh import Appended, Fresh
from mailvet.store.hindrances import STORE_LOCKED
from mailvet.store.riding import RIDER, Rider
from mailvet.store.sqlite_file import Connection, translated

T = TypeVar("T")

QUEUE_LIMIT = 64
"""Operations queued at once, so also in one commit: enough to share a flush among many callers,
few enough that nobody waits long for large ones. Further callers wait on the event loop."""


@dataclass(slots=True)
class Transaction:
    """What an operation writes with, and what it says it touched."""

    connection: Connection
    touched: set[int] = field(default_factory=set)
    """Keys whose waiters are woken after the commit (store.changes)."""
    appended: list[Appended] = field(default_factory=list)
    """Entries that are new, for who remembers them (store.fresh)."""
    altered: set[int] = field(default_factory=set)
    """Keys of batches whose entries are not what they were, or not wanted any more."""

    def touch_work(self) -> None:
        """Note that there is new work."""
        self.touched.add(WORK)


class Job:
    """An operation, who waits for it, and how it went."""

    __slots__ = (
        "alone",
        "committed",
        "error",
        "future",
        "operation",
        "rider",
        "transaction",
        "value",
    )

    def __init__(
        self,
        operation: Callable[[Transaction], Any],
        future: "asyncio.Future[Any]",
        *,
        alone: bool,
        rider: Rider | None,
    ) -> None:
        self.operation = operation
        self.future = future
        self.alone = alone
        self.rider = rider
        """The event for the audit log that it takes along."""
        self.committed = False
        self.transaction: Transaction | None = None
        """What it says it did, once it is committed."""
        self.value: Any = None
        self.error: Exception | None = None


class Writer:
    """Runs operations in the order they came, many to a commit."""

    def __init__(self, connection: Connection, changes: Changes, fresh: Fresh) -> None:
        self._connection = connection
        self._changes = changes
        self._fresh = fresh
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(QUEUE_LIMIT)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mailvet-store", daemon=True)
        self._thread.start()

    async def write(self, operation: Callable[[Transaction], T], *, alone: bool = False) -> T:
        """Run an operation and return its value once it is committed and flushed.

        A caller that is cancelled meanwhile leaves the operation either done or not begun.
        With `alone` it runs outside of any transaction, as a checkpoint must.
        """
        await self._room.acquire()
        if self._closed:
            self._room.release()
            raise Unavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        rider = RIDER.get()
        if alone or rider is None or not rider.take():
            rider = None
        self._jobs.put(Job(operation, future, alone=alone, rider=rider))
        return await future

    async def close(self) -> None:
        """Commit what was queued and end the thread; the connection stays open."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        ended = False
        while not ended:
            jobs, ended = self._take()
            touched = self._commit([job for job in jobs if not job.alone])
            for job in jobs:
                if job.alone:
                    self._run_alone(job)
            self._loop.call_soon_threadsafe(self._resolve, jobs, touched)

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for one operation, then take all that are queued; True when there come no more."""
        jobs: list[Job] = []
        while True:
            try:
                job = self._jobs.get(block=not jobs)
            except queue.Empty:
                return jobs, False
            if job is None:
                return jobs, True
            jobs.append(job)

    def _commit(self, jobs: list[Job]) -> set[int]:
        """Run operations as one transaction; should that fail, each as its own."""
        wanted = [job for job in jobs if not job.future.cancelled()]
        try:
            touched = self._transact(wanted)
        except Exception as error:  # whatever it is, its caller is told
            self._roll_back()
            told = translated(error)
            # A foreign lock meets them all alike: each would wait for it in vain, one by one.
            locked = isinstance(told, Unavailable) and told.hindrance == STORE_LOCKED
            if len(wanted) > 1 and not locked:
                return set().union(*(self._commit([job]) for job in wanted))
            for job in wanted:
                job.value, job.error = None, told
            return set()
        for job in wanted:
            job.committed = job.error is None
        return touched

    def _transact(self, jobs: list[Job]) -> set[int]:
        touched: set[int] = set()
        self._connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            touched |= self._attempt(job)
        reach("commit.begun")
        self._connection.execute("COMMIT")
        return touched

    def _attempt(self, job: Job) -> set[int]:
        """Run one operation; what it refuses is undone and leaves the others alone."""
        transaction = job.transaction = Transaction(self._connection)
        job.error = None  # of the shared transaction that failed
        self._connection.execute("SAVEPOINT operation")
        try:
            job.value = job.operation(transaction)
            if job.rider is not None:
                sqlite_audit.add(self._connection, [job.rider.event])
        except MailvetError as refusal:
            job.error = refusal
            self._connection.execute("ROLLBACK TO operation")
            transaction.touched.clear()
        self._connection.execute("RELEASE operation")
        return transaction.touched

    def _run_alone(self, job: Job) -> None:
        try:
            job.value = job.operation(Transaction(self._connection))
        except Exception as error:  # whatever it is, its caller is told
            job.error = translated(error)

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors (disk full), but not after all.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _resolve(self, jobs: list[Job], touched: set[int]) -> None:
        # In the order of the commits, and before anybody can ask for what changed.
        for job in jobs:
            if job.committed and job.transaction is not None:
                self._remember(job.transaction)
        self._changes.note(touched)
        for job in jobs:
            self._room.release()
            if job.rider is not None:
                job.rider.arrived(written=job.committed)
            if job.future.done():  # its caller was cancelled
                continue
            if job.error is None:
                job.future.set_result(job.value)
            else:
                job.future.set_exception(job.error)

    def _remember(self, done: Transaction) -> None:
        for key in done.altered:
            self._fresh.drop(key)
        for added in done.appended:
            self._fresh.note(added)
