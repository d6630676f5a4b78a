"""API keys and what a store knows of itself, in SQL."""

from mailvet.errors import AlreadyExists
from mailvet.model.batch import ApiKey
from mailvet.store.sqlite_file import Connection

_KEY = "key_id, tenant, name, digest, create_time, revoke_time"


def add(connection: Connection, key: ApiKey) -> None:
    """Keep a key; raise `AlreadyExists` when its id is taken."""
    if find(connection, key.key_id) is not None:
        raise AlreadyExists("key", key.key_id)
    connection.execute(f"INSERT INTO api_key ({_KEY}) VALUES (?, ?, ?, ?, ?, ?)", key)  # noqa: S608


def find(connection: Connection, key_id: str) -> ApiKey | None:
    """Return a key, revoked or not."""
    row = connection.execute(
        f"SELECT {_KEY} FROM api_key WHERE key_id = ?",  # noqa: S608
        (key_id,),
    ).fetchone()
    return None if row is None else ApiKey(*row)


def listed(connection: Connection, tenant: str | None) -> list[ApiKey]:
    """Return the keys of a tenant, or of all, the oldest first."""
    rows = connection.execute(
        f"SELECT {_KEY} FROM api_key WHERE ? IS NULL OR tenant = ?"  # noqa: S608
        " ORDER BY create_time, key_id",
        (tenant, tenant),
    )
    return [ApiKey(*row) for row in rows]


def revoke(connection: Connection, key_id: str, *, now: float) -> bool:
    """Revoke a key; the first time stays. False when there is none."""
    changed = connection.execute(
        "UPDATE api_key SET revoke_time = coalesce(revoke_time, ?) WHERE key_id = ?", (now, key_id)
    )
    return changed.rowcount == 1


def identity(connection: Connection) -> tuple[int, bytes]:
    """Return the store's epoch and its secret."""
    epoch = connection.execute("SELECT value FROM counter WHERE name = 'epoch'").fetchone()[0]
    secret = connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
    return epoch, secret
