"""The contract, for selecting batches; over every store."""

import pytest

from mailvet.model.batch import Batch, BatchSpec
from mailvet.model.selection import Condition, Expression, Junction, Negation, Order, Selection
from mailvet.model.status import BatchState, QualityLevel
from mailvet.model.targeting import Targeting
from mailvet.store.base import Store
from mailvet.store.selection import place_of
from tests.store.samples import TENANT, Clock, entries

NEWEST = (Order("key", descending=True),)


async def fill(store: Store, clock: Clock) -> None:
    """Four batches, of which the third runs."""
    for number, spec in enumerate(
        (
            BatchSpec(name="spring [1]", priority=9, labels={"team": "shop", "odd \"'.": "x"}),
            BatchSpec(name="Spring?", targeting=Targeting("SG", 9, 115, 16)),
            BatchSpec(name="autumn", priority=9, labels={"team": "it"}, quality=QualityLevel.HIGH),
            BatchSpec(name="", description="of spring"),
        )
    ):
        clock.advance(10)
        launch = number == 2
        await store.create_batch(TENANT, f"b{number}", spec, entries(number), launch=launch)
    await store.create_batch("other", "foreign", BatchSpec(name="spring"))


def is_(field: str, operator: str, value: str | float) -> Condition:
    return Condition(field, operator, value)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, "3210"),
        (is_("state", "=", BatchState.RUNNING), "2"),
        (is_("name", "=", "spring [1]"), "0"),
        (is_("name", "=", "spring*"), "0"),
        (is_("name", "=", "*[1]"), "0"),
        (is_("name", "=", "Spring?*"), "1"),
        (is_("name", "=", "*"), "3210"),
        (is_("description", ":", "spring"), "3"),
        (is_("name", ":", "[1"), "0"),
        (is_("labels.team", "=", "shop"), "0"),
        (is_("labels.team", "!=", "shop"), "2"),
        (is_("labels.team", "=", "*"), "20"),
        (Negation(is_("labels.team", "=", "shop")), "321"),
        (is_("labels.odd \"'.", "=", "x"), "0"),
        (is_("targeting.country", "=", "SG"), "1"),
        (is_("targeting.audience", "!=", 1), "1"),
        (is_("targeting.market_industry", ">=", 115), "1"),
        (Negation(is_("targeting.objective", "=", 16)), "320"),
        (is_("priority", "<", 10), "20"),
        (is_("entry_count", ">=", 2), "32"),
        (is_("launch_time", ">", 0), "2"),
        (Negation(is_("launch_time", ">", 0)), "310"),
        (is_("create_time", "<=", 1_000_020.0), "10"),
        (is_("quality", "=", QualityLevel.HIGH), "2"),
        (
            Junction((is_("priority", "=", 9), is_("labels.team", "=", "it")), every=True),
            "2",
        ),
        (Junction((is_("name", "=", ""), is_("labels.team", "=", "it")), every=False), "32"),
    ],
)
async def test_batches_are_selected(
    store: Store, clock: Clock, where: Expression | None, expected: str
) -> None:
    """What a batch does not have meets no condition; another tenant's are not seen."""
    await fill(store, clock)
    found = await store.select_batches(TENANT, Selection(where, NEWEST, (), 10))
    assert [f"b{number}" for number in expected] == [batch.batch_id for batch in found]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((Order("name"),), "3120"),
        ((Order("priority"), Order("name", descending=True)), "0213"),
        ((Order("launch_time", descending=True),), "2310"),
        ((Order("entry_count"),), "0123"),
    ],
)
@pytest.mark.parametrize("size", [1, 3])
async def test_an_order_goes_on_after_any_batch(
    store: Store, clock: Clock, order: tuple[Order, ...], expected: str, size: int
) -> None:
    """Page by page it is the same list as at once; ties are the newest first."""
    await fill(store, clock)
    whole = (*order, *NEWEST)
    found: list[Batch] = []
    page: list[Batch] = []
    while page or not found:
        after = place_of(found[-1], whole) if found else ()
        page = await store.select_batches(TENANT, Selection(None, whole, after, size))
        found += page
    assert [f"b{number}" for number in expected] == [batch.batch_id for batch in found]


async def test_only_batches_of_some_states_are_selected(store: Store, clock: Clock) -> None:
    """Beside the expression."""
    await fill(store, clock)
    states = frozenset({BatchState.RUNNING, BatchState.PAUSED})
    found = await store.select_batches(TENANT, Selection(None, NEWEST, (), 10), states=states)
    assert ["b2"] == [batch.batch_id for batch in found]
