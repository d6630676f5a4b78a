"""What is remembered of entries taken in of late, and that nobody can tell it from the file."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from mailvet.errors import OffsetGap
from mailvet.model.batch import BatchSpec, Claim, Entry
from mailvet.model.status import Deduplication
from mailvet.store import sqlite_plan
from mailvet.store.fresh import MAX_DOMAINS, Fresh, Recent, appended
from mailvet.store.hindrances import MEMORY_SHORT
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import SPEC, TENANT, Clock, entries, entry, finish, indexes_of
from tests.store.test_base_erasing import CANARY, wanted

MIXED = [
    Entry("no at sign", "first", "", 1),
    entry("ann", "a.example", key=2, custom="zweite Stelle: ä"),
    Entry("δοκιμή@παράδειγμα.example", "", "xn--hxajbheg2az3al.example", 3),
    entry("ann", "a.example", key=2),
    entry("bob", "b.example", key=4, custom="\N{OK HAND SIGN}"),
    Entry("no at sign", "", "", 1),
    Entry("", "", "", 0),
]


def told(recent: Recent | None) -> list[tuple[str, str, str, int]]:
    """All that is remembered of a batch."""
    assert recent is not None
    numbers = range(recent.count)
    texts, customs = recent.texts.pick(numbers), recent.customs.pick(numbers)
    return list(
        zip(texts, customs, recent.domains(0, recent.count), list(recent.keys), strict=True)
    )


def test_what_is_remembered_is_what_was_committed() -> None:
    """Every text, in any script, whatever parts it came in."""
    fresh = Fresh()
    for start, stop in ((0, 3), (3, 4), (4, 7)):
        fresh.note(appended(1, start, MIXED[start:stop]))
    expected = [(one.input_data, one.custom, one.domain, one.key) for one in MIXED]
    assert expected == told(fresh.of(1))
    recent = fresh.of(1)
    assert recent is not None
    assert ["", "no at sign"] == recent.texts.pick([6, 0])
    assert ["a.example", "b.example"] == recent.domains(3, 5)


def test_a_batch_with_a_gap_is_forgotten() -> None:
    """Neither what came before the gap nor what comes after it is kept."""
    fresh = Fresh()
    fresh.note(appended(1, 0, MIXED[:2]))
    fresh.note(appended(1, 3, MIXED[3:]))
    assert fresh.of(1) is None
    fresh.note(appended(1, 7, MIXED))
    assert fresh.of(1) is None


def test_of_many_batches_the_longest_untouched_is_forgotten_first() -> None:
    """One that is too large alone is not kept either; what is forgotten counts no more."""
    some = entries(10)
    fresh = Fresh(max_bytes=1100)
    for key in (1, 2):
        fresh.note(appended(key, 0, some))
    fresh.note(appended(1, 10, some))
    fresh.note(appended(3, 0, some))
    assert [False, True, False, True] == [fresh.of(key) is not None for key in (2, 1, 4, 3)]
    fresh.drop(1)
    fresh.drop(3)
    fresh.note(appended(4, 0, some * 2))
    assert 2 * len(some) == len(told(fresh.of(4)))
    fresh.note(appended(5, 0, some * 30))
    assert fresh.of(5) is None


def test_a_batch_of_too_many_domains_is_not_remembered() -> None:
    """The file makes its plan."""
    fresh = Fresh()
    run = [Entry("", "", f"d{number}.example", 0) for number in range(MAX_DOMAINS + 1)]
    fresh.note(appended(1, 0, run[:-1]))
    assert fresh.of(1) is not None
    fresh.note(appended(1, MAX_DOMAINS, run[-1:]))
    assert fresh.of(1) is None


@pytest.mark.parametrize("keep_last", [False, True])
@pytest.mark.parametrize("deduplication", [Deduplication.SAFE, Deduplication.OFF])
async def test_plans_and_claims_from_memory_are_those_from_the_file(
    sqlite: SqliteStore, clock: Clock, keep_last: bool, deduplication: Deduplication
) -> None:
    """The same chunks of the same entries."""
    spec = BatchSpec(keep_last=keep_last, deduplication=deduplication)
    rows = MIXED + entries(30)
    key = (await sqlite.create_batch(TENANT, "b1", spec, rows[:9])).batch.key
    await sqlite.append_entries(TENANT, "b1", 9, rows[9:])
    await sqlite.launch_batch(TENANT, "b1")
    recent = sqlite._file.fresh.of(key)
    assert len(rows) == len(told(recent))
    plans = [
        await sqlite._file.read(partial(sqlite_plan.plan, key=key, chunk_size=4, recent=one))
        for one in (recent, None)
    ]
    assert plans[0] == plans[1]

    await sqlite.plan_launched()
    claims = await _claimed(sqlite)
    assert sorted(range(len(rows))) == sorted(indexes_of(claims))
    for claim in claims:
        for index, text, custom, _ in claim.entries:
            assert (rows[index].input_data, rows[index].custom) == (text, custom)
    sqlite._file.fresh.drop(key)
    clock.advance(100)
    await sqlite.reap()
    again = {claim.chunk: claim.entries for claim in await _claimed(sqlite)}
    assert {claim.chunk: claim.entries for claim in claims} == again


async def _claimed(store: SqliteStore) -> list[Claim]:
    claims: list[Claim] = []
    while some := await store.claim("w", max_entries=10):
        claims += some
    return claims


async def test_what_is_cut_short_in_memory_is_read_from_the_file(sqlite: SqliteStore) -> None:
    """A batch of which the memory has a part only is worked off all the same."""
    key = (await sqlite.create_batch(TENANT, "b1", SPEC, entries(9))).batch.key
    await sqlite.launch_batch(TENANT, "b1")
    part = sqlite._file.fresh._batches[key] = Recent()
    part.extend(appended(key, 0, entries(4)))
    await sqlite.plan_launched()
    claims = await _claimed(sqlite)
    assert list(range(9)) == sorted(indexes_of(claims))
    assert {f"user{n}@d{n % 3}.example" for n in range(9)} == {
        one.input_data for claim in claims for one in claim.entries
    }


async def _delete(store: SqliteStore) -> None:
    await store.delete_batch(TENANT, "b1", force=True)


async def _cancel(store: SqliteStore) -> None:
    await store.cancel_batch(TENANT, "b1")


async def _complete(store: SqliteStore) -> None:
    await store.launch_batch(TENANT, "b1")
    await store.plan_launched()
    await finish(store)


async def _rekey(store: SqliteStore) -> None:
    await store.rekey_entries(TENANT, "b1", 1, [5])


async def _erase(store: SqliteStore) -> None:
    await store.erase_address(TENANT, wanted())


@pytest.mark.parametrize("end", [_delete, _cancel, _complete, _rekey, _erase])
async def test_what_is_not_wanted_any_more_is_forgotten(
    sqlite: SqliteStore, end: Callable[[SqliteStore], Awaitable[None]]
) -> None:
    """Memory holds no address that the file does not hold, and none that nobody works on."""
    rows = [*entries(3), Entry(CANARY, "", CANARY.partition("@")[2], 0)]
    key = (await sqlite.create_batch(TENANT, "b1", SPEC, rows)).batch.key
    other = (await sqlite.create_batch(TENANT, "b2", SPEC, entries(3))).batch.key
    fresh = sqlite._file.fresh
    assert fresh.of(key) is not None
    await end(sqlite)
    assert fresh.of(key) is None
    assert fresh.of(other) is not None


async def test_what_was_refused_is_not_remembered(sqlite: SqliteStore) -> None:
    """Only committed entries are."""
    key = (await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))).batch.key
    with pytest.raises(OffsetGap):
        await sqlite.append_entries(TENANT, "b1", 5, entries(3))
    assert 3 == len(told(sqlite._file.fresh.of(key)))
    await sqlite.append_entries(TENANT, "b1", 1, entries(5))
    assert 6 == len(told(sqlite._file.fresh.of(key)))


async def test_when_memory_is_short_all_is_forgotten(sqlite: SqliteStore) -> None:
    """What is told then is read from the file; batches that come later are remembered again."""
    key = (await sqlite.create_batch(TENANT, "b1", SPEC, entries(3), launch=True)).batch.key
    await sqlite.note_hindrance(MEMORY_SHORT, "1 MiB of 1")
    assert sqlite._file.fresh.of(key) is None
    await sqlite.note_hindrance(MEMORY_SHORT, None)
    later = (await sqlite.create_batch(TENANT, "b2", SPEC, entries(3))).batch.key
    assert sqlite._file.fresh.of(later) is not None
    await sqlite.plan_launched()
    assert [0, 1, 2] == sorted(indexes_of(await _claimed(sqlite)))
