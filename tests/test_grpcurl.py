"""docs/grpcurl.md: a line for each RPC, each run with the real grpcurl against a real server."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from google.protobuf.descriptor_pb2 import MethodDescriptorProto
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from mailvet.cli.documents import parsed as parsed_text
from mailvet.cli.messages import message_of
from mailvet.cli.methods import find, path
from mailvet.rpc.descriptors import descriptor_set, pool
from tests.cli.run import server
from tests.grpcurl import ROOT, blocks, demo_server, documents, grpcurl, run_line

PAGE = (ROOT / "docs" / "grpcurl.md").read_text("utf-8")
LINES = [
    line
    for block in blocks(PAGE)
    for line in block.splitlines()
    if line.startswith("grpcurl") and "\nERROR" not in block and " -protoset " not in line
]


@pytest.fixture(name="target", scope="module")
def _target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in front of the demo's mail internet."""
    with demo_server(tmp_path_factory.mktemp("grpcurl")) as target:
        yield target


KEPT = ("VerifyEmail", "CreateBatch", "PrepareBatch")
"""Methods with several lines, each of whose replies is looked at."""

WRITE_PROTOSET = str(ROOT / "scripts" / "write_protoset.py")


def methods() -> dict[str, MethodDescriptorProto]:
    """Every RPC of ours by its full name."""
    return {
        f"{file.package}.{service.name}/{method.name}": method
        for file in descriptor_set().file
        if file.package == "mailvet.v1"
        for service in file.service
        for method in service.method
    }


def called(line: str) -> str:
    """The RPC that a line calls."""
    return line.rpartition(" ")[2]


def parsed(line: str, documents: list[Any]) -> list[Any]:
    """The replies to a line as messages, which refuse what is no field of theirs."""
    if called(line).startswith("mailvet."):
        name = methods()[called(line)].output_type.removeprefix(".")
        reply = GetMessageClass(pool().FindMessageTypeByName(name))
    else:
        reply = health_pb2.HealthCheckResponse
    return [ParseDict(document, reply()) for document in documents]


def filled(line: str, said: dict[str, list[Any]]) -> str:
    """A line with what earlier replies told in the place of the words in capitals."""
    for made in said.get("CreateApiKey", ()):
        line = line.replace("KEY_ID", made.api_key.key_id).replace("KEY", made.secret)
    for begun in said.get("EnrollTotp", ()):
        line = line.replace("CODE", pyotp.TOTP(begun.secret).now())
    return line


def test_every_rpc_has_a_line() -> None:
    """An RPC that is added needs a line in docs/grpcurl.md."""
    assert set() == methods().keys() - {called(line) for line in LINES}


def test_every_line_is_explained() -> None:
    """Above each call stands a sentence that says what it is for."""
    bare = [
        line
        for block in blocks(PAGE)
        for before, line in zip(["", *block.splitlines()], block.splitlines(), strict=False)
        if "/" in called(line) and line in LINES and (before[:2], before[-1:]) != ("# ", ".")
    ]
    assert [] == bare


def test_every_line_runs(target: str) -> None:
    """Each line works in its place, and what it prints is the reply of its RPC."""
    said: dict[str, list[Any]] = {}
    for line in LINES:
        done = run_line(filled(line, said), target)
        assert (0, "") == (done.returncode, done.stderr), (line, done.stderr)
        if "/" in called(line):
            method = called(line).rpartition("/")[2]
            replies = parsed(line, documents(done.stdout))
            said[method] = said.get(method, []) + replies if method in KEPT else replies
    assert 5 == said["StreamEntries"][-1].batch.entry_count
    assert [False, True, False] == [one.result.from_cache for one in said["VerifyEmail"]]
    assert ("plain.test", "") == (
        said["VerifyEmail"][-1].result.domain,
        said["VerifyEmail"][-1].result.email_address,
    )
    assert {"a", "b"} == {answer.id for answer in said["VerifyStream"]}
    assert [1, 2, 3] == [one.cost_units for one in said["ListQualityLevels"][0].quality_levels]
    assert 2 == said["AddFile"][0].reading.rows_kept
    assert (2, 2) == (said["PrepareBatch"][-1].entry_count, said["PrepareBatch"][-1].removed_count)
    assert [True, 86_400] == [
        said["CreateBatch"][-2].batch.bare_domains,
        said["CreateBatch"][-2].batch.max_shared_age.seconds,
    ]
    assert 2 == said["CreateBatch"][-2].batch.progress.result_count
    assert said["CreateBatch"][-2].batch.callback.url.startswith("https://hooks.")
    assert 2 == said["UploadFile"][-1].batch.entry_count
    assert said["WatchBatch"][-1].done
    assert 5 == said["GetBatch"][0].batch.progress.result_count
    results = [result.index for frame in said["StreamResults"] for result in frame.results]
    assert [3, 4] == sorted(results)
    assert "nobody@plain.test" == said["GetResult"][0].result.input_data
    assert 5 == said["DeleteBatch"][0].deleted_entry_count


def test_errors_are_printed_as_shown(target: str) -> None:
    """The page shows an error with its details decoded, letter by letter."""
    (shown,) = (block for block in blocks(PAGE) if "\nERROR" in block)
    line, _, output = shown.partition("\n")
    done = run_line(line, target)
    assert (67, "", output) == (done.returncode, done.stdout, done.stderr)


def test_the_protoset_takes_the_place_of_reflection(tmp_path: Path) -> None:
    """With the file, calls and the details of errors go without reflection."""
    protoset = tmp_path / "mailvet.protoset"
    subprocess.run([sys.executable, WRITE_PROTOSET, str(protoset)], check=True)
    (line,) = (line for line in PAGE.splitlines() if " -protoset " in line)
    line = line.replace("dist/mailvet.protoset", str(protoset))
    (failing,) = (block.splitlines()[0] for block in blocks(PAGE) if "\nERROR" in block)
    with server(tmp_path, "--no-reflection") as target:
        assert "does not support the reflection" in grpcurl("-plaintext", target, "list").stderr
        assert '"version"' in run_line(line, target).stdout
        told = run_line(failing.replace("-plaintext", f"-plaintext -protoset {protoset}"), target)
    assert '"reason": "INVALID_REQUEST"' in told.stderr


def test_the_scope_of_a_method_is_described(target: str) -> None:
    """Who may call it stands beside it."""
    told = grpcurl("-plaintext", target, "describe", "mailvet.v1.BatchService.DeleteBatch")
    assert "( .mailvet.v1.required_scope ) = SCOPE_BATCHES_DELETE;" in " ".join(
        told.stdout.replace("(", "( ").replace(")", " )").split()
    )


def test_the_protoset_describes_itself(tmp_path: Path) -> None:
    """A file of descriptors has the comments."""
    protoset = tmp_path / "mailvet.protoset"
    subprocess.run([sys.executable, WRITE_PROTOSET, str(protoset)], check=True)
    told = grpcurl("-protoset", str(protoset), "describe", "mailvet.v1.BatchService.LaunchBatch")
    assert "// Starts the work on a DRAFT batch." in told.stdout


def test_mailvet_call_takes_the_same_lines() -> None:
    """What a line sends is what `mailvet call` would send for the same JSON."""
    for line in LINES:
        if not called(line).startswith("mailvet.") or "/" not in called(line):
            continue
        arguments = shlex.split(line)
        method = find(called(line))
        assert called(line) == path(method).removeprefix("/")
        text = arguments[arguments.index("-d") + 1] if "-d" in arguments else "{}"
        request_type = GetMessageClass(method.input_type)
        expected = [ParseDict(document, request_type()) for document in documents(text)]
        assert expected == [message_of(one, method.input_type) for one in parsed_text([text])]
