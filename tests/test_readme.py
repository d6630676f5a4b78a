"""The README does what it says: its grpcurl session and its Python, against a real server."""

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mailvet.v1 import result_pb2
from tests.cli.test_main import COMMANDS
from tests.grpcurl import ROOT, TARGET, blocks, demo_server, documents, grpcurl, run_line

README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(name="target", scope="module")
def _target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in front of the demo's mail internet."""
    with demo_server(tmp_path_factory.mktemp("readme")) as target:
        yield target


def block(language: str, opening: str) -> str:
    """The first fenced block of the language that starts with the words."""
    return next(found for found in blocks(README, language) if found.startswith(opening))


def test_every_command_stands_in_the_table() -> None:
    """The table of commands has each one once, and no other."""
    rows = [line.split(" | ")[0] for line in README.splitlines() if line.startswith("| `mailvet ")]
    listed = [
        name.removeprefix("mailvet ").split()[0]
        for row in rows
        for name in re.findall(r"`([^`]+)`", row)
    ]
    assert sorted(COMMANDS) == sorted([*listed, "demo"])  # which has a paragraph of its own


def test_the_session_goes_as_shown(target: str) -> None:
    """Every grpcurl line works, in order, and says what its sentence promises."""
    said: dict[str, list[Any]] = {}
    for line in block("", "grpcurl").splitlines():
        if line:
            done = run_line(line, target)
            assert (0, "") == (done.returncode, done.stderr), line
            said[line.rpartition("/")[2]] = documents(done.stdout)
    assert "ENTRY_STATUS_SUCCESS" == said["VerifyEmail"][0]["result"]["status"]
    assert "spring" == said["CreateBatch"][0]["batch"]["batchId"]
    frames = said["StreamResults"]
    results = [result for frame in frames for result in frame.get("results", ())]
    assert {
        "user1@plain.test": "ENTRY_STATUS_SUCCESS",
        "nobody@plain.test": "ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST",
    } == {result["inputData"]: result["status"] for result in results}
    assert (True, True) == (frames[-1]["done"], all(frame["cursor"] for frame in frames))
    assert "BATCH_STATE_COMPLETED" == said["GetBatch"][0]["batch"]["state"]
    assert 2 == said["DeleteBatch"][0]["deletedEntryCount"]


def test_every_field_is_documented_on_the_wire(target: str) -> None:
    """`describe` shows the comments of the proto, by reflection alone."""
    described = grpcurl("-plaintext", target, "describe", "mailvet.v1.Result").stdout
    fields = re.findall(r"// .*\n +(?:optional |repeated )?[\w.]+ (\w+) = \d+;", described)
    assert [field.name for field in result_pb2.Result.DESCRIPTOR.fields] == fields
    assert "// Zero-based place of the entry" in described


def test_every_service_is_listed(target: str) -> None:
    """`list` names our services beside health and reflection."""
    listed = grpcurl("-plaintext", target, "list").stdout.split()
    assert {
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "mailvet.v1.BatchService",
        "mailvet.v1.ResultService",
        "mailvet.v1.VerificationService",
    } <= set(listed)


def test_errors_are_readable(target: str) -> None:
    """The reason and what it is about are printed as JSON, not as bytes."""
    method = "mailvet.v1.BatchService/GetBatch"
    done = grpcurl("-plaintext", "-d", '{"batch_id": "nowhere"}', target, method)
    assert done.returncode != 0
    for told in ('"reason": "NOT_FOUND"', '"domain": "mailvet.dev"', '"name": "nowhere"'):
        assert told in done.stderr
    assert "batch 'nowhere' was not found" in done.stderr


async def test_the_python_snippet_runs(target: str) -> None:
    """It is run as it stands, and has an answer."""
    source = block("python", "from mailvet.client").replace(TARGET, target)
    assert target in source
    code = compile(source, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    running = eval(code, names)
    assert inspect.iscoroutine(running)
    await running
    assert "user1@plain.test" == names["answer"].email_address
