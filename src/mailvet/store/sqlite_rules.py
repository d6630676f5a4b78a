"""What callers decide themselves, in SQL: rules are written as JSON, in the order they count."""

import json
from collections.abc import Iterable
from functools import lru_cache

from mailvet.model.ruling import NO_RULES, OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import Classification, EntryStatus
from mailvet.store import rules
from mailvet.store.sqlite_file import Connection


def get(connection: Connection, tenant: str) -> TenantRules:
    """Return what a tenant has set."""
    row = connection.execute(
        "SELECT overrides, scheme, revision, update_time FROM tenant_rules WHERE tenant = ?",
        (tenant,),
    ).fetchone()
    if row is None:
        return NO_RULES
    return TenantRules(
        overrides=overrides_from(row[0]),
        scheme=_scheme_from(row[1]),
        revision=row[2],
        update_time=row[3],
    )


def put(
    connection: Connection, tenant: str, new: TenantRules, *, over: int | None, now: float
) -> TenantRules:
    """Keep rules in place of those that are there."""
    new = rules.next_revision(get(connection, tenant), new, over=over, now=now)
    connection.execute(
        "INSERT INTO tenant_rules (tenant, overrides, scheme, revision, update_time)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant) DO UPDATE SET overrides = excluded.overrides,"
        " scheme = excluded.scheme, revision = excluded.revision,"
        " update_time = excluded.update_time",
        (tenant, text_of(new.overrides), text_of(new.scheme), new.revision, new.update_time),
    )
    return new


def text_of(rows: Iterable[OverrideRule | SchemeRow]) -> str:
    """Return rules as they are written."""
    return json.dumps([list(row) for row in rows], ensure_ascii=False)


@lru_cache(maxsize=256)  # every chunk of a batch has the same
def overrides_from(text: str) -> tuple[OverrideRule, ...]:
    """Return override rules as they were written."""
    return tuple(
        OverrideRule(pattern, Classification(number), note)
        for pattern, number, note in json.loads(text)
    )


@lru_cache(maxsize=256)
def _scheme_from(text: str) -> tuple[SchemeRow, ...]:
    return tuple(
        SchemeRow(EntryStatus(status), Classification(number), label)
        for status, number, label in json.loads(text)
    )
