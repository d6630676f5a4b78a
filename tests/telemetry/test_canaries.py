"""Marked names go through every call there is; none may be where people look at the service.

The server is a process of its own with a probing process beside it, at its most talkative. The
answers have the names, of course; what it writes, what its errors say and its audit log do not.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from mailvet.rpc.error_table import DETAILS_KEY
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests.acceptance.house import ServerProcess
from tests.rpc.world import all_methods, call, request_type

CANARY = "canary7f3a"
WORLD = f"""
name = "canaries"

[[host]]
name = "mx.plain.test"
addresses = ["127.0.85.1"]
domains = ["plain.test"]
mailboxes = {{ known = ["{CANARY}"], full = ["{CANARY}-full"], deferred = ["{CANARY}-busy"] }}
options = {{ unknown = "550 5.1.1 <{{mailbox}}>: no such user {{mailbox}} here" }}

[[host]]
name = "mx.talks.test"
addresses = ["127.0.85.2"]
personality = "garbled"
domains = ["talks.test"]
mailboxes = {{ users = 1 }}
"""

ADDRESSES = (
    f"{CANARY}@plain.test",
    f"{CANARY}-full@plain.test",
    f"{CANARY}-busy@plain.test",
    f"{CANARY}-nobody@plain.test",
    f"{CANARY}@talks.test",
    f"{CANARY}@nowhere.test",
    f"{CANARY}.without.at.sign",
    f'"{CANARY} quoted"@plain.test',
    f"{CANARY}\u00e9@plain.test",
    f"{CANARY}\r\nRCPT TO:<{CANARY}@plain.test>",
)
"""Known, full, for later, unknown, a host that speaks no SMTP, no domain, no address, odd ones."""

PERSONAL = frozenset(
    {"input_data", "custom", "pattern", "note", "filter", "name", "data", "email", "address"}
)
"""Fields that hold what belongs to people, and so a marked name in the calls that are made up."""

JOURNEY: Sequence[tuple[str, str | list[str]]] = (
    ("BatchService/CreateBatch", '{"batch_id": "good", "name": "x"}'),
    ("BatchService/AddEntries", '{"batch_id": "good", "entries": $ENTRIES}'),
    ("BatchService/StreamEntries", '{"batch_id": "good", "entries": $ENTRIES}'),
    ("BatchService/PrepareBatch", '{"batch_id": "good"}'),
    ("BatchService/LaunchBatch", '{"batch_id": "good"}'),
    ("BatchService/GetBatch", '{"batch_id": "good", "wait": "20s"}'),
    ("ResultService/StreamResults", '{"batch_id": "good", "view": "RESULT_VIEW_EVIDENCE"}'),
    ("ResultService/ListResults", '{"batch_id": "good"}'),
    ("ResultService/GetResult", '{"batch_id": "good", "custom": "$NAME"}'),
    ("ResultService/GetResult", '{"batch_id": "good", "custom": "$NAME-missing"}'),
    ("ResultService/SummarizeResults", '{"batch_id": "good"}'),
    ("ResultService/ExportResults", '{"batch_id": "good", "format": "EXPORT_FORMAT_CSV"}'),
    ("ResultService/ReverifyResults", '{"batch_id": "good", "launch": true}'),
    ("BatchService/CreateBatch", '{"batch_id": "file"}'),
    ("BatchService/AddFile", '{"batch_id": "file", "data": "$FILE"}'),
    ("AccountService/UpdateRules", '{"rules": {"overrides": [{"pattern": "$NAME@@x"}]}}'),
    (
        "AccountService/UpdateRules",
        '{"rules": {"overrides": [{"pattern": "$NAME@r.test", "classification": 1}]}}',
    ),
    ("VerificationService/VerifyEmails", '{"entries": $ENTRIES, "max_age": "60s"}'),
    ("VerificationService/VerifyEmails", '{"entries": $ENTRIES, "max_age": "60s"}'),
    ("VerificationService/VerifyStream", '{"id": "1", "input_data": "$NAME@plain.test"}'),
    ("VerificationService/ExplainEmail", '{"input_data": "$NAME-nobody@plain.test"}'),
    ("BatchService/ListBatches", '{"filter": "name = $NAME@plain.test"}'),
    ("BatchService/ListBatches", '{"filter": "$NAME@plain.test"}'),
    ("BatchService/ListBatches", '{"order_by": "$NAME@plain.test"}'),
    ("AccountService/EraseAddress", '{"address": "$NAME@plain.test"}'),
    ("AccountService/EraseAddress", '{"address": "$NAME@@plain.test"}'),
    ("BatchService/DeleteBatch", '{"batch_id": "good", "force": true}'),
)
"""A batch from its beginning to its end, and what goes wrong on the way."""


def _entries() -> str:
    entries = [{"input_data": one, "custom": f"{CANARY}{n}"} for n, one in enumerate(ADDRESSES)]
    entries[0]["custom"] = CANARY
    return json.dumps(entries)


def requests() -> Iterable[tuple[str, bytes]]:
    """The journey, then for every method that there is three calls that are made up."""
    file = "bWFpbApjYW5hcnk3ZjNhQHBsYWluLnRlc3QK"  # "mail\ncanary7f3a@plain.test\n"
    for method, text in JOURNEY:
        assert isinstance(text, str)
        filled = text.replace("$ENTRIES", _entries()).replace("$NAME", CANARY)
        message = json_format.Parse(filled.replace("$FILE", file), request_type(method)())
        yield method, message.SerializeToString()
    for method in all_methods():
        for odd in (False, True):
            yield method, made_up(request_type(method)(), odd=odd).SerializeToString()
        yield method, b"\x0a\xff" + ADDRESSES[0].encode()


def made_up(message: Any, *, odd: bool, depth: int = 0) -> Message:
    """Fill every field: texts of people with a marked name, `odd` ones with one that is wrong."""
    name = f"{CANARY}@@plain.test" if odd else ADDRESSES[0]
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING:
                getattr(message, field.name)["team"] = name
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < 3 and not field.full_name.startswith("google.protobuf.FieldMask"):
                inner = getattr(message, field.name)
                made_up(inner.add() if _many(field) else inner, odd=odd, depth=depth + 1)
                if not _many(field):
                    inner.SetInParent()
        else:
            value = _value(field, name, odd=odd)
            if _many(field):
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message  # type: ignore[no-any-return]


def _many(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def _value(field: FieldDescriptor, name: str, *, odd: bool) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return name if field.name in PERSONAL else "some-text"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return name.encode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return not odd
    return 99 if odd and field.type == FieldDescriptor.TYPE_ENUM else 1


@pytest.fixture(name="server")
async def _server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """One that says all that it can say."""
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path, processes="1", log_level="debug")
        await server.start()
        yield server
        await server.stop()


@pytest.mark.timeout(100)
async def test_no_marked_name_is_where_people_look(server: ServerProcess) -> None:
    """Not in what the server writes, not in an error, not in the audit log: nowhere."""
    codes: set[str] = set()
    called: set[str] = set()
    seen: list[tuple[str, bytes]] = []
    async with grpc.aio.insecure_channel(server.target) as channel:
        for method, request in requests():
            called.add(method)
            try:
                await asyncio.wait_for(call(channel, method, request), 25)
                codes.add("OK")
            except TimeoutError:
                codes.add("TIMEOUT")
            except grpc.aio.AioRpcError as error:
                codes.add(error.code().name)
                seen.append((method, (error.details() or "").encode()))
                metadata: Any = error.trailing_metadata() or ()
                seen += [(method, value) for key, value in metadata if key == DETAILS_KEY]
        for method in all_methods():
            if method.endswith("/ListAuditEvents"):
                for reply in await call(channel, method, b""):
                    seen.append((method, reply.SerializeToString()))
    await server.stop()
    seen += [("the log", line.encode()) for line in server.log().splitlines()]
    found = [(where, text) for where, text in seen if CANARY.encode() in text]
    assert not found

    assert set(all_methods()) == called
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND"} <= codes
    assert '"method": "mailvet.v1.BatchService/CreateBatch"' in server.log()
