"""What the entries of a batch are, counted in SQL."""

from mailvet.model.batch import PHONE_LABEL, Batch, Removal
from mailvet.model.status import Deduplication
from mailvet.store.base_entries import EntryCounts
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS

WRONG_PHONE = (
    f"CASE WHEN labels = '' THEN 0 ELSE json_extract(labels, '$.\"{PHONE_LABEL}\"') IS '' END"
)
"""Whether the preparation looked at the phone number of a row and found none."""


def counts_of(connection: Connection, batch: Batch) -> EntryCounts:
    """Count the entries of a batch, as its settings are now."""
    # Wrong entries have keys of another kind, so no key is on both sides (batches.intake).
    off = batch.spec.deduplication is Deduplication.OFF
    firsts = "count(*)" if off else "count(DISTINCT nullif(key, 0)) + sum(key = 0)"
    bounds = (batch.key << KEY_BITS, (batch.key + 1) << KEY_BITS)
    (wrong_phone,) = connection.execute(
        f"SELECT count(*) FROM entry WHERE id >= ? AND id < ? AND {WRONG_PHONE}",  # noqa: S608
        bounds,
    ).fetchone()
    removed = wrong_phone if Removal.WRONG_PHONE in batch.spec.removal else 0
    stays = f" AND NOT {WRONG_PHONE}" if removed else ""
    counts = dict(
        connection.execute(
            f"SELECT domain = '', {firsts} FROM entry"  # noqa: S608
            f" WHERE id >= ? AND id < ?{stays} GROUP BY domain = ''",
            bounds,
        ).fetchall()
    )
    unique, wrong = counts.get(0, 0), counts.get(1, 0)
    duplicates = batch.entry_count - unique - wrong - removed
    return EntryCounts(unique, duplicates, wrong, removed, wrong_phone)
