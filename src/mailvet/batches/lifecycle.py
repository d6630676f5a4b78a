"""A batch from its creation to its deletion, as callers steer it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b

from mailvet.batches.cursor import Marks
from mailvet.batches.drain import Drain
from mailvet.batches.forgetting import Forget, forget_answers, forget_nothing
from mailvet.batches.ids import new_batch_id
from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.listing import BatchPage, listed
from mailvet.batches.retention import settled
from mailvet.batches.upload import Chunk, Upload
from mailvet.batches.watch import Observer, Standing
from mailvet.errors import AlreadyExists, InvalidRequest, NotFound, Violation
from mailvet.model.batch import Batch, BatchSpec, Progress
from mailvet.model.status import BatchState
from mailvet.store import rules
from mailvet.store.base import Store
from mailvet.store.steering import SpecChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What a caller asks to be created."""

    batch_id: str = ""
    """The caller's own id; empty for a UUIDv7."""
    spec: BatchSpec
    retention_s: float | None = None
    """After the end; None as the tenant has it set."""
    entries: Sequence[RawEntry] = ()
    launch: bool = False
    request_id: str = ""
    validate_only: bool = False


class Batches:
    """The batches of every tenant, over one store; a foreign id and a missing id look the same."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        intake: Intake,
        marks: Marks,
        *,
        forget: Forget = forget_nothing,
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._observer = observer
        self._intake = intake
        self._marks = marks
        self._forget = forget
        self._wall_clock = wall_clock

    async def create(self, tenant: str, new: NewBatch) -> Standing:
        """Create a batch, or return the one an earlier call with the same request_id made.

        Raises `AlreadyExists`, and `RequestIdReused` when that call asked for something else.
        """
        spec = await settled(self._store, tenant, new.spec, new.retention_s)
        if new.validate_only:
            return await self._imagine(tenant, new, spec)
        created = await self._store.create_batch(
            tenant,
            new.batch_id or new_batch_id(self._wall_clock),
            spec,
            await self._intake.take(
                new.entries, new.spec.deduplication, bare_domains=new.spec.bare_domains
            ),
            launch=new.launch,
            request_id=new.request_id,
            request_hash=request_hash(new) if new.request_id else b"",
        )
        return await self._observer.look(tenant, created.batch.batch_id)

    async def _imagine(self, tenant: str, new: NewBatch, spec: BatchSpec) -> Standing:
        if new.batch_id and await self._exists(tenant, new.batch_id):
            raise AlreadyExists("batch", new.batch_id)
        count, now = len(new.entries), self._wall_clock()
        batch = Batch(
            key=0,
            tenant=tenant,
            batch_id="",
            spec=spec,
            state=BatchState.RUNNING if new.launch else BatchState.DRAFT,
            entry_count=count,
            create_time=now,
            launch_time=now if new.launch else None,
        )
        return Standing(batch, Progress(entry_count=count, result_count=0))

    async def _exists(self, tenant: str, batch_id: str) -> bool:
        try:
            await self._store.get_batch(tenant, batch_id)
        except NotFound:
            return False
        return True

    async def find(self, tenant: str, batch_id: str) -> Batch:
        """Return a batch or raise `NotFound`."""
        return await self._store.get_batch(tenant, batch_id)

    async def upload(self, tenant: str, batch_id: str) -> Upload:
        """Return an upload into a batch; raises `NotFound`."""
        return Upload(self._store, self._intake, await self._store.get_batch(tenant, batch_id))

    async def add(self, tenant: str, batch_id: str, chunk: Chunk) -> int:
        """Append one chunk; return how many entries are durably kept."""
        return await (await self.upload(tenant, batch_id)).append([chunk])

    async def launch(self, tenant: str, batch_id: str, *, etag: str = "") -> Standing:
        """Start the work; a running batch is returned as it is."""
        await self._store.launch_batch(tenant, batch_id, etag=etag)
        return await self._observer.look(tenant, batch_id)

    async def pause(self, tenant: str, batch_id: str, *, etag: str = "") -> Standing:
        """Hand out no more work of a batch; a paused one is returned as it is."""
        await self._store.pause_batch(tenant, batch_id, etag=etag)
        return await self._observer.look(tenant, batch_id)

    async def resume(self, tenant: str, batch_id: str, *, etag: str = "") -> Standing:
        """Go on with a paused batch; a running one is returned as it is."""
        await self._store.resume_batch(tenant, batch_id, etag=etag)
        return await self._observer.look(tenant, batch_id)

    async def update(
        self, tenant: str, batch_id: str, changes: SpecChanges, *, etag: str = ""
    ) -> Standing:
        """Change settings of a batch; a callback without secrets keeps those there are."""
        callback = changes.get("callback")
        if callback is not None and not callback.secrets:
            kept = (await self._store.get_batch(tenant, batch_id)).spec.callback
            if kept is None:
                told = "calls are signed: give a secret, `whsec_` and base64"
                raise InvalidRequest([Violation("batch.callback.secrets", told)])
            changes = {**changes, "callback": callback._replace(secrets=kept.secrets)}
        await self._store.update_batch(tenant, batch_id, changes, etag=etag)
        return await self._observer.look(tenant, batch_id)

    async def cancel(self, tenant: str, batch_id: str) -> Standing:
        """Stop a batch for good; one that ended is returned as it is."""
        await self._store.cancel_batch(tenant, batch_id)
        return await self._observer.look(tenant, batch_id)

    async def look(self, tenant: str, batch_id: str) -> Standing:
        """Return how a batch stands now."""
        return await self._observer.look(tenant, batch_id)

    async def get(self, tenant: str, batch_id: str, *, wait_s: float, drain: Drain) -> Standing:
        """Return how a batch stands; with `wait_s` once it ended or that time is over."""
        if wait_s <= 0:
            return await self._observer.look(tenant, batch_id)
        return await self._observer.look_at_end(tenant, batch_id, wait_s=wait_s, drain=drain)

    async def delete(
        self,
        tenant: str,
        batch_id: str,
        *,
        force: bool,
        allow_missing: bool = False,
        etag: str = "",
        forget: bool = False,
    ) -> int:
        """Erase a batch for good and return how many entries it had.

        With `forget` what is remembered of its addresses is forgotten too.
        """
        try:
            if forget:
                await self._forget_answers(tenant, batch_id, force=force, etag=etag)
                etag = ""  # it was the right one; ending the batch made another
            return await self._store.delete_batch(tenant, batch_id, force=force, etag=etag)
        except NotFound:
            if allow_missing:
                return 0
            raise

    async def _forget_answers(self, tenant: str, batch_id: str, *, force: bool, etag: str) -> None:
        batch = await self._store.get_batch(tenant, batch_id)
        rules.require_etag(batch, etag)
        rules.require_deletable(batch, force=force)
        # What is under way must not be remembered behind our back.
        await self._store.cancel_batch(tenant, batch_id)
        await forget_answers(self._store, batch, self._forget)

    async def page(self, tenant: str, asked: BatchPage) -> tuple[list[Standing], str, str]:
        """Return batches, and the tokens of the next page and the one before (empty for none)."""
        page = await listed(self._store, self._marks, tenant, asked)
        found = await self._look_at(page.batches)
        return found, page.next_page_token, page.previous_page_token

    async def _look_at(self, batches: list[Batch]) -> list[Standing]:
        standings = []
        for batch in batches:
            try:
                standings.append(await self._observer.look(batch.tenant, batch.batch_id))
            except NotFound:  # deleted since the list was read
                continue
        return standings


def request_hash(new: NewBatch) -> bytes:
    """Return the hash of everything a create call asks for, except its request_id."""
    spec = asdict(replace(new.spec, creator=""))  # another key may ask for the same
    asked = [new.batch_id, spec, list(new.entries), new.launch, new.retention_s]
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=32).digest()
