"""The tables, as numbered migrations; a step that was released is never edited.

Entries and results have packed integer keys (batch key, then index or sequence), so that rows are
appended at the end of a tree; keys in random order cost ten times as much to write.
"""

import secrets
from collections.abc import Callable, Mapping

import sqlite_utils
from sqlite_utils import Migrations

from mailvet.errors import StoreRefused
from mailvet.store.sqlite_file import Connection

KEY_BITS = 32
"""A packed key is `batch_key << 32 | number`: four thousand million entries a batch."""

READY, HELD, WAITING, PARKED = 0, 1, 2, 3
"""The states of a chunk: to be claimed, under a lease, not before `run_at`, of a paused batch (one
that waited before has no stamp)."""

SECRET_BYTES = 32
"""As long as the SHA-256 digest it keys (RFC 2104 3)."""


_SET = "mailvet"
"""The name of our steps among those that the table of steps may have."""

Steps = Mapping[str, Callable[[sqlite_utils.Database], None]]
"""What makes a newer schema of an older one, by name, in order."""


def migrate(connection: Connection, path: str, steps: Steps | None = None) -> tuple[str, ...]:
    """Bring the tables up to date; return the steps that were taken.

    Each step is one transaction. Raises `StoreRefused` when a newer mailvet wrote the tables.
    """
    steps = STEPS if steps is None else steps
    lacking = pending(connection, path, steps)
    migrations = Migrations(_SET)
    for name, step in steps.items():
        migrations(name=name)(step)
    migrations.apply(_database(connection))
    return lacking


def pending(connection: Connection, path: str, steps: Steps | None = None) -> tuple[str, ...]:
    """Return the steps that `migrate` would take, or raise as it does; nothing is changed."""
    known = STEPS if steps is None else steps
    applied = {step.name for step in Migrations(_SET).applied(_database(connection))}
    unknown = sorted(applied - known.keys())
    if unknown:
        raise StoreRefused(
            f"the store {path!r} was written by a newer mailvet (it has {unknown[-1]!r});"
            " run that version, or restore a backup made before it"
        )
    return tuple(name for name in known if name not in applied)


def _database(connection: Connection) -> sqlite_utils.Database:
    return sqlite_utils.Database(connection, execute_plugins=False)


def _store(database: sqlite_utils.Database) -> None:
    database.table("meta").create({"name": str, "value": bytes}, pk="name", strict=True)
    database.table("meta").insert({"name": "secret", "value": secrets.token_bytes(SECRET_BYTES)})
    database.table("counter").create({"name": str, "value": int}, pk="name", strict=True)
    database.table("counter").insert_all(
        [
            {"name": "epoch", "value": 1},
            {"name": "batch_key", "value": 0},
            {"name": "fence", "value": 0},
        ]
    )
    # Virtual time is the largest stamp claimed so far (store.fairness).
    database.table("clock").create({"id": int, "virtual_time": float}, pk="id", strict=True)
    database.table("clock").insert({"id": 1, "virtual_time": 0.0})
    # Not used: hindrances are in memory (store.hindrances).
    database.table("hindrance").create({"kind": str, "detail": str}, pk="kind", strict=True)
    database.table("api_key").create(
        {
            "key_id": str,
            "tenant": str,
            "name": str,
            "digest": bytes,
            "create_time": float,
            "revoke_time": float,
        },
        pk="key_id",
        not_null={"tenant", "name", "digest", "create_time"},
        strict=True,
    )


def _batches(database: sqlite_utils.Database) -> None:
    database.table("batch").create(
        {
            "key": int,
            "tenant": str,
            "batch_id": str,
            "name": str,
            "description": str,
            "labels": str,
            "quality": int,
            "priority": int,
            "deduplication": int,
            "keep_last": int,
            "state": int,
            "entry_count": int,
            "create_time": float,
            "launch_time": float,
            "end_time": float,
            "result_count": int,
            "planned": int,
            "placed": int,
            "stamp": float,
            "retry_stamp": float,
            "request_id": str,
            "request_hash": bytes,
            "revision": int,
            "targeting": str,
            "retention_s": float,
            "max_age_s": float,
            "stored_bytes": int,
        },
        pk="key",
        not_null={
            "tenant",
            "batch_id",
            "state",
            "entry_count",
            "result_count",
            "revision",
            "stored_bytes",
        },
        defaults={
            "result_count": 0,
            "stored_bytes": 0,
            "planned": 0,
            "placed": 0,
            "stamp": 0.0,
            "retry_stamp": 0.0,
            "revision": 1,
        },
        strict=True,
    )
    database.table("batch").create_index(["tenant", "batch_id"], unique=True)
    database.table("batch").create_index(["tenant", "key"])
    database.execute(
        "CREATE UNIQUE INDEX batch_of_request ON batch (tenant, request_id) WHERE request_id <> ''"
    )
    database.execute("CREATE INDEX batch_to_plan ON batch (key) WHERE state = 2 AND planned = 0")
    database.execute("CREATE INDEX batch_paused ON batch (key) WHERE state = 5")
    # Answers what a tenant stores without its batches' rows.
    database.table("batch").create_index(["tenant", "stored_bytes"])
    database.execute(
        "CREATE INDEX batch_to_expire ON batch (end_time + retention_s) WHERE end_time IS NOT NULL"
    )
    database.table("tally").create(
        {"batch_key": int, "status": int, "classification": int, "count": int},
        pk=("batch_key", "status", "classification"),
        not_null={"count"},
        strict=True,
    )
    # Batches that are hidden already, and whose rows are being erased.
    database.table("erasure").create({"batch_key": int}, pk="batch_key", strict=True)


def _rows(database: sqlite_utils.Database) -> None:
    database.table("entry").create(
        {
            "id": int,
            "input_data": str,
            "custom": str,
            "domain": str,
            "key": int,
            "labels": str,
        },
        pk="id",
        not_null={"input_data", "custom", "domain", "key", "labels"},
        strict=True,
    )
    # Segments of results (store.segments); the id ends with the sequence of the last of them.
    database.table("result").create(
        {"id": int, "heads": bytes, "docs": bytes, "evidence": bytes},
        pk="id",
        not_null={"heads", "docs", "evidence"},
        strict=True,
    )
    # Where the result of an entry is: blocks of packed sequences, written when a batch ended.
    database.table("place").create(
        {"id": int, "sequences": bytes}, pk="id", not_null={"sequences"}, strict=True
    )


def _chunks(database: sqlite_utils.Database) -> None:
    database.table("chunk").create(
        {
            "id": int,
            "batch_key": int,
            "state": int,
            "run_at": float,
            "attempt": int,
            "first_attempt_at": float,
            "fence": int,
            "owner": str,
            "lease_until": float,
            "stamp": float,
            "size": int,
            "indexes": bytes,
            "originals": bytes,
        },
        pk="id",
        not_null={"batch_key", "state", "run_at", "attempt", "fence", "size", "indexes"},
        defaults={"attempt": 0, "fence": 0},
        strict=True,
    )
    database.table("chunk").create_index(["batch_key"])
    for name, columns, state in (
        ("chunk_ready", "stamp, id", READY),
        ("chunk_held", "owner", HELD),
        ("chunk_held_of_batch", "batch_key, size", HELD),
        ("chunk_waiting", "run_at", WAITING),
        ("chunk_waiting_of_batch", "batch_key, run_at, size", WAITING),
    ):
        database.execute(f"CREATE INDEX {name} ON chunk ({columns}) WHERE state = {state}")


def _rules(database: sqlite_utils.Database) -> None:
    database.table("batch").add_column("rules", str, not_null_default="[]")
    database.table("tenant_rules").create(
        {"tenant": str, "overrides": str, "scheme": str, "revision": int, "update_time": float},
        pk="tenant",
        not_null={"overrides", "scheme", "revision", "update_time"},
        strict=True,
    )


def _uploads(database: sqlite_utils.Database) -> None:
    database.table("upload").create(
        {
            "batch_key": int,
            "name": str,
            "options": str,
            "size": int,
            "crc32c": int,
            "reading": str,
            "parts": int,
        },
        pk="batch_key",
        not_null={"name", "options", "size", "crc32c", "reading", "parts"},
        strict=True,
    )
    # Pieces of an uploaded file; the id ends with the number of the piece.
    database.table("upload_part").create(
        {"id": int, "data": bytes}, pk="id", not_null={"data"}, strict=True
    )


def _keeping(database: sqlite_utils.Database) -> None:
    database.table("tombstone").create(
        {"mark": bytes, "erase_time": float, "entry_count": int},
        pk="mark",
        not_null={"erase_time", "entry_count"},
        strict=True,
    )
    database.table("tombstone").create_index(["erase_time"])
    database.table("data_policy").create(
        {"tenant": str, "retention_s": float}, pk="tenant", not_null={"retention_s"}, strict=True
    )


def _accounting(database: sqlite_utils.Database) -> None:
    # No row: unlimited. `held_halves` is promised to calls, so it ends with the process.
    database.table("account").create(
        {
            "tenant": str,
            "limited": int,
            "pack_halves": int,
            "daily_free_halves": int,
            "held_halves": int,
        },
        pk="tenant",
        not_null={"limited", "pack_halves", "daily_free_halves", "held_halves"},
        strict=True,
    )
    database.table("usage_day").create(
        {
            "tenant": str,
            "day": int,
            "verified": int,
            "cached": int,
            "free": int,
            "unanswered": int,
            "halves": int,
            "pack_halves": int,
        },
        pk=("tenant", "day"),
        not_null={"verified", "cached", "free", "unanswered", "halves", "pack_halves"},
        strict=True,
    )
    database.execute("ALTER TABLE batch ADD COLUMN reserved_halves INTEGER NOT NULL DEFAULT 0")
    database.execute(
        "CREATE INDEX batch_reserving ON batch (tenant, reserved_halves) WHERE reserved_halves > 0"
    )


def _key_access(database: sqlite_utils.Database) -> None:
    table = database.table("api_key")
    table.add_column("scopes", str)  # NULL: all there are and will be
    table.add_column("expire_time", float)
    table.add_column("last_use_time", float)
    table.add_column("totp_secret", str, not_null_default="")
    table.add_column("totp_since", float)
    table.add_column("totp_step", int, not_null_default=0)


def _callbacks(database: sqlite_utils.Database) -> None:
    batch = database.table("batch")
    batch.add_column("callback", str, not_null_default="")
    batch.add_column("callback_calls", str, not_null_default="")
    batch.add_column("callback_at", float)
    database.execute(
        "CREATE INDEX batch_to_call ON batch (callback_at) WHERE callback_at IS NOT NULL"
    )


def _removal(database: sqlite_utils.Database) -> None:
    batch = database.table("batch")
    batch.add_column("removal", int, not_null_default=0)
    batch.add_column("removed_count", int, not_null_default=0)


def _shared_answers(database: sqlite_utils.Database) -> None:
    database.table("batch").add_column("max_shared_age_s", float, not_null_default=0.0)


def _audit(database: sqlite_utils.Database) -> None:
    database.table("audit").create(
        {
            "number": int,
            "event_time": float,
            "tenant": str,
            "method": str,
            "key_id": str,
            "credential": str,
            "batch_id": str,
            "subject_key_id": str,
            "code": str,
            "reason": str,
            "peer": str,
            "request_id": str,
            "call_count": int,
        },
        pk="number",
        not_null={"event_time", "tenant", "method", "code", "call_count"},
        strict=True,
    )
    database.table("audit").create_index(["tenant"])
    database.table("audit").create_index(["event_time"])
    database.execute(
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit"
        " BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END"
    )


def _creator(database: sqlite_utils.Database) -> None:
    database.table("batch").add_column("creator", str, not_null_default="")


def _bare_domains(database: sqlite_utils.Database) -> None:
    database.table("batch").add_column("bare_domains", int, not_null_default=0)


def _deaths(database: sqlite_utils.Database) -> None:
    database.table("chunk").add_column("deaths", int, not_null_default=0)


STEPS: Steps = {
    "0001_store": _store,
    "0002_batches": _batches,
    "0003_rows": _rows,
    "0004_chunks": _chunks,
    "0005_rules": _rules,
    "0006_uploads": _uploads,
    "0007_keeping": _keeping,
    "0008_accounting": _accounting,
    "0009_key_access": _key_access,
    "0010_callbacks": _callbacks,
    "0011_removal": _removal,
    "0012_shared_answers": _shared_answers,
    "0013_audit": _audit,
    "0014_creator": _creator,
    "0015_bare_domains": _bare_domains,
    "0016_deaths": _deaths,
}
