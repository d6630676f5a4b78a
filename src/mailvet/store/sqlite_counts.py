"""What the entries of a batch are, counted in SQL."""

from mailvet.model.batch import Batch
from mailvet.model.status import Deduplication
from mailvet.store.base_entries import EntryCounts
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS


def counts_of(connection: Connection, batch: Batch) -> EntryCounts:
    """Count the entries of a batch, as its settings are now."""
    # Wrong entries have keys of another kind, so no key is on both sides (batches.intake).
    off = batch.spec.deduplication is Deduplication.OFF
    firsts = "count(*)" if off else "count(DISTINCT nullif(key, 0)) + sum(key = 0)"
    counts = dict(
        connection.execute(
            f"SELECT domain = '', {firsts} FROM entry"  # noqa: S608
            " WHERE id >= ? AND id < ? GROUP BY domain = ''",
            (batch.key << KEY_BITS, (batch.key + 1) << KEY_BITS),
        ).fetchall()
    )
    unique, wrong = counts.get(0, 0), counts.get(1, 0)
    return EntryCounts(unique, batch.entry_count - unique - wrong, wrong)
