"""Which exports are kept, and for how long."""

from mailvet.files.dialects import OWN
from mailvet.model.batch import Batch
from mailvet.rpc.export_build import ExportSpec
from mailvet.rpc.exports import KEEP_S, MAX_KEPT, Export, Exports
from mailvet.store.memory import MemoryStore
from tests.batches.engine import work
from tests.store.samples import SPEC, Clock, entries

TENANT = "default"


def spec(*columns: str) -> ExportSpec:
    """CSV with some columns."""
    return ExportSpec("csv", OWN.name, columns, None, True)


async def ended(store: MemoryStore) -> Batch:
    """A batch with two results."""
    await store.create_batch(TENANT, "b", SPEC, entries(2), launch=True)
    await work(store)
    return await store.get_batch(TENANT, "b")


async def made(exports: Exports, batch: Batch, asked: ExportSpec, etag: str = "") -> Export:
    """An export that is ready, and nobody reads."""
    async with exports.opened(batch, asked, etag) as export:
        await export.task
    return export


async def test_a_file_is_kept_for_who_resumes() -> None:
    """The same for the same question, until its time is over."""
    store, clock = MemoryStore(), Clock()
    exports, batch = Exports(store, clock=clock), await ended(store)
    first = await made(exports, batch, spec("index"))
    etag = first.task.result().written.etag
    assert first is await made(exports, batch, spec("index"), etag)
    assert first is await made(exports, batch, spec("index"))
    assert first is not await made(exports, batch, spec("status"))
    clock.now += KEEP_S + 1
    again = await made(exports, batch, spec("index"), etag)
    assert first is not again
    assert etag == again.task.result().written.etag


async def test_few_files_are_kept() -> None:
    """The oldest that nobody reads goes first."""
    store = MemoryStore()
    exports, batch = Exports(store, clock=Clock()), await ended(store)
    names = ("index", "status", "custom", "domain", "tag", "input_data", "is_free", "is_masked")
    first = await made(exports, batch, spec("category"))
    last = [await made(exports, batch, spec(name)) for name in names][-1]
    assert len(names) == MAX_KEPT
    assert last is await made(exports, batch, spec(names[-1]))
    assert first is not await made(exports, batch, spec("category"))


async def test_what_nobody_waits_for_is_not_made() -> None:
    """Who leaves first ends it, unless another waits too."""
    store = MemoryStore()
    exports, batch = Exports(store, clock=Clock()), await ended(store)
    async with exports.opened(batch, spec(), "") as mine:
        async with exports.opened(batch, spec(), "") as same:
            assert mine is same
        assert not mine.task.done()
    assert mine.task.cancelled()


async def test_a_batch_is_forgotten() -> None:
    """Its files go at once, those of others stay."""
    store = MemoryStore()
    exports, batch = Exports(store, clock=Clock()), await ended(store)
    first = await made(exports, batch, spec())
    exports.forget("other", "b")
    assert first is await made(exports, batch, spec())
    exports.forget(TENANT, "b")
    assert first is not await made(exports, batch, spec())
