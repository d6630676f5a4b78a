"""API keys and what a store knows of itself, in SQL."""

from collections.abc import Mapping
from typing import Any

from mailvet.errors import AlreadyExists
from mailvet.model.access import ALL_SCOPES, ApiKey, Scope, Scopes
from mailvet.store.sqlite_file import Connection

_KEY = ", ".join(ApiKey._fields)
_PLACES = ", ".join("?" * len(ApiKey._fields))


def add(connection: Connection, key: ApiKey) -> None:
    """Keep a key; raise `AlreadyExists` when its id is taken."""
    if find(connection, key.key_id) is not None:
        raise AlreadyExists("key", key.key_id)
    row = key._replace(scopes=_scopes_text(key.scopes))  # type: ignore[arg-type]
    connection.execute(f"INSERT INTO api_key ({_KEY}) VALUES ({_PLACES})", row)  # noqa: S608


def find(connection: Connection, key_id: str) -> ApiKey | None:
    """Return a key, whether it works or not."""
    row = connection.execute(
        f"SELECT {_KEY} FROM api_key WHERE key_id = ?",  # noqa: S608
        (key_id,),
    ).fetchone()
    return None if row is None else _key(row)


def listed(connection: Connection, tenant: str | None) -> list[ApiKey]:
    """Return the keys of a tenant, or of all, the oldest first."""
    rows = connection.execute(
        f"SELECT {_KEY} FROM api_key WHERE ? IS NULL OR tenant = ?"  # noqa: S608
        " ORDER BY create_time, key_id",
        (tenant, tenant),
    )
    return [_key(row) for row in rows]


def revoke(connection: Connection, key_id: str, *, now: float) -> bool:
    """Revoke a key; the first time stays. False when there is none."""
    changed = connection.execute(
        "UPDATE api_key SET revoke_time = coalesce(revoke_time, ?) WHERE key_id = ?", (now, key_id)
    )
    return changed.rowcount == 1


def rotate(connection: Connection, key_id: str, new: ApiKey, expire_time: float) -> bool:
    """Keep a new key and let another one end; False, and nothing is kept, when there is none."""
    changed = connection.execute(
        "UPDATE api_key SET expire_time = min(coalesce(expire_time, ?), ?) WHERE key_id = ?",
        (expire_time, expire_time, key_id),
    )
    if changed.rowcount != 1:
        return False
    add(connection, new)
    return True


def note_uses(connection: Connection, uses: Mapping[str, float]) -> None:
    """Note when keys were used last."""
    connection.executemany(
        "UPDATE api_key SET last_use_time = max(coalesce(last_use_time, 0), ?) WHERE key_id = ?",
        [(time, key_id) for key_id, time in uses.items()],
    )


def begin_totp(connection: Connection, key_id: str, secret: str) -> bool:
    """Keep the secret of a second factor, unless there is a proven one."""
    changed = connection.execute(
        "UPDATE api_key SET totp_secret = ?, totp_step = 0 WHERE key_id = ? AND totp_since IS NULL",
        (secret, key_id),
    )
    return changed.rowcount == 1


def accept_totp(connection: Connection, key_id: str, step: int, *, now: float) -> bool:
    """Note that the code of a time step was right, unless that step or a later one was."""
    changed = connection.execute(
        "UPDATE api_key SET totp_step = ?, totp_since = coalesce(totp_since, ?)"
        " WHERE key_id = ? AND totp_secret != '' AND totp_step < ?",
        (step, now, key_id, step),
    )
    return changed.rowcount == 1


def _key(row: Any) -> ApiKey:
    key = ApiKey(*row)
    return key._replace(scopes=_scopes(key.scopes))  # type: ignore[arg-type]


def _scopes_text(scopes: Scopes) -> str | None:
    return None if scopes == ALL_SCOPES else " ".join(sorted(scopes))


def _scopes(text: str | None) -> Scopes:
    return ALL_SCOPES if text is None else frozenset(map(Scope, text.split()))


def identity(connection: Connection) -> tuple[int, bytes]:
    """Return the store's epoch and its secret."""
    epoch = connection.execute("SELECT value FROM counter WHERE name = 'epoch'").fetchone()[0]
    secret = connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
    return epoch, secret
