"""`batches`, `watch`, `keys` and `verify --target`, with a server."""

import csv
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.run import COMMAND, environment, json_lines, mailvet, server
from tests.cli.test_main import run


@pytest.fixture(name="target", scope="module")
def _target(network: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("serve"), *network) as target:
        yield target


@pytest.fixture(name="batch_id", scope="module")
def _batch_id(target: str) -> str:
    """A batch that a command has made and that has ended."""
    addresses = ("user1@cli.test", "nobody@cli.test", "a@@b")
    done = mailvet("verify", "--target", target, "--json", *addresses)
    assert ["SUCCESS", "MAILBOX_DOES_NOT_EXIST", "INVALID_CHARACTER_IN_SEQUENCE"] == [
        one["status"] for one in json_lines(done.stdout)
    ]
    newest = json_lines(mailvet("batches", "--target", target, "--json").stdout)[0]
    return str(newest["batch_id"])


def test_batches_are_listed(target: str, batch_id: str) -> None:
    """One line a batch; `MAILVET_TARGET` names the server too."""
    done = mailvet("batches", env={"MAILVET_TARGET": target})
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(batch_id)]
    assert (0, ["COMPLETED", "3/3"]) == (done.returncode, line.split()[1:3])


def test_batches_are_filtered(target: str, batch_id: str) -> None:
    """A filter that cannot be read is told with its field."""
    arguments = ("batches", "--order", "name", "--target", target)
    found = mailvet(*arguments, "--filter", f"batch_id = {batch_id} AND state = COMPLETED").stdout
    nothing = mailvet(*arguments, "--filter", f"batch_id = {batch_id} AND NOT state = COMPLETED")
    wrong = mailvet(*arguments, "--filter", "colour = red")
    assert (1, True) == (len(found.splitlines()), found.startswith(batch_id))
    assert (0, "") == (nothing.returncode, nothing.stdout)
    assert (1, True) == (wrong.returncode, "'colour' is no field" in wrong.stderr)


def test_a_batch_is_shown(target: str, batch_id: str) -> None:
    """State and progress for people, the whole message as JSON."""
    shown = mailvet("batches", "show", batch_id, "--target", target).stdout
    assert "[########################] 3/3" in shown
    (found,) = json_lines(mailvet("batches", "show", batch_id, "--json", "--target", target).stdout)
    assert ("COMPLETED", 3, "SAFE") == (
        found["state"],
        found["progress"]["result_count"],
        found["deduplication"],
    )


def test_results_are_read_again(target: str, batch_id: str) -> None:
    """As a table, as JSON lines, as CSV; in input order."""
    arguments = ("batches", "results", batch_id, "--target", target)
    table = mailvet(*arguments).stdout.splitlines()
    objects = json_lines(mailvet(*arguments, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(mailvet(*arguments, "--csv").stdout)))
    expected = ["SUCCESS", "MAILBOX_DOES_NOT_EXIST", "INVALID_CHARACTER_IN_SEQUENCE"]
    assert expected == [line.split()[1] for line in table]
    assert expected == [one["status"] for one in objects]
    assert expected == [row["status"] for row in rows]


def test_a_watch_ends_with_the_batch(target: str, batch_id: str) -> None:
    """The last frame says done; people see the batch and its bar."""
    assert "COMPLETED" in mailvet("watch", batch_id, "--target", target).stdout
    frames = json_lines(mailvet("watch", batch_id, "--json", "--target", target).stdout)
    assert (True, "COMPLETED") == (frames[-1]["done"], frames[-1]["batch"]["state"])


def test_a_running_batch_is_cancelled_then_deleted(target: str) -> None:
    """Who verifies it sees it end; deleting asks for --force while it runs; gone is gone."""
    command = [*COMMAND, "verify", "--target", target, "--json", "user1@silent.test"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    running: list[str] = []
    while not running and process.poll() is None:
        listed = json_lines(mailvet("batches", "--target", target, "--json").stdout)
        running = [one["batch_id"] for one in listed if one["state"] == "RUNNING"]
    (batch_id,) = running
    refused = mailvet("batches", "delete", batch_id, "--target", target)
    cancelled = mailvet("batches", "cancel", batch_id, "--target", target)
    out, _ = process.communicate(timeout=20)
    deleted = mailvet("batches", "delete", batch_id, "--target", target)
    gone = mailvet("batches", "show", batch_id, "--target", target)
    assert (1, True) == (refused.returncode, "WRONG_STATE" in refused.stderr)
    assert (0, True) == (cancelled.returncode, "CANCELLED" in cancelled.stdout)
    assert b"" == out
    assert f"deleted {batch_id} with 1 entries\n" == deleted.stdout
    assert (1, True) == (gone.returncode, gone.stderr.startswith("mailvet: BATCH_ERASED: "))


def test_results_are_counted_and_verified_again(target: str, batch_id: str) -> None:
    """Words choose classifications and statuses; the new batch is prepared before its launch."""
    told = mailvet("batches", "summary", batch_id, "--not", "success", "--target", target).stdout
    arguments = ("reverify", batch_id, "--only", "undeliverable", "--json", "--target", target)
    (again,) = json_lines(mailvet("batches", *arguments).stdout)
    name = again["batch_id"]
    prepared = mailvet("batches", "prepare", name, "--dedupe", "off", "--target", target).stdout
    mailvet("batches", "delete", name, "--target", target)
    wrong = mailvet("batches", "results", batch_id, "--only", "nice", "--target", target)
    assert told.startswith("2 results\n")
    assert "           1  cli.test\n" in told
    assert ("DRAFT", 2, "HIGH") == (again["state"], again["entry_count"], again["quality"])
    assert "2 entries: 1 to verify, 0 duplicates, 1 no addresses; 2 units\n" == prepared
    assert (1, True) == (wrong.returncode, "'nice' is no classification" in wrong.stderr)


def test_a_batch_is_updated(target: str, batch_id: str) -> None:
    """Only what is said is changed; a batch that ended is not paused."""
    arguments = ("update", batch_id, "--name", "spring", "--label", "shop=eu", "--priority", "9")
    done = mailvet("batches", *arguments, "--json", "--target", target)
    (updated,) = json_lines(done.stdout)
    stale = mailvet(
        "batches", "update", batch_id, "--name", "x", "--etag", "r1.3", "--target", target
    )
    paused = mailvet("batches", "pause", batch_id, "--target", target)
    assert ("spring", {"shop": "eu"}, 9) == (
        updated["name"],
        updated["labels"],
        updated["priority"],
    )
    assert (1, True) == (stale.returncode, "ETAG_MISMATCH" in stale.stderr)
    assert (1, True) == (paused.returncode, "WRONG_STATE" in paused.stderr)


@pytest.mark.parametrize(
    "action",
    [
        "show",
        "results",
        "summary",
        "reverify",
        "prepare",
        "update",
        "pause",
        "resume",
        "cancel",
        "delete",
    ],
)
def test_an_action_needs_its_batch(capsys: pytest.CaptureFixture[str], action: str) -> None:
    """The way out is told, exit code 1."""
    assert (1, "", f"mailvet: `mailvet batches {action}` needs the id of a BATCH\n") == run(
        capsys, "batches", action
    )


def test_keys_are_made_and_revoked_while_the_server_runs(
    network: list[str], tmp_path: Path
) -> None:
    """A server that asks for keys takes a new one at once, and no wrong one."""
    store = ("--store", str(tmp_path / "store.db"))
    with server(tmp_path, *network, "--require-keys") as target:
        without = mailvet("batches", "--target", target)
        made = mailvet("keys", "create", *store, "--tenant", "shop", "--name", "import")
        key = made.stdout.strip()
        known = mailvet("batches", "--target", target, env={"MAILVET_KEY": key})
        wrong = mailvet("batches", "--target", target, "--key", key[:-1] + "~")
        (listed,) = json_lines(mailvet("keys", "list", "--json", *store).stdout)
        revoked = mailvet("keys", "revoke", listed["key_id"], *store)
    assert (1, "") == (without.returncode, without.stdout)
    assert without.stderr.startswith("mailvet: UNAUTHENTICATED: no valid API key")
    assert (0, True) == (made.returncode, key.startswith("mv_"))
    assert (0, "", "") == (known.returncode, known.stdout, known.stderr)
    assert (1, True) == (wrong.returncode, "UNAUTHENTICATED" in wrong.stderr)
    assert ("shop", "import", None) == (
        listed["tenant"],
        listed["name"],
        listed["revoke_time"],
    )
    assert (0, f"revoked {listed['key_id']}\n") == (revoked.returncode, revoked.stderr)
    assert "revoked" in mailvet("keys", "list", *store).stdout


def test_keys_of_a_store_without_a_server(tmp_path: Path) -> None:
    """The first key is made before the first start; a missing id is told."""
    store = ("--store", str(tmp_path / "new.db"))
    assert "" == mailvet("keys", "list", *store).stdout
    assert 0 == mailvet("keys", "create", *store).returncode
    line = mailvet("keys", "list", *store).stdout.split()
    assert ["active", "default"] == line[1:3]
    absent = mailvet("keys", "revoke", "nobody", *store)
    assert (1, "mailvet: key 'nobody' was not found\n") == (absent.returncode, absent.stderr)
    unnamed = mailvet("keys", "revoke", *store)
    assert (1, True) == (unnamed.returncode, "needs a KEY_ID" in unnamed.stderr)


@pytest.mark.parametrize("command", [("batches",), ("watch", "b"), ("verify", "a@b.test")])
def test_a_server_that_is_down_is_said(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """One sentence with the target and the way out."""
    code, out, err = run(capsys, *command, "--target", "127.0.0.1:1")
    assert (1, "", 1) == (code, out, len(err.splitlines()))
    assert err.startswith(
        "mailvet: no mailvet server answers at 127.0.0.1:1 (Connection refused); start one"
    )
