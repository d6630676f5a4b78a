"""A new batch from a filter of an old one, in the order of the old one."""

from dataclasses import dataclass, replace

from mailvet.batches.cursor import filter_binding
from mailvet.batches.intake import RawEntry
from mailvet.batches.lifecycle import Batches, NewBatch
from mailvet.batches.upload import Chunk
from mailvet.batches.watch import ENDED, Standing
from mailvet.errors import InvalidRequest, Violation, WrongState
from mailvet.model.batch import Batch, ResultFilter
from mailvet.model.status import QualityLevel
from mailvet.store.base import Store
from mailvet.store.chunks import Indexes, packed

PAGE = 2_000
"""Results or entries copied at a time: some ten milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverify:
    """What a caller asks to be verified again."""

    source_id: str
    where: ResultFilter | None
    batch_id: str = ""
    name: str = ""
    """Empty for that of the old batch."""
    quality: QualityLevel | None = None
    """None for one more than the old batch had."""
    launch: bool = False
    request_id: str = ""
    creator: str = ""


class Reverification:
    """Makes new batches from old ones."""

    def __init__(self, store: Store, batches: Batches) -> None:
        self._store = store
        self._batches = batches

    async def run(self, tenant: str, asked: Reverify) -> Standing:
        """Create a batch of the entries whose results pass, with the old one's settings.

        With a request_id it is safe to repeat: what a call that was cut off has left is gone on
        with. Raises `NotFound`, `WrongState` when the old batch has not ended, `AlreadyExists`,
        and `InvalidRequest` when nothing passes.
        """
        source = await self._store.get_batch(tenant, asked.source_id)
        if source.state not in ENDED:
            raise WrongState(
                source.batch_id, source.state.name, "a batch that ended", "wait for it"
            )
        indexes = await self._passing(source, asked.where)
        if not indexes:
            raise InvalidRequest([Violation("filter", "no result passes; ask for others")])
        created = (await self._batches.create(tenant, _new(source, asked))).batch
        await self._copy(source, indexes, created)
        if asked.launch:
            return await self._batches.launch(tenant, created.batch_id)
        return await self._batches.look(tenant, created.batch_id)

    async def _passing(self, source: Batch, where: ResultFilter | None) -> Indexes:
        found, sequence, caught_up = packed(), 0, False
        while not caught_up:
            page = await self._store.results_after(
                source.tenant, source.batch_id, sequence, limit=PAGE, where=where
            )
            found.extend([row.entry_index for row in page.rows])
            sequence, caught_up = page.sequence, page.caught_up
        return packed(sorted(found))

    async def _copy(self, source: Batch, indexes: Indexes, target: Batch) -> None:
        upload = await self._batches.upload(target.tenant, target.batch_id)
        for start in range(0, len(indexes), PAGE):
            entries = await self._store.entries_at(
                source.tenant, source.batch_id, indexes[start : start + PAGE]
            )
            raws = [RawEntry(one.input_data, one.custom, one.labels) for one in entries]
            await upload.append([Chunk(start, raws)])


def _new(source: Batch, asked: Reverify) -> NewBatch:
    spec = source.spec
    better = QualityLevel(min(spec.quality + 1, QualityLevel.EXTREME))
    request_id = asked.request_id
    if request_id:
        # The same id for another filter is another request.
        binding = filter_binding(source.tenant, asked.where).hex()
        request_id = f"reverify:{source.key}:{binding}:{request_id}"
    return NewBatch(
        batch_id=asked.batch_id,
        spec=replace(
            spec,
            name=asked.name or spec.name,
            quality=asked.quality or better,
            creator=asked.creator,
            max_age_s=0.0,  # who asks again wants no old answer
        ),
        request_id=request_id,
        retention_s=spec.retention_s,
    )
