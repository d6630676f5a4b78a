"""The whole job by a prototype: what a service costs that has no callers, no limits and no doubts.

Syntax by one expression, DNS and SMTP by hand as `bench.floor` has them, one connection for each
domain, a mailbox nobody has asked about last, each answer a protobuf message appended to SQLite. It
understands only the world of `bench.world`, keeps no deadline, and gives no evidence.
"""

import asyncio
import re
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from bench.floor import RECIPIENTS, SESSIONS, Asker, measured
from bench.shapes import Shape, is_known
from bench.world import World
from mailvet.model.status import EntryStatus, classification_of
from mailvet.v1 import result_pb2 as pb

COMMIT_EVERY = 1000
"""Results for one transaction."""

_ADDRESS = re.compile(
    r"([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})",
    re.IGNORECASE,
)

_KNOWN, _CATCH_ALL, _UNKNOWN = (
    (status.value, classification_of(status).value)
    for status in (
        EntryStatus.SUCCESS,
        EntryStatus.SERVER_IS_CATCH_ALL,
        EntryStatus.MAILBOX_DOES_NOT_EXIST,
    )
)

Entry = tuple[int, str]
"""Its number, and the address as it was given."""
Task = tuple[str, list[Entry]]
"""A domain, and what is to be asked about in one session with its exchanger."""


class Prototype:
    """Verifies a list of a shape and keeps the answers."""

    def __init__(self, shape: Shape, there: World, count: int) -> None:
        self._shape = shape
        self._there = there
        self._count = count
        self._known: dict[str, asyncio.Future[str]] = {}
        self._made_up_taken: dict[str, bool] = {}
        self._results: list[tuple[int, bytes]] = []

    async def measure(self) -> dict[str, float]:
        """Return CPU µs for each address; raises `SystemExit` for a wrong answer."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.db"
            used_s, _ = await measured(lambda: self._verify_all(path))
            self._hold_to_the_truth(path)
        return {"prototype_cpu_us": round(used_s / self._count * 1e6, 1)}

    def _hold_to_the_truth(self, path: Path) -> None:
        with sqlite3.connect(path) as kept:
            rows = kept.execute("SELECT entry, doc FROM results").fetchall()
        right = sum(
            (pb.Result.FromString(doc).status == EntryStatus.SUCCESS) == is_known(number)
            for number, doc in rows
        )
        if right != self._count:
            raise SystemExit(f"the prototype has {right} right answers of {self._count}")

    async def _verify_all(self, path: Path) -> None:
        self._kept = sqlite3.connect(path)
        self._kept.execute("PRAGMA journal_mode=WAL")
        self._kept.execute(
            "CREATE TABLE results (sequence INTEGER PRIMARY KEY, entry INTEGER, doc BLOB)"
        )
        loop = asyncio.get_running_loop()
        names, asker = await loop.create_datagram_endpoint(
            Asker, remote_addr=self._there.dns_address
        )
        tasks = self._tasks()

        async def work() -> None:
            for domain, entries in tasks:
                await self._visit(asker, domain, entries)

        await asyncio.gather(*(work() for _ in range(SESSIONS)))
        names.close()
        self._commit()
        self._kept.close()

    def _tasks(self) -> Iterator[Task]:
        by_domain: dict[str, list[Entry]] = {}
        for number, text in enumerate(self._shape.addresses(self._count)):
            parts = _ADDRESS.fullmatch(text.strip())
            if parts is None:
                raise SystemExit(f"no address: {text}")
            by_domain.setdefault(parts[2].lower(), []).append((number, text))
        for domain, entries in by_domain.items():
            for at in range(0, len(entries), RECIPIENTS):
                yield domain, entries[at : at + RECIPIENTS]

    async def _visit(self, asker: Asker, domain: str, entries: list[Entry]) -> None:
        host = await self._once(asker, domain, 15)
        where = await self._once(asker, host, 1)
        loop = asyncio.get_running_loop()
        recipients = [text for _, text in entries]
        if domain not in self._made_up_taken:
            recipients.append(f"v{secrets.token_hex(8)}@{domain}")
        ended: asyncio.Future[list[bytes]] = loop.create_future()
        await loop.create_connection(
            lambda: _Session(recipients, ended), where, self._there.smtp_port
        )
        replies = await ended
        if len(replies) > len(entries):
            self._made_up_taken[domain] = replies[-1].startswith(b"2")
        for (number, text), reply in zip(entries, replies, strict=False):
            self._conclude(number, text, domain, reply)

    def _conclude(self, number: int, text: str, domain: str, reply: bytes) -> None:
        status, classification = _UNKNOWN
        if reply.startswith(b"2"):
            status, classification = _CATCH_ALL if self._made_up_taken[domain] else _KNOWN
        result = pb.Result(
            index=number,
            input_data=text,
            status=status,
            classification=classification,
            email_address=text,
            domain=domain,
            explanation=reply.decode("latin-1"),
        )
        self._results.append((number, result.SerializeToString()))
        if len(self._results) >= COMMIT_EVERY:
            self._commit()

    def _commit(self) -> None:
        with self._kept:
            self._kept.executemany("INSERT INTO results (entry, doc) VALUES (?, ?)", self._results)
        self._results = []

    async def _once(self, asker: Asker, name: str, rdtype: int) -> str:
        waiting = self._known.get(name)
        if waiting is None:
            waiting = self._known[name] = asker.ask(name, rdtype)
        return await waiting


class _Session(asyncio.Protocol):
    """EHLO, one group, QUIT; brings the replies to RCPT."""

    def __init__(self, recipients: list[str], ended: "asyncio.Future[list[bytes]]") -> None:
        self._ended = ended
        lines = ["MAIL FROM:<>", *(f"RCPT TO:<{address}>" for address in recipients), ""]
        group = "\r\n".join(lines).encode()
        self._steps = iter([(b"EHLO floor.test\r\n", 1), (group, len(lines) - 1), (b"QUIT\r\n", 1)])
        self._due = 1
        self._replies: list[bytes] = []
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\r\n")
        heard = [line for line in lines if line[3:4] != b"-"]
        self._replies += heard
        self._due -= len(heard)
        if self._due:
            return
        step = next(self._steps, None)
        if step is None:
            self._transport.close()
            self._ended.set_result(self._replies[3:-1])  # banner, EHLO, MAIL; QUIT
            return
        command, self._due = step
        self._transport.write(command)
