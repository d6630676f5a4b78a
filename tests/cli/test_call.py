"""`mailvet call`, with a server."""

import json
from collections.abc import Iterator

import pytest

from mailvet.cli.methods import methods, short
from tests.cli.run import json_lines, mailvet, server
from tests.cli.test_main import run


@pytest.fixture(name="target", scope="module")
def _target(network: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("call"), *network) as target:
        yield target


def call(target: str, *arguments: str, stdin: str = "") -> tuple[int, list[dict[str, object]], str]:
    """Make a call: exit code, replies, standard error."""
    done = mailvet("call", *arguments, "--target", target, stdin=stdin.encode())
    return done.returncode, json_lines(done.stdout), done.stderr


def test_a_unary_call(target: str) -> None:
    """The reply is one JSON line, with enum values as the other commands write them."""
    code, replies, err = call(target, "verify_email", '{"input_data": "user1@cli.test"}')
    (reply,) = replies
    assert (0, "") == (code, err)
    assert isinstance(reply["result"], dict)
    assert "SUCCESS" == reply["result"]["status"]


def test_nothing_is_an_empty_request(target: str) -> None:
    """Where `{}` makes sense, it may be left out."""
    assert "version" in call(target, "CatalogService/GetServerInfo")[1][0]


def test_streams_both_ways(target: str) -> None:
    """Several objects are the messages of a stream; each reply is a line."""
    code, replies, _ = call(target, "CreateBatch", '{"batch_id": "call"}')
    assert 0 == code
    frames = (
        '{"batch_id": "call", "entries": [{"input_data": "user1@cli.test"}]}\n'
        '{"entries": [{"input_data": "a@@b"}]} {"finish": {"launch": true}}'
    )
    _, replies, _ = call(target, "StreamEntries", "-", stdin=frames)
    assert [1, 2, 2] == [reply["entry_count"] for reply in replies]
    _, replies, _ = call(target, "StreamResults", '{"batch_id": "call", "filter": {}}')
    assert (True, True) == (replies[-1]["done"], all(reply["cursor"] for reply in replies))


def test_several_objects_are_several_unary_calls(target: str) -> None:
    """One line comes out for each that went in."""
    _, replies, _ = call(target, "VerifyEmail", '{"input_data": "a@@b"} {"input_data": "@"}')
    assert 2 == len(replies)


def test_an_error_has_its_details(target: str) -> None:
    """The code and the sentence, then each detail as a JSON line; exit code 1."""
    code, replies, err = call(target, "GetBatch", '{"batch_id": "nowhere"}')
    first, *rest = err.splitlines()
    assert (1, [], "mailvet: NOT_FOUND: batch 'nowhere' was not found") == (code, replies, first)
    details = [json.loads(line) for line in rest]
    assert "NOT_FOUND" == details[0]["reason"]
    assert {"kind": "batch", "name": "nowhere"} == details[0]["metadata"]
    assert "nowhere" == details[1]["resource_name"]


@pytest.mark.parametrize(
    ("told", "arguments"),
    [
        ("did you mean BatchService/GetBatch", ("GetBach", "{}")),
        ("did you mean batch_id?", ("GetBatch", '{"batch": "x"}')),
        ("did you mean entries?", ("StreamEntries", '{"entris": []}')),
        ("this is no JSON", ("GetBatch", "batch_id")),
        ("no-such-file: No such file", ("GetBatch", "@no-such-file")),
    ],
)
def test_mistakes_are_told(target: str, told: str, arguments: tuple[str, ...]) -> None:
    """Each in a sentence, with exit code 1."""
    code, replies, err = call(target, *arguments)
    assert (1, []) == (code, replies)
    assert told in err


def test_the_deadline_is_the_callers(target: str) -> None:
    """`--timeout` ends a call that would go on."""
    call(target, "CreateBatch", '{"batch_id": "waits"}')
    request = '{"batch_id": "waits"}'
    code, _, err = call(target, "WatchBatch", request, "--timeout", "0.3")
    assert (1, True) == (code, err.startswith("mailvet: DEADLINE_EXCEEDED"))


def test_methods_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a method each has its line and its sentence."""
    code, out, _ = run(capsys, "call")
    lines = out.splitlines()
    assert (0, [short(method) for method in methods()]) == (
        code,
        [line.split()[0] for line in lines],
    )
    assert all(line.endswith(".") for line in lines)


def test_a_method_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    """`--describe` tells the fields with their comments."""
    code, out, _ = run(capsys, "call", "--describe", "StreamEntries")
    assert (0, True) == (code, out.startswith("BatchService/StreamEntries: stream of "))
    assert "  entries  [object]  At most 10,000 entries, and 4 MiB a frame." in out
