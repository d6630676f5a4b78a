"""What the entries of a batch are, counted in SQL."""

from mailvet.model.batch import NO_PHONE, Batch, Removal
from mailvet.model.status import Deduplication
from mailvet.store.base_entries import EntryCounts
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS

WRONG_PHONE = f"(instr(labels, '{NO_PHONE}') > 0)"
"""Whether the preparation looked at the phone number of a row and found none."""


def counts_of(connection: Connection, batch: Batch) -> EntryCounts:
    """Count the entries of a batch, as its settings are now."""
    # Wrong entries have keys of another kind, so no key is on both sides (batches.intake).
    off = batch.spec.deduplication is Deduplication.OFF
    firsts = "count(*)" if off else "count(DISTINCT nullif(key, 0)) + sum(key = 0)"
    bounds = (batch.key << KEY_BITS, (batch.key + 1) << KEY_BITS)
    removes = Removal.WRONG_PHONE in batch.spec.removal
    stays = f" AND NOT {WRONG_PHONE}" if removes else ""
    unique = wrong = wrong_phone = 0
    for is_wrong, count, phones in connection.execute(
        f"SELECT domain = '', {firsts}, sum({WRONG_PHONE}) FROM entry"  # noqa: S608
        f" WHERE id >= ? AND id < ?{stays} GROUP BY domain = ''",
        bounds,
    ):
        wrong_phone += phones
        if is_wrong:
            wrong = count
        else:
            unique = count
    if removes:
        (wrong_phone,) = connection.execute(
            f"SELECT count(*) FROM entry WHERE id >= ? AND id < ? AND {WRONG_PHONE}",  # noqa: S608
            bounds,
        ).fetchone()
    removed = wrong_phone if removes else 0
    duplicates = batch.entry_count - unique - wrong - removed
    return EntryCounts(unique, duplicates, wrong, removed, wrong_phone)
