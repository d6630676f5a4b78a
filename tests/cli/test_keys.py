"""`mailvet keys` and `mailvet audit`, beside a server and without one."""

import time
from datetime import datetime
from pathlib import Path

from tests.cli.run import json_lines, mailvet, server


def test_a_key_has_scopes_and_an_end(tmp_path: Path) -> None:
    """As they were asked for; all and none when nothing was said."""
    store = ("--store", str(tmp_path / "s.db"))
    flags = ("--scopes", "verify,batches:read", "--days", "30", "--json")
    (made,) = json_lines(mailvet("keys", "create", *flags, *store).stdout)
    (plain,) = json_lines(mailvet("keys", "create", "--json", *store).stdout)

    assert ["BATCHES_READ", "VERIFY"] == made["scopes"]
    end = datetime.fromisoformat(made["expire_time"]).timestamp()
    assert abs(end - time.time() - 30 * 86_400) < 60
    assert (8, None) == (len(plain["scopes"]), plain["expire_time"])
    lines = mailvet("keys", "list", *store).stdout.splitlines()
    assert ["batches_read,verify", "all"] == [line.split()[4] for line in lines]


def test_what_makes_no_sense_is_told(tmp_path: Path) -> None:
    """With what would; nothing is made."""
    store = ("--store", str(tmp_path / "s.db"))
    for flags, told in (
        (("create", "--scopes", "everything"), "'EVERYTHING' is not a valid Scope; there are"),
        (("create", "--days", "0"), "use more than 0"),
        (("rotate",), "`mailvet keys rotate` needs a KEY_ID"),
        (("rotate", "nobody"), "key 'nobody' was not found"),
    ):
        done = mailvet("keys", *flags, *store)
        assert (1, "") == (done.returncode, done.stdout)
        assert told in done.stderr
    assert "" == mailvet("keys", "list", *store).stdout


def test_a_key_is_rotated_beside_a_server(tmp_path: Path) -> None:
    """The new one opens at once, the old one until its end; both are written down."""
    with server(tmp_path, "--require-keys") as target:
        store = ("--store", str(next(tmp_path.glob("*.db"))))
        (old,) = json_lines(mailvet("keys", "create", "--json", *store).stdout)
        rotate = ("keys", "rotate", old["key_id"], "--overlap", "0", "--json", *store)
        (new,) = json_lines(mailvet(*rotate).stdout)
        opened = mailvet("call", "ListBatches", "--target", target, "--key", new["key"])
        closed = mailvet("call", "ListBatches", "--target", target, "--key", old["key"])
        created = ("call", "CreateBatch", '{"batch_id": "spring"}', "--target", target)
        mailvet(*created, "--key", new["key"])
        events = json_lines(mailvet("audit", "--json", *store).stdout)
        shown = mailvet("audit", "--batch", "spring", *store).stdout
        again = mailvet("keys", "rotate", old["key_id"], *store)

    assert 0 == opened.returncode
    assert (1, True) == (closed.returncode, "no valid API key" in closed.stderr)
    assert [
        ("mailvet.v1.BatchService/CreateBatch", "api_key", new["key_id"], "spring"),
        ("mailvet keys rotate", "operator", "", ""),
        ("mailvet keys create", "operator", "", ""),
    ] == [
        (event["method"], event["credential"], event["key_id"], event["batch_id"])
        for event in events
    ]
    assert ["", old["key_id"], old["key_id"]] == [event["subject_key_id"] for event in events]
    (line,) = shown.splitlines()
    assert "CreateBatch spring OK" in line
    assert "working key" in again.stderr


def test_the_audit_log_is_filtered(tmp_path: Path) -> None:
    """By tenant, key, age and number."""
    store = ("--store", str(tmp_path / "s.db"))
    for tenant in ("a", "b", "b"):
        mailvet("keys", "create", "--tenant", tenant, *store)

    def count(*flags: str) -> int:
        return len(mailvet("audit", *flags, *store).stdout.splitlines())

    assert [3, 2, 0, 3, 0, 1] == [
        count(),
        count("--tenant", "b"),
        count("--key", "nobody"),
        count("--days", "1"),
        count("--days", "-1"),
        count("--limit", "1"),
    ]
