"""The contract, for the audit log; over every store."""

import pytest

from mailvet.model.audit import AuditEvent, AuditFilter
from mailvet.store.base import Store

ONE = AuditEvent(
    100.0,
    "acme",
    "mailvet.v1.BatchService/DeleteBatch",
    "k1",
    "api_key",
    "b",
    "",
    "OK",
    "",
    "ipv4:192.0.2.1:5",
    "req-1",
)
OTHER = ONE._replace(tenant="other", event_time=200.0, key_id="k2")
KEY = ONE._replace(event_time=300.0, batch_id="", subject_key_id="k9", key_id="k3", call_count=7)


async def test_events_come_back_as_they_were(store: Store) -> None:
    """The newest first, numbered in the order in which they were added."""
    await store.add_audit([ONE, OTHER])
    await store.add_audit([KEY])
    rows = await store.list_audit(AuditFilter(), limit=10)

    assert [KEY, OTHER, ONE] == [row.event for row in rows]
    assert sorted((row.number for row in rows), reverse=True) == [row.number for row in rows]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (AuditFilter(tenant="acme"), [KEY, ONE]),
        (AuditFilter(tenant="nobody"), []),
        (AuditFilter(batch_id="b"), [OTHER, ONE]),
        (AuditFilter(key_id="k2"), [OTHER]),
        (AuditFilter(start_time=200.0), [KEY, OTHER]),
        (AuditFilter(end_time=200.0), [ONE]),
        (AuditFilter("acme", "b", "k1", 100.0, 101.0), [ONE]),
        (AuditFilter("other", "b", "k1"), []),
    ],
)
async def test_events_are_filtered(
    store: Store, where: AuditFilter, found: list[AuditEvent]
) -> None:
    """By tenant, batch, key and time, all together."""
    await store.add_audit([ONE, OTHER, KEY])
    assert found == [row.event for row in await store.list_audit(where, limit=10)]


async def test_events_are_read_in_pages(store: Store) -> None:
    """A page goes on below the last number."""
    await store.add_audit([ONE._replace(request_id=str(number)) for number in range(5)])
    found, before = [], None
    while rows := await store.list_audit(AuditFilter(), before=before, limit=2):
        found += [row.event.request_id for row in rows]
        before = rows[-1].number
    assert ["4", "3", "2", "1", "0"] == found


async def test_old_events_are_dropped(store: Store) -> None:
    """Those before a time; a number is not used again."""
    await store.add_audit([ONE, OTHER, KEY])
    assert 2 == await store.sweep_audit(300.0)
    assert 0 == await store.sweep_audit(300.0)
    (kept,) = await store.list_audit(AuditFilter(), limit=10)
    await store.add_audit([ONE])

    assert kept.event == KEY
    assert kept.number < (await store.list_audit(AuditFilter(), limit=1))[0].number
