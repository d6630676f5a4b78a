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
from mailvet.model.access import ALL_SCOPES, ApiKey, Scope, Scopes
from mailvet.model.audit import AuditEvent
from mailvet.serve.run import open_keys
from mailvet.store.base import Store
from mailvet.store.keyring import KeyRing

OPERATOR = "operator"
"""What stands in the audit log for who has the store's file."""
_DAY_S, _HOUR_S = 86_400.0, 3_600.0


def keys(arguments: argparse.Namespace) -> int:
    """Create, list, rotate or revoke; returns the exit code."""
    asyncio.run(_act(arguments))
    return 0


async def _act(arguments: argparse.Namespace) -> None:
    actions = {"create": _create, "list": _list, "rotate": _rotate, "revoke": _revoke}
    store = await open_keys(load({"store": arguments.store}, arguments.config))
    try:
        await actions[arguments.action](store, arguments)
    finally:
        await store.close()


async def _create(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    expire_time = None
    if arguments.days is not None:
        if arguments.days <= 0:
            raise ConfigError("--days: a key that has ended already opens nothing; use more than 0")
        expire_time = time.time() + arguments.days * _DAY_S
    secret, key = make_key(
        arguments.tenant,
        arguments.name,
        pepper=store.secret,
        wall_clock=time.time,
        scopes=_scopes(arguments.scopes),
        expire_time=expire_time,
    )
    await store.add_key(key)
    await _note(store, "create", key)
    _show_new(secret, key, arguments)


async def _list(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    for key in await store.list_keys():
        _print(key, arguments)


async def _rotate(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    old = await _found(store, arguments)
    now = time.time()
    if not old.works(now):
        raise NotFound("working key", old.key_id)
    secret, key = make_key(
        old.tenant,
        old.name,
        pepper=store.secret,
        wall_clock=time.time,
        scopes=old.scopes,
        expire_time=old.expire_time,
    )
    key = key._replace(
        totp_secret=old.totp_secret, totp_since=old.totp_since, totp_step=old.totp_step
    )
    await store.rotate_key(old.key_id, key, now + max(0.0, arguments.overlap) * _HOUR_S)
    await _note(store, "rotate", old)
    _show_new(secret, key, arguments)


async def _revoke(store: Store | KeyRing, arguments: argparse.Namespace) -> None:
    key = await _found(store, arguments)
    await store.revoke_key(key.key_id)
    await _note(store, "revoke", key)
    print(f"revoked {key.key_id}", file=sys.stderr)


async def _found(store: Store | KeyRing, arguments: argparse.Namespace) -> ApiKey:
    if not arguments.key_id:
        raise ConfigError(
            f"`mailvet keys {arguments.action}` needs a KEY_ID; `mailvet keys list` shows them"
        )
    key = await store.find_key(arguments.key_id)
    if key is None:
        raise NotFound("key", arguments.key_id)
    return key


async def _note(store: Store | KeyRing, action: str, key: ApiKey) -> None:
    """Write down what was done, as the server does for calls."""
    event = AuditEvent(
        event_time=time.time(),
        tenant=key.tenant,
        method=f"mailvet keys {action}",
        credential=OPERATOR,
        subject_key_id=key.key_id,
        code="OK",
    )
    await store.add_audit([event])


def _scopes(text: str) -> Scopes:
    names = [name.strip().upper().replace(":", "_").replace("-", "_") for name in text.split(",")]
    try:
        return frozenset(Scope(name) for name in names if name) or ALL_SCOPES
    except ValueError as error:
        known = ", ".join(scope.lower() for scope in Scope)
        raise ConfigError(f"--scopes: {error}; there are {known}") from None


def _show_new(secret: str, key: ApiKey, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json_line({"key": secret, **_as_dict(key)}))
    else:
        print(secret)
        print(f"key {key.key_id} of tenant {key.tenant}; it is shown this once", file=sys.stderr)


def _as_dict(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "tenant": key.tenant,
        "name": key.name,
        "scopes": [scope for scope in Scope if scope in key.scopes],
        "create_time": time_text(key.create_time),
        "expire_time": time_text(key.expire_time),
        "last_use_time": time_text(key.last_use_time),
        "revoke_time": time_text(key.revoke_time),
        "second_factor": key.totp_since is not None,
    }


def time_text(seconds: float | None) -> str | None:
    """Return a time as people and programs read it: UTC, to the second."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _print(key: ApiKey, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json_line(_as_dict(key)))
        return
    state = "active"
    if key.revoke_time is not None:
        state = "revoked"
    elif not key.works(time.time()):
        state = "ended"
    scopes = "all" if key.scopes == ALL_SCOPES else ",".join(sorted(key.scopes)).lower()
    created = time_text(key.create_time)
    print(
        f"{key.key_id:<14} {state:<8} {key.tenant:<20} {created}"
        f"  {scopes or 'none'}  {printable(key.name)}"
    )
