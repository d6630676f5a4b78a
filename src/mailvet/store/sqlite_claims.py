"""What was claimed, read: a chunk's entries, from memory or the file, and its batch's settings."""

import json
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

from mailvet.model.batch import Claim, WorkEntry
from mailvet.model.named import new
from mailvet.model.ruling import OverrideRule, TenantRules
from mailvet.model.status import QualityLevel
from mailvet.store import sqlite_rules
from mailvet.store.chunks import from_blob
from mailvet.store.fresh import Recent
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.suspects import POISONED


class Held(NamedTuple):
    """A chunk just claimed, before its entries are read."""

    chunk: int
    fence: int
    batch_key: int
    attempt: int
    first_attempt_at: float | None
    indexes: bytes
    originals: bytes | None
    deaths: int


def load(
    connection: Connection, held: Sequence[Held], recent: Mapping[int, Recent | None]
) -> list[Claim]:
    """Return the claims with their entries; a chunk whose batch went meanwhile is left out.

    `recent` is what of the entries is in memory, by the key of the batch.
    """
    claims = []
    batches: dict[int, _Batch | None] = {}
    tenants: dict[str, TenantRules] = {}
    for chunk in held:
        key = chunk.batch_key
        if key not in batches:
            batches[key] = _batch(connection, key, tenants)
        batch = batches[key]
        if batch is None:
            continue
        inside = recent.get(key)
        if inside is None or inside.count < batch.entry_count:
            entries = _entries(connection, chunk)
        else:
            entries = _recent_entries(inside, chunk)
        if entries:
            claims.append(_claim(chunk, batch, entries))
    return claims


class _Batch(NamedTuple):
    """What every claim of a batch says."""

    tenant: str
    quality: QualityLevel
    rules: tuple[OverrideRule, ...]
    tenant_rules: TenantRules
    max_age_s: float
    max_shared_age_s: float
    bare_domains: bool
    entry_count: int


def _batch(connection: Connection, key: int, tenants: dict[str, TenantRules]) -> _Batch | None:
    row = connection.execute(
        "SELECT tenant, quality, rules, max_age_s, max_shared_age_s, bare_domains, entry_count"
        " FROM batch WHERE key = ?",
        (key,),
    ).fetchone()
    if row is None:
        return None
    tenant, quality, own, max_age_s, max_shared_age_s, bare_domains, entry_count = row
    if tenant not in tenants:
        tenants[tenant] = sqlite_rules.get(connection, tenant)
    own_rules = sqlite_rules.overrides_from(own)
    return _Batch(
        tenant,
        QualityLevel(quality),
        own_rules,
        tenants[tenant],
        max_age_s,
        max_shared_age_s,
        bool(bare_domains),
        entry_count,
    )


def _claim(chunk: Held, batch: _Batch, entries: tuple[WorkEntry, ...]) -> Claim:
    return Claim(
        chunk=chunk.chunk,
        fence=chunk.fence,
        batch_key=chunk.batch_key,
        tenant=batch.tenant,
        quality=batch.quality,
        attempt=chunk.attempt,
        first_attempt_at=chunk.first_attempt_at,
        entries=entries,
        rules=batch.rules,
        tenant_rules=batch.tenant_rules,
        poisoned=chunk.deaths == POISONED,
        max_age_s=batch.max_age_s,
        max_shared_age_s=batch.max_shared_age_s,
        bare_domains=batch.bare_domains,
    )


def _entries(connection: Connection, chunk: Held) -> tuple[WorkEntry, ...]:
    indexes = from_blob(chunk.indexes)
    # One row however many entries: before each the thread may wait for the interpreter.
    # The join goes through the numbers in their order.
    row = connection.execute(
        "SELECT json_group_array(e.input_data), json_group_array(e.custom)"
        " FROM json_each(?) AS j CROSS JOIN entry AS e ON e.id = ? + j.value",
        (str(indexes.tolist()), chunk.batch_key << KEY_BITS),
    ).fetchone()
    texts, customs = map(json.loads, row)
    if len(texts) < len(indexes):  # the batch is being erased
        return ()
    return _as_work(chunk, indexes, texts, customs)


def _recent_entries(recent: Recent, chunk: Held) -> tuple[WorkEntry, ...]:
    indexes = from_blob(chunk.indexes)
    return _as_work(chunk, indexes, recent.texts.pick(indexes), recent.customs.pick(indexes))


def _as_work(
    chunk: Held, indexes: Sequence[int], texts: Sequence[str], customs: Sequence[str]
) -> tuple[WorkEntry, ...]:
    originals = repeat(None) if chunk.originals is None else from_blob(chunk.originals)
    return tuple(
        [
            new(WorkEntry, (index, input_data, custom, original))
            for index, original, input_data, custom in zip(
                indexes, originals, texts, customs, strict=False
            )
        ]
    )


def originals_of(indexes: Sequence[int], blob: bytes | None) -> dict[int, int] | None:
    """Return which entries those of a chunk are duplicates of; None when none is."""
    return None if blob is None else dict(zip(indexes, from_blob(blob), strict=True))
