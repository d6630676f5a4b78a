"""Ten hours of virtual time: three tenants call whatever they like, over real gRPC and both stores.

A model that knows prices and nothing else keeps the books beside the server's. At every turn they
must agree to the last half of a unit, and nothing that a tenant is sent may hold a word of another.
"""

import contextlib
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.model.batch import Answered, Claim, Deferral, ResultRow, Settlement
from mailvet.model.result import Result
from mailvet.model.status import EntryStatus, classification_of
from mailvet.model.usage import DAY_S
from mailvet.rpc.encode import encode_result
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from mailvet.v1 import batch_service_pb2 as batch_pb
from mailvet.v1 import erasure_pb2, usage_pb2, verification_service_pb2
from mailvet.v1 import result_service_pb2 as result_pb
from tests.rpc.test_tenants import key_of
from tests.rpc.world import World, answered, open_channel, open_world, told
from tests.store.samples import Clock

TEN_HOURS_S = 36_000
START = 20_000.0 * DAY_S + 19 * 3_600
"""Five hours before midnight, so that two days have a share."""

TENANTS = ("amber", "birch", "cedar")
"""No limit, a pack with free units, a pack that is soon used up."""

S = EntryStatus
PRICE = {1: 2, 2: 4, 3: 6}
"""Halves of a unit by quality level, as the catalogue says."""
ANSWERS = (S.SUCCESS, S.MAILBOX_DOES_NOT_EXIST, S.SERVER_IS_CATCH_ALL, S.SMTP_DIALOG_ERROR)
FAULTS = (S.UNHANDLED_EXCEPTION, S.LOCAL_EGRESS_UNAVAILABLE)


@dataclass
class Books:
    """What the model knows of one tenant, in halves of a unit."""

    limited: bool = False
    bought: int = 0
    daily_free: int = 0
    spent: Counter[int] = field(default_factory=Counter)
    """By day."""
    of_pack: Counter[int] = field(default_factory=Counter)
    kinds: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    batches: Counter[str] = field(default_factory=Counter)

    def charge(self, day: int, halves: int) -> None:
        """Free units of the day first, then the pack."""
        if self.limited:
            free = max(0, self.daily_free - (self.spent[day] - self.of_pack[day]))
            self.of_pack[day] += max(0, halves - free)
        self.spent[day] += halves


class Answerer:
    """Answers calls at random, and tells the model what it answered."""

    def __init__(self, life: "Life") -> None:
        self._life = life

    async def verify(
        self,
        entries: Sequence[tuple[str, str]],
        _budget_s: float,
        tenant: str,
        **_ages: float,
    ) -> list[Answered]:
        """One answer for each text that differs."""
        made: dict[str, Answered] = {}
        for text, _ in entries:
            if text in made:
                self._life.count(tenant, "free", 0)
                continue
            status, kind, halves = self._life.answer(2)
            made[text] = answered(_result(0, text, status, from_cache=kind == "cached"))
            self._life.count(tenant, kind, halves)
        return [made[text] for text, _ in entries]


def _result(index: int, text: str, status: EntryStatus, *, from_cache: bool = False) -> Result:
    return Result(
        index=index,
        input_data=text,
        status=status,
        classification=classification_of(status),
        from_cache=from_cache,
    )


class Life:
    """Three tenants, a worker, a clock; `step` is whatever happens next."""

    def __init__(self, seed: int, folder: Path | None) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock(START)
        self.books = {tenant: Books() for tenant in TENANTS}
        self.refused: Counter[str] = Counter()
        self.crashes = 0
        self.erased = 0
        self._folder = folder
        self._keys: dict[str, list[tuple[str, str]]] = {}
        self._qualities: dict[tuple[str, str], int] = {}
        self.store: Store = MemoryStore(clock=self.clock, lease_clock=self.clock, chunk_size=4)
        self.worlds: dict[str, World] = {}
        self._stack = AsyncExitStack()

    @property
    def day(self) -> int:
        return int(self.clock.now // DAY_S)

    def count(self, tenant: str, kind: str, halves: int) -> None:
        """Take down one answer."""
        self.books[tenant].kinds[self.day][kind] += 1
        self.books[tenant].charge(self.day, halves)

    def answer(self, price: int) -> tuple[EntryStatus, str, int]:
        """Return a status, what kind of charge it is, and the charge."""
        dice = self.chance.random()
        if dice < 0.1:
            return self.chance.choice(FAULTS), "unanswered", 0
        if dice < 0.3:
            return self.chance.choice(ANSWERS), "cached", price // 2
        return self.chance.choice(ANSWERS), "verified", price

    async def begin(self) -> None:
        """Open everything, and give the tenants what they may spend."""
        if self._folder is not None:
            self.store = await self._open(self._folder / "0")
        for tenant in TENANTS:
            self._keys[tenant] = await key_of(self.store, tenant)
        await self._allow("birch", bought=200, daily_free=60)
        await self._allow("cedar", bought=60, daily_free=10)
        await self._serve()

    async def _allow(self, tenant: str, *, bought: int, daily_free: int) -> None:
        books = self.books[tenant]
        books.limited, books.daily_free = True, daily_free
        books.bought += bought
        await self.store.set_balance(
            tenant, limited=True, add_halves=bought, daily_free_halves=daily_free
        )

    async def _open(self, folder: Path) -> Store:
        folder.mkdir(exist_ok=True)
        return await SqliteStore.open(
            folder / "store.db",
            clock=self.clock,
            lease_clock=self.clock,
            chunk_size=4,
            reserve_bytes=4096,
        )

    async def _serve(self) -> None:
        first = await self._stack.enter_async_context(
            open_world(
                self.store,
                verifier=Answerer(self),
                require_keys=True,
                clock=self.clock,
                wall_clock=self.clock,
            )
        )
        for tenant in TENANTS:
            channel = await self._stack.enter_async_context(
                open_channel(first.server.port, self._keys[tenant])
            )
            self.worlds[tenant] = World(
                self.store, first.server, channel, first.verifier, first.metrics, first.logs
            )

    async def end(self) -> None:
        """Close everything."""
        await self._stack.aclose()
        await self.store.close()

    async def crash(self) -> None:
        """The process ends; the files are opened as they are on disk."""
        if self._folder is None:
            return
        await self._read_ledgers()  # writes what calls were charged; a second of it may be lost
        old, copy = self._folder / str(self.crashes), self._folder / str(self.crashes + 1)
        copy.mkdir()
        for path in old.glob("store.db*"):
            shutil.copy(path, copy)
        await self.end()
        self.crashes += 1
        self._stack = AsyncExitStack()
        self.store = await self._open(copy)
        await self._serve()

    async def call(self, tenant: str, method: str, request: Any) -> list[Any]:
        """Call as a tenant; what comes back must not know of the others."""
        try:
            replies = await self.worlds[tenant].call(method, request)
        except grpc.aio.AioRpcError as error:
            found = told(error)
            self.refused[found.info.reason] += 1
            self._search(tenant, f"{found.message} {found.info}".encode())
            if found.info.metadata.get("subject") == "requests_per_second":
                self.clock.advance(1)
            return []
        for reply in replies:
            self._search(tenant, reply.SerializeToString())
        return replies

    def _search(self, tenant: str, sent: bytes) -> None:
        for other in TENANTS:
            assert other == tenant or other.encode() not in sent, (tenant, sent)

    async def step(self) -> None:
        """Let one thing happen, and then some time pass."""
        tenant = self.chance.choice(TENANTS)
        happening = self.chance.choice(
            [self._create] * 3
            + [self._launch] * 3
            + [self._verify] * 4
            + [self._steer, self._read, self._erase, self._peep, self._buy, self._forget]
        )
        await happening(tenant)
        for _ in range(self.chance.randrange(3)):
            await self._work()
        self.clock.advance(self.chance.expovariate(1 / 90))

    def _text(self, tenant: str) -> str:
        number = self.chance.randrange(20)
        dice = self.chance.random()
        if dice < 0.1:
            return f"{tenant}-without-an-at-sign-{number}"
        return f"{tenant}{number}@d{self.chance.randrange(3)}.{tenant}.example"

    async def _create(self, tenant: str) -> None:
        books = self.books[tenant]
        batch_id = f"b{len(books.batches)}"
        quality = self.chance.randint(1, 3)
        entries = [
            {"input_data": self._text(tenant), "custom": tenant}
            for _ in range(self.chance.randint(1, 12))
        ]
        request = batch_pb.CreateBatchRequest(
            batch_id=batch_id,
            name=tenant,
            quality=quality,  # type: ignore[arg-type]
            entries=entries,  # type: ignore[arg-type]
            launch=self.chance.random() < 0.3,
        )
        if await self.call(tenant, "BatchService/CreateBatch", request):
            books.batches[batch_id] = len(entries)

    def _some_batch(self, tenant: str) -> str:
        """One of the tenant's, or one that only others have: every tenant names them alike."""
        known = list(self.books[tenant].batches) or ["b0"]
        return self.chance.choice([*known, "b99"])

    async def _launch(self, tenant: str) -> None:
        request = batch_pb.LaunchBatchRequest(batch_id=self._some_batch(tenant))
        await self.call(tenant, "BatchService/LaunchBatch", request)

    async def _steer(self, tenant: str) -> None:
        verb = self.chance.choice(["PauseBatch", "ResumeBatch", "CancelBatch", "ResumeBatch"])
        request = getattr(batch_pb, f"{verb}Request")(batch_id=self._some_batch(tenant))
        await self.call(tenant, f"BatchService/{verb}", request)

    async def _erase(self, tenant: str) -> None:
        request = batch_pb.DeleteBatchRequest(batch_id=self._some_batch(tenant), force=True)
        await self.call(tenant, "BatchService/DeleteBatch", request)

    async def _forget(self, tenant: str) -> None:
        """Erase an address from everything, also from what a worker holds."""
        request = erasure_pb2.EraseAddressRequest(address=self._text(tenant))
        for reply in await self.call(tenant, "AccountService/EraseAddress", request):
            self.erased += reply.entry_count

    async def _verify(self, tenant: str) -> None:
        entries = [{"input_data": self._text(tenant)} for _ in range(self.chance.randint(1, 5))]
        request = verification_service_pb2.VerifyEmailsRequest(
            entries=entries  # type: ignore[arg-type]
        )
        await self.call(tenant, "VerificationService/VerifyEmails", request)

    async def _read(self, tenant: str) -> None:
        await self.call(tenant, "BatchService/ListBatches", batch_pb.ListBatchesRequest())
        for method in ("ListResults", "SummarizeResults"):
            request = getattr(result_pb, f"{method}Request")(batch_id=self._some_batch(tenant))
            await self.call(tenant, f"ResultService/{method}", request)

    async def _peep(self, tenant: str) -> None:
        """Ask for results with a batch_id that others may have."""
        for number in range(4):
            request = result_pb.ListResultsRequest(batch_id=f"b{number}")
            await self.call(tenant, "ResultService/ListResults", request)

    async def _buy(self, tenant: str) -> None:
        if self.books[tenant].limited and self.chance.random() < 0.3:
            self.books[tenant].bought += 21
            await self.store.set_balance(tenant, add_halves=21)

    async def _work(self) -> None:
        """A worker that is sometimes slow, sometimes dead, sometimes says the same twice."""
        await self.store.plan_launched()
        claims = await self.store.claim("w", max_entries=self.chance.randint(1, 12))
        if self.chance.random() < 0.1:
            self.clock.advance(60)  # its leases end, and somebody else takes over
            await self.store.reap()
        made = [self._settlement(claim) for claim in claims]
        held = await self.store.settle([settlement for settlement, _ in made])
        for (settlement, charges), kept in zip(made, held, strict=True):
            if kept:
                for kind, halves in charges:
                    self.count(settlement.claim.tenant, kind, halves)
        if self.chance.random() < 0.2:  # its answer was lost, so it says it again
            await self.store.settle([settlement for settlement, _ in made])

    def _settlement(self, claim: Claim) -> tuple[Settlement, list[tuple[str, int]]]:
        rows: list[ResultRow] = []
        charges, recalled, waits = [], [], []
        for one in claim.entries:
            if self.chance.random() < 0.15:
                waits.append(one.entry_index)
                continue
            if one.duplicate_of is not None:
                status, kind, halves = S.DUPLICATE, "free", 0
            elif "@" not in one.input_data:
                status, kind, halves = S.AT_SIGN_NOT_FOUND, "free", 0
            else:
                status, kind, halves = self.answer(PRICE[claim.quality])
            if kind == "cached":
                recalled.append(one.entry_index)
            charges.append((kind, halves))
            rows.append(encode_result(_result(one.entry_index, one.input_data, status)))
        later = [Deferral(tuple(waits), self.clock.now + 90)] if waits else []
        return Settlement(claim, rows, later, frozenset(recalled)), charges

    async def _read_ledgers(self) -> None:
        for tenant in TENANTS:
            await self.worlds[tenant].call(
                "AccountService/ListDailyUsage", usage_pb2.ListDailyUsageRequest()
            )
            self.clock.advance(1)

    async def check(self) -> None:
        """The server's books are the model's."""
        await self._read_ledgers()
        for tenant, books in self.books.items():
            lines = await self.store.daily_usage(tenant, 0, 10**6, limit=100)
            assert {day: halves for day, halves in books.spent.items() if books.kinds[day]} == {
                line.day: line.usage.halves for line in lines
            }
            for line in lines:
                kinds = books.kinds[line.day]
                assert line.usage[:4] == tuple(
                    kinds[kind] for kind in ("verified", "cached", "free", "unanswered")
                )
                assert books.of_pack[line.day] == line.pack_halves
            balance = await self.store.get_balance(tenant)
            assert books.bought - sum(books.of_pack.values()) == balance.pack_halves
            assert not books.limited or balance.available_halves >= 0


@asynccontextmanager
async def living(seed: int, folder: Path | None) -> AsyncIterator[Life]:
    """A life that has begun; it is closed, however it went."""
    life = Life(seed, folder)
    await life.begin()
    try:
        yield life
    finally:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await life.end()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_ten_hours_of_three_tenants(kind: str, tmp_path: Path) -> None:
    """The ledger adds up to the last unit, and no byte crosses tenants."""
    async with living(7, tmp_path if kind == "sqlite" else None) as life:
        turn = 0
        while life.clock.now < START + TEN_HOURS_S:
            await life.step()
            turn += 1
            if turn % 25 == 0:
                await life.check()
            if turn % 100 == 0:
                await life.crash()
        await life.check()

        assert {20_000, 20_001} <= set(life.books["amber"].spent)
        for books in life.books.values():
            assert sum(books.spent.values()) > 60
            assert books.batches
        assert life.refused["INSUFFICIENT_BALANCE"] > 5
        assert life.refused["NOT_FOUND"] > 5
        assert life.erased > 5
        assert kind == "memory" or life.crashes > 2
