"""Usage and balances in SQL: one line a tenant and day, one statement a settlement."""

from typing import NamedTuple

from mailvet.model.batch import Batch
from mailvet.model.usage import NO_USAGE, Balance, Charge, DayUsage, Usage, day_of, price_halves
from mailvet.store.accounting import free_left, from_pack, require_available
from mailvet.store.sqlite_counts import counts_of
from mailvet.store.sqlite_file import Connection


class Counted(NamedTuple):
    """How many entries of a batch are to be verified, while it has this etag."""

    etag: str
    unique: int


def balance(connection: Connection, tenant: str, *, day: int) -> Balance:
    """Return what a tenant may spend on a day."""
    row = connection.execute(
        "SELECT limited, pack_halves, daily_free_halves, held_halves FROM account WHERE tenant = ?",
        (tenant,),
    ).fetchone()
    if row is None:
        return Balance()
    limited, pack_halves, daily_free_halves, held_halves = row
    (reserved,) = connection.execute(
        "SELECT coalesce(sum(reserved_halves), 0) FROM batch"
        " WHERE tenant = ? AND reserved_halves > 0",  # for its partial index
        (tenant,),
    ).fetchone()
    today = of_day(connection, tenant, day)
    return Balance(
        limited=bool(limited),
        pack_halves=pack_halves,
        daily_free_halves=daily_free_halves,
        free_left_halves=free_left(daily_free_halves, today.usage, today.pack_halves),
        reserved_halves=reserved + held_halves,
    )


def of_day(connection: Connection, tenant: str, day: int) -> DayUsage:
    """Return a line of the ledger; one of nothing when there is none."""
    found = days(connection, tenant, day, day, limit=1)
    return found[0] if found else DayUsage(day, Usage())


def days(
    connection: Connection, tenant: str, first: int, last: int, *, limit: int
) -> list[DayUsage]:
    """Return lines of the ledger, the earliest first."""
    rows = connection.execute(
        "SELECT day, verified, cached, free, unanswered, halves, pack_halves FROM usage_day"
        " WHERE tenant = ? AND day BETWEEN ? AND ? ORDER BY day LIMIT ?",
        (tenant, first, last, limit),
    )
    return [DayUsage(day, Usage(*usage), pack) for day, *usage, pack in rows]


def charge(connection: Connection, one: Charge) -> None:
    """Write a charge into the ledger; a limited tenant's pack pays what its day has not free."""
    pack = 0
    if one.usage.halves or one.release_halves:
        now = balance(connection, one.tenant, day=one.day)
        pack = from_pack(now, one.usage.halves)
        if now.limited:
            connection.execute(
                "UPDATE account SET pack_halves = pack_halves - ?,"
                " held_halves = max(0, held_halves - ?) WHERE tenant = ?",
                (pack, one.release_halves, one.tenant),
            )
    if one.usage == NO_USAGE:
        return
    connection.execute(
        "INSERT INTO usage_day"
        " (tenant, day, verified, cached, free, unanswered, halves, pack_halves)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " verified = verified + excluded.verified, cached = cached + excluded.cached,"
        " free = free + excluded.free, unanswered = unanswered + excluded.unanswered,"
        " halves = halves + excluded.halves, pack_halves = pack_halves + excluded.pack_halves",
        (one.tenant, one.day, *one.usage, pack),
    )


def is_limited(connection: Connection, tenant: str) -> bool:
    """Whether anything is counted against what a tenant may spend."""
    row = connection.execute("SELECT limited FROM account WHERE tenant = ?", (tenant,)).fetchone()
    return row is not None and bool(row[0])


def count_if_limited(connection: Connection, batch: Batch) -> Counted | None:
    """Count what a launch would reserve for; None for a tenant that need not care."""
    if not is_limited(connection, batch.tenant):
        return None
    return Counted(batch.etag, counts_of(connection, batch).unique)


def reserve_for_batch(
    connection: Connection, batch: Batch, *, counted: Counted | None, now: float
) -> None:
    """Reserve the most that a batch can cost, or raise `InsufficientBalance`."""
    balance_now = balance(connection, batch.tenant, day=day_of(now))
    if not balance_now.limited:
        return
    if counted is None or counted.etag != batch.etag:  # entries came since it was counted
        counted = Counted(batch.etag, counts_of(connection, batch).unique)
    halves = counted.unique * price_halves(batch.spec.quality)
    require_available(balance_now, halves)
    connection.execute("UPDATE batch SET reserved_halves = ? WHERE key = ?", (halves, batch.key))


def reserve_for_call(connection: Connection, tenant: str, halves: int, *, now: float) -> bool:
    """Promise units to a call; False when the tenant is not limited."""
    balance_now = balance(connection, tenant, day=day_of(now))
    if not balance_now.limited:
        return False
    require_available(balance_now, halves)
    connection.execute(
        "UPDATE account SET held_halves = held_halves + ? WHERE tenant = ?", (halves, tenant)
    )
    return True


def end_holds(connection: Connection) -> None:
    """Take back what was promised to calls: for a store just opened, which has none under way."""
    connection.execute("UPDATE account SET held_halves = 0 WHERE held_halves > 0")


def set_balance(
    connection: Connection,
    tenant: str,
    *,
    limited: bool | None,
    add_halves: int,
    daily_free_halves: int | None,
) -> None:
    """Change what a tenant may spend."""
    connection.execute(
        "INSERT OR IGNORE INTO account"
        " (tenant, limited, pack_halves, daily_free_halves, held_halves) VALUES (?, 0, 0, 0, 0)",
        (tenant,),
    )
    connection.execute(
        "UPDATE account SET limited = coalesce(?, limited), pack_halves = pack_halves + ?,"
        " daily_free_halves = coalesce(?, daily_free_halves) WHERE tenant = ?",
        (limited, add_halves, daily_free_halves, tenant),
    )
