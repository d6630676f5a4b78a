"""`mailvet keys`: API keys, in the server's store; a new key is shown once and kept as a hash."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime

from mailvet.accounts.keys import make_key
from mailvet.cli.lines import json_line, printable
from mailvet.config import load
from mailvet.errors import ConfigError, NotFound
from mailvet.model.access import ApiKey
from mailvet.serve.run import open_keys
from mailvet.store.base import Store
from mailvet.store.keyring import KeyRing


def keys(arguments: argparse.Namespace) -> int:
    """Create, list or revoke; returns the exit code."""
    asyncio.run(_act(arguments))
    return 0


async def _act(arguments: argparse.Namespace) -> None:
    store = await open_keys(load({"store": arguments.store}, arguments.config))
    try:
        if arguments.action == "create":
            await _create(store, arguments)
        elif arguments.action == "list":
            for key in await store.list_keys():
                _print(key, arguments)
        else:
            await _revoke(store, arguments)
    finally:
        await store.close()


async def _create(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    secret, key = make_key(
        arguments.tenant, arguments.name, pepper=store.secret, wall_clock=time.time
    )
    await store.add_key(key)
    if arguments.json:
        print(json_line({"key": secret, **_as_dict(key)}))
    else:
        print(secret)
        print(f"key {key.key_id} of tenant {key.tenant}; it is shown this once", file=sys.stderr)


async def _revoke(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    if not arguments.key_id:
        raise ConfigError("`mailvet keys revoke` needs a KEY_ID; `mailvet keys list` shows them")
    if not await store.revoke_key(arguments.key_id):
        raise NotFound("key", arguments.key_id)
    print(f"revoked {arguments.key_id}", file=sys.stderr)


def _as_dict(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "tenant": key.tenant,
        "name": key.name,
        "create_time": _time(key.create_time),
        "revoke_time": _time(key.revoke_time),
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _print(key: ApiKey, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json_line(_as_dict(key)))
        return
    state = "revoked" if key.revoke_time is not None else "active"
    created = _time(key.create_time)
    print(f"{key.key_id:<14} {state:<8} {key.tenant:<20} {created}  {printable(key.name)}")
