"""What every store promises about erasing one address; and that it is gone from disk."""

from pathlib import Path

import pytest

from mailvet.batches.erasure import wanted_address
from mailvet.model.address import Address
from mailvet.model.batch import BatchSpec, Entry, Settlement
from mailvet.model.result import Evidence, Result, SmtpEvidence
from mailvet.model.status import BatchState, EntryStatus, classification_of
from mailvet.rpc import frames
from mailvet.rpc.encode import encode_result
from mailvet.rpc.erase import Results
from mailvet.store.base import Store
from mailvet.store.erasing import ERASED_TEXT, Erasure, Wanted
from mailvet.store.sqlite import SqliteStore
from mailvet.syntax import parse
from mailvet.v1 import result_pb2
from tests.store.samples import TENANT, finish, indexes_of
from tests.store.test_sqlite_erase import canaries

CANARY = "canary@c.example"


def wanted() -> Wanted:
    """The address that is to go."""
    parsed = parse(CANARY)
    assert isinstance(parsed, Address)
    return wanted_address(parsed, Results())


def entry(text: str, custom: str = "", labels: str = "") -> Entry:
    """An entry as intake makes it."""
    parsed = parse(text)
    domain = parsed.domain.ascii if isinstance(parsed, Address) else ""
    return Entry(text, custom, domain, 0, labels)


ENTRIES = [
    entry("ann@a.example"),
    entry("Canary@C.example", "k1", '{"name": "x"}'),
    entry("bob@b.example", f"of {CANARY}"),
    entry("eve@c.example"),
    entry("dan@d.example", "", f'{{"boss": "{CANARY}"}}'),
    entry(f"mail {CANARY} now"),
    entry("thecanary@c.example"),
]
HOLDING = {1, 2, 4, 5}


def result(index: int, text: str) -> Result:
    """An answer that says in many places whom it is about."""
    status = EntryStatus.SUCCESS
    return Result(
        index=index,
        input_data=text,
        custom="mine",
        status=status,
        classification=classification_of(status),
        email_address=text,
        local_part=text.partition("@")[0],
        canonical=text,
        explanation=f"mx says <{text}> is fine",
        suggestions=(CANARY,) if index == 3 else (),
        complete_time=1_700_000_000.0,
        evidence=Evidence(
            mailbox=SmtpEvidence(stage="rcpt", host="mx", address="192.0.2.1", text=f"<{text}> ok")
        ),
    )


async def fill(store: Store, batch_id: str = "b1", tenant: str = TENANT) -> None:
    """A batch with the address in four of seven entries, running, planned."""
    spec = BatchSpec(name=f"for {CANARY}", description="x", labels={"to": CANARY})
    await store.create_batch(tenant, batch_id, spec, ENTRIES, launch=True)
    await store.plan_launched()


async def answer(store: Store) -> None:
    """Answer everything that is ready."""
    while claims := await store.claim("w", max_entries=100):
        for claim in claims:
            rows = [encode_result(result(one.entry_index, one.input_data)) for one in claim.entries]
            await store.settle([Settlement(claim, rows, [])])


async def shown(
    store: Store, batch_id: str = "b1", tenant: str = TENANT
) -> dict[int, result_pb2.Result]:
    """The results of a batch as callers read them."""
    page = await store.results_after(tenant, batch_id, 0, limit=100)
    view = result_pb2.RESULT_VIEW_EVIDENCE
    return {
        row.entry_index: result_pb2.Result.FromString(frames.body(row, view)) for row in page.rows
    }


async def test_an_answered_entry_keeps_its_place_and_its_status(store: Store) -> None:
    """Its texts are gone; others keep theirs, but for what they mention."""
    await fill(store)
    await answer(store)
    before = await shown(store)
    erasure = await store.erase_address(TENANT, wanted())
    after = await shown(store)

    assert (["b1"], 4, 5, 0) == (
        erasure.batch_ids,
        erasure.entry_count,
        erasure.result_count,
        erasure.file_count,
    )
    assert list(before) == list(after)
    for index in HOLDING:
        one = after[index]
        texts = (one.input_data, one.custom, one.email_address, one.local_part)
        assert (ERASED_TEXT, "", "", "") == texts
        assert EntryStatus.SUCCESS.value == one.status
        assert before[index].complete_time == one.complete_time
    assert [ERASED_TEXT] == list(after[3].suggestions)
    assert "eve@c.example" == after[3].input_data == after[3].email_address
    assert before[0] == after[0]
    assert before[6] == after[6]
    kept = await store.entries_at(TENANT, "b1", range(len(ENTRIES)))
    assert [ERASED_TEXT if n in HOLDING else ENTRIES[n].input_data for n in range(7)] == [
        one.input_data for one in kept
    ]
    spec = (await store.get_batch(TENANT, "b1")).spec
    assert (f"for {ERASED_TEXT}", {"to": ERASED_TEXT}) == (spec.name, dict(spec.labels))


async def test_joined_pages_are_clean_too(store: Store) -> None:
    """The same bytes, whichever way they are read, in each view."""
    await fill(store)
    await answer(store)
    await store.erase_address(TENANT, wanted())
    page = await store.results_after(TENANT, "b1", 0, limit=100)
    (joined,) = await store.joined_after(TENANT, "b1", 0, limit=100, max_bytes=10**6)

    assert b"".join(row.doc for row in page.rows) == joined.docs
    for row in page.rows:
        for view in (result_pb2.RESULT_VIEW_BASIC, result_pb2.RESULT_VIEW_EVIDENCE):
            assert CANARY.encode() not in frames.body(row, view).replace(b"thecanary", b"")


async def test_what_a_worker_holds_does_not_come_back(store: Store) -> None:
    """Its lease ends; whoever takes over finds a blank text, and the batch completes."""
    await fill(store)
    claims = await store.claim("w", max_entries=100)
    erasure = await store.erase_address(TENANT, wanted())
    settlements = [
        Settlement(
            claim,
            [encode_result(result(one.entry_index, one.input_data)) for one in claim.entries],
            [],
        )
        for claim in claims
    ]
    held = await store.settle(settlements)
    for claim, kept in zip(claims, held, strict=True):
        assert kept == HOLDING.isdisjoint(indexes_of([claim]))
    await answer(store)

    assert 4 == erasure.entry_count
    assert BatchState.COMPLETED is (await store.get_batch(TENANT, "b1")).state
    found = await shown(store)
    assert {ERASED_TEXT} == {found[index].input_data for index in HOLDING}
    assert CANARY not in str(found[0]) + str(found[6]).replace("thecanary", "")


async def test_another_tenant_keeps_its_own(store: Store) -> None:
    """The same address in its batch of the same name is not touched."""
    await fill(store)
    await fill(store, tenant="other")
    await store.erase_address(TENANT, wanted())

    kept = await store.entries_at("other", "b1", range(len(ENTRIES)))
    assert list(ENTRIES) == list(kept)


async def test_erasing_again_finds_nothing(store: Store) -> None:
    """It is safe to repeat, and says so."""
    await fill(store)
    await answer(store)
    await store.erase_address(TENANT, wanted())

    assert Erasure([]) == await store.erase_address(TENANT, wanted())


@pytest.mark.parametrize("in_entries", [True, False])
async def test_a_file_goes_as_a_whole(store: Store, in_entries: bool) -> None:
    """Where an entry of it has the address, or its bytes have, also across its pieces."""
    await store.create_batch(TENANT, "b1", BatchSpec())
    await store.open_upload(TENANT, "b1", "list.csv", "{}")
    text = b"x" * 50 if in_entries else b"mail\nx;CANARY@c.exa"
    await store.append_upload(TENANT, "b1", 0, text)
    await store.append_upload(TENANT, "b1", len(text), b"mple;y\n")
    if in_entries:
        await store.append_entries(TENANT, "b1", 0, ENTRIES[:2])
    before = await store.stored_bytes(TENANT)
    erasure = await store.erase_address(TENANT, wanted())

    assert (1, int(in_entries)) == (erasure.file_count, erasure.entry_count)
    assert await store.get_upload(TENANT, "b1") is None
    assert await store.stored_bytes(TENANT) < before


async def test_a_file_without_it_stays(store: Store) -> None:
    """Nothing of the batch is touched."""
    await store.create_batch(TENANT, "b1", BatchSpec())
    await store.open_upload(TENANT, "b1", "list.csv", "{}")
    await store.append_upload(TENANT, "b1", 0, b"ann@c.example\n")
    assert Erasure([]) == await store.erase_address(TENANT, wanted())
    assert await store.get_upload(TENANT, "b1") is not None


async def test_it_is_gone_from_disk(sqlite: SqliteStore, tmp_path: Path) -> None:
    """From the tables and from the log, while the store is open and after it was closed."""
    for number in range(3):
        await fill(sqlite, f"b{number}")
    await answer(sqlite)
    await fill(sqlite, "b9")
    assert canaries(tmp_path, b"canary@c.example")
    await sqlite.erase_address(TENANT, wanted())

    def left() -> int:
        whole = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
        return whole.replace(b"thecanary", b"").count(b"canary@c.example")

    assert 0 == left()
    await finish(sqlite)
    await sqlite.close()
    assert 0 == left()
