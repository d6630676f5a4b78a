"""What callers are told: the rows of `tests/cases/errors.toml`, each by a real call."""

import tomllib
from importlib.resources import files
from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from mailvet import errors
from mailvet.accounts.keys import make_key
from mailvet.batches.cursor import Kind, Marks, Place, filter_binding
from mailvet.errors import MailvetError
from mailvet.files import FileRefused
from mailvet.model.access import ApiKey, Scope
from mailvet.model.batch import ResultFilter
from mailvet.rpc.error_table import TABLE, failure_of
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.v1 import error_reason_pb2
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, request_type, told

CASES = tomllib.loads(files("tests.cases").joinpath("errors.toml").read_text("utf-8"))["case"]
TENANT = "default"
REASONS = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()[1:]}


KEYS = {
    "verifying": ApiKey("", TENANT, "", b"", 1.0, scopes=frozenset({Scope.VERIFY})),
    "second_factor": ApiKey("", TENANT, "", b"", 1.0, totp_secret="A" * 32, totp_since=1.0),
}
"""What the key may that a server of this name is called with."""


class BrokenStore:
    """A store that raises one exception, with a secret in its words, whatever it is asked."""

    epoch = 1
    secret = bytes(32)

    def __init__(self, kind: str) -> None:
        known = getattr(errors, kind, None)
        self._error: Exception = known("try later") if known else ZeroDivisionError("/secret/path")

    def __getattr__(self, name: str) -> Any:
        async def broken(*_args: object, **_more: object) -> None:
            raise self._error

        return broken


async def fill(world: World) -> None:
    """The batches that the rows talk about."""
    await world.create("done", 2, launch=True, request_id="first")
    await work(world.store)
    await world.create("draft", 2)
    await world.create("empty")
    await world.create("running", 2, launch=True)
    await work(world.store, 1)
    await world.create("erased", 3)
    await world.store.delete_batch(TENANT, "erased", force=False)


async def cursors(store: Store) -> dict[str, str]:
    """The cursors that the rows talk about."""
    marks, old = Marks(store.secret, store.epoch), Marks(store.secret, store.epoch - 1)
    plain = filter_binding(TENANT, None)
    filtered = filter_binding(TENANT, ResultFilter(statuses=frozenset({1})))
    keys = {name: (await store.get_batch(TENANT, name)).key for name in ("done", "running")}
    made = {
        f"$cursor:{name}": marks.write(Place(Kind.RESULT_CURSOR, key, 1, plain))
        for name, key in keys.items()
    }
    done = Place(Kind.RESULT_CURSOR, keys["done"], 1, plain)
    good = marks.write(done)
    return made | {
        "$bad": good[:20] + ("A" if good[20] != "A" else "B") + good[21:],
        "$other_filter": marks.write(done._replace(binding=filtered)),
        "$old_epoch": old.write(done),
    }


async def open_for(case: dict[str, Any], open_world: OpenWorld) -> World:
    """The server that a row is called on."""
    server = case.get("server", "plain")
    if server == "broken":
        return await open_world(store=BrokenStore(case["raises"]))
    if server == "keys":
        return await open_world(require_keys=True)
    if server in KEYS:
        return await open_with_key(open_world, KEYS[server])
    world = await open_world()
    await fill(world)
    if server == "limited":
        await world.store.set_balance(TENANT, limited=True, add_halves=3)
    return world


async def open_with_key(open_world: OpenWorld, kept: ApiKey) -> World:
    """A server that is called with a key like this one."""
    store = MemoryStore()
    text, made = make_key(kept.tenant, "", pepper=store.secret, wall_clock=lambda: 1.0)
    await store.add_key(kept._replace(key_id=made.key_id, digest=made.digest))
    return await open_world(store=store, require_keys=True, metadata=[("x-api-key", text)])


async def request_of(case: dict[str, Any], store: Store) -> bytes:
    """The bytes that a row sends."""
    if "raw" in case:
        return bytes.fromhex(case["raw"])
    if "padding" in case:
        return bytes(case["padding"])
    text = case["request"]
    if "$" in text:
        for name, cursor in (await cursors(store)).items():
            text = text.replace(name, cursor)
    return json_format.Parse(text, request_type(case["method"])()).SerializeToString()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_a_row(case: dict[str, Any], open_world: OpenWorld) -> None:
    """The call fails with the code, the reason and the details of its row."""
    world = await open_for(case, open_world)
    request = await request_of(case, world.store)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(case["method"], request)
    found = told(caught.value)

    assert (case["code"], case["reason"]) == (found.code, found.info.reason)
    assert case["details"] == list(found.details)
    assert "mailvet.dev" == found.info.domain
    assert case.get("metadata", {}).items() <= dict(found.info.metadata).items()
    assert case["reason"] in REASONS


def test_every_reason_has_a_row() -> None:
    """Each published reason is raised by a call of the table."""
    assert REASONS == {case["reason"] for case in CASES}


def test_every_exception_has_a_place() -> None:
    """Whatever a caller of mailvet may meet is in the table, with a published reason.

    Those left out are raised by nothing that answers a call; a file that is refused is an invalid
    request of its own kind.
    """
    never_raised = {errors.ResultsExpired, errors.DeadlineTooShort}
    known = {
        value
        for value in vars(errors).values()
        if isinstance(value, type)
        and issubclass(value, MailvetError)
        and not issubclass(value, errors.ConfigError)
        and value is not MailvetError
    }

    assert (known - never_raised) | {FileRefused} == set(TABLE)
    assert {kind.reason for kind in TABLE} | {"INTERNAL"} == REASONS


def test_an_unlisted_exception_says_nothing_of_itself() -> None:
    """A subclass that nobody put into the table is a fault of ours."""

    class Surprise(errors.NotFound):
        """Not in the table."""

    failure = failure_of(Surprise("batch", "secret"), "1f9d3c0a")

    assert ("INTERNAL", "INTERNAL") == (failure.code.name, failure.reason)
    assert "secret" not in failure.message
    assert "1f9d3c0a" in failure.message
