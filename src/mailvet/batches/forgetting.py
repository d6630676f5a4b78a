"""Answers about the addresses of a batch that are remembered for later, forgotten with it."""

from collections.abc import Callable, Sequence

from mailvet.model.batch import Batch
from mailvet.store.base import Store

Forget = Callable[[str, Sequence[str]], None]
"""Forgets what is remembered of addresses, for a tenant and for all who share."""

PAGE = 2_000
"""Entries read at a time: some ten milliseconds."""


def forget_nothing(_tenant: str, _texts: Sequence[str]) -> None:
    """Stand in where no engine remembers anything."""


async def forget_answers(store: Store, batch: Batch, forget: Forget) -> None:
    """Have forgotten what is remembered of every address of a batch that is still there."""
    for start in range(0, batch.entry_count, PAGE):
        indexes = range(start, min(start + PAGE, batch.entry_count))
        entries = await store.entries_at(batch.tenant, batch.batch_id, indexes)
        forget(batch.tenant, [entry.input_data for entry in entries])
