"""Calls what is due, and notes what came of it: at least once for every end of a batch.

Deliveries are repeated for a day with growing waits that the store keeps, so a restart loses no
wait. They run beside the probing and never hold it up.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from mailvet.callbacks.event import body_of, event_id
from mailvet.callbacks.post import PostFailed
from mailvet.callbacks.signature import sign
from mailvet.callbacks.url import Target, UrlRules, read_url
from mailvet.errors import NotFound, Unavailable
from mailvet.model.batch import Batch, Progress
from mailvet.model.callback import CallbackCalls
from mailvet.store.base_callbacks import CallbackStore
from mailvet.telemetry.logs import logger

LOOK_EVERY_S = 1.0
"""A look that finds nothing reads one row of an index."""
AT_ONCE = 16
"""Calls under way; each takes 5 s at most."""
OF_A_TENANT = 8
"""Calls under way for one tenant: whose receivers are dead holds up nobody else's."""
LOOKED_AT = 500
"""Ends that are due and looked through for those of other tenants; a megabyte at most."""

WAITS_S = (5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 14_400, 14_400, 21_600, 10_800)
"""Before each further call: some 25 hours in all."""
JITTER = 0.1
"""Waits are up to this much longer, so that calls that failed together do not return together."""

GONE = 410
"""Says that nobody wants to be called there any more (RFC 9110 15.5.11)."""

_LOG = logger("callbacks")


class Outbox(CallbackStore, Protocol):
    """What the sender asks of a store."""

    async def progress(self, tenant: str, batch_id: str) -> tuple[Batch, Progress]:
        """See `Store.progress`."""
        ...


Post = Callable[[Target, str, Sequence[tuple[str, str]], bytes], Awaitable[int]]
"""Calls an address; returns the status of the answer, or raises `PostFailed`."""

Addresses = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the addresses of a host that may be called; none when there are none."""


class Outcome(NamedTuple):
    """What came of one call."""

    told: str
    delivered: bool = False
    over: bool = False
    """Whether nobody is to be called again."""


class Sender:
    """Sends what is due; `wall_clock` is seconds since the epoch."""

    def __init__(
        self,
        store: Outbox,
        *,
        secret: bytes,
        rules: UrlRules,
        addresses: Addresses,
        post: Post,
        wall_clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self._store = store
        self._secret = secret
        self._rules = rules
        self._addresses = addresses
        self._post = post
        self._wall_clock = wall_clock
        self._jitter = jitter
        self._waits_s = waits_s
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._tenants: Counter[str] = Counter()
        """How many of these each tenant has."""
        self._backlog = False
        """Whether more is due than there was room for."""

    async def run(self) -> None:
        """Send until cancelled; what is under way then is sent again after the next start."""
        try:
            while True:
                await self.begin()
                await self._pause()
        finally:
            for task in self._under_way.values():
                task.cancel()

    async def begin(self) -> int:
        """Begin the calls that are due, as many as there is room for; return how many."""
        self._backlog = len(self._under_way) >= AT_ONCE
        if self._backlog:
            return 0
        try:
            due = await self._store.due_callbacks(limit=LOOKED_AT)
        except Unavailable as error:
            _LOG.warning("callback.refused", reason=str(error))
            return 0
        fresh = [batch for batch in due if batch.key not in self._under_way]
        begun = 0
        for batch in fresh:
            if len(self._under_way) < AT_ONCE and self._tenants[batch.tenant] < OF_A_TENANT:
                self._begin(batch)
                begun += 1
        self._backlog = begun < len(fresh)
        return begun

    def _begin(self, batch: Batch) -> None:
        task = asyncio.ensure_future(self._deliver(batch))
        self._under_way[batch.key] = task
        self._tenants[batch.tenant] += 1
        task.add_done_callback(partial(self._ended, batch.key, batch.tenant))

    def _ended(self, key: int, tenant: str, _task: "asyncio.Task[None]") -> None:
        self._under_way.pop(key, None)
        self._tenants -= Counter((tenant,))  # which forgets who has none left

    async def _pause(self) -> None:
        """Wait a while; with more that is due, only until there is room for it."""
        if self._backlog and self._under_way:
            await asyncio.wait(
                list(self._under_way.values()),
                timeout=LOOK_EVERY_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
        else:
            await asyncio.sleep(LOOK_EVERY_S)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _deliver(self, batch: Batch) -> None:
        try:
            outcome = await self._call(batch)
            await self._store.note_calls(batch, self._after(batch.calls, outcome))
        except NotFound:  # deleted meanwhile
            return
        except Unavailable as error:  # it is due as before
            _LOG.warning("callback.refused", reason=str(error))
            return
        _LOG.info(
            "callback.sent",
            batch=batch.batch_id,
            outcome=outcome.told,
            attempt=batch.calls.attempts + 1,
        )

    async def _call(self, batch: Batch) -> Outcome:
        callback = batch.spec.callback
        assert callback is not None
        try:
            target = read_url(callback.url, self._rules)
        except ValueError as error:  # the operator's rules are others by now
            return Outcome(str(error), over=True)
        addresses = await self._addresses(target.host)
        if not addresses:
            return Outcome("the host has no address that may be called")
        _, progress = await self._store.progress(batch.tenant, batch.batch_id)
        body = body_of(batch, progress)
        message_id, timestamp = event_id(self._secret, batch), int(self._wall_clock())
        headers = (
            ("Content-Type", "application/json"),
            ("webhook-id", message_id),
            ("webhook-timestamp", str(timestamp)),
            ("webhook-signature", sign(callback.secrets, message_id, timestamp, body)),
            ("Idempotency-Key", message_id),
        )
        try:
            address = addresses[batch.calls.attempts % len(addresses)]
            status = await self._post(target, address, headers, body)
        except PostFailed as error:
            return Outcome(str(error))
        return Outcome(str(status), delivered=200 <= status < 300, over=status == GONE)

    def _after(self, before: CallbackCalls, outcome: Outcome) -> CallbackCalls:
        now = self._wall_clock()
        ended = outcome.delivered or outcome.over or before.attempts >= len(self._waits_s)
        next_time = None
        if not ended:
            next_time = now + self._waits_s[before.attempts] * (1 + JITTER * self._jitter())
        return CallbackCalls(before.attempts + 1, now, outcome.told, outcome.delivered, next_time)
