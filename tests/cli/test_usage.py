"""`mailvet usage` and `mailvet balance`, with a server and without."""

from pathlib import Path

import pytest

from tests.cli.run import json_lines, mailvet, server
from tests.cli.test_main import run


def test_what_was_used_is_shown_and_what_may_be_spent_is_set(
    network: list[str], tmp_path: Path
) -> None:
    """While the server runs: a limit holds for the next launch, units that are added too."""
    store = ("--store", str(tmp_path / "store.db"))
    addresses = ("user1@cli.test", "nobody@cli.test", "a@@b")
    with server(tmp_path, *network) as target:
        done = mailvet("verify", "--target", target, "--json", *addresses)
        used = mailvet("usage", "--target", target)
        (line,) = json_lines(mailvet("usage", "--json", "--target", target).stdout)
        nothing = mailvet("usage", "--to", "2001-01-01", "--target", target)
        limited = mailvet("balance", "default", "--limited", "--add", "1.5", *store)
        refused = mailvet("verify", "--target", target, *addresses)
        added = mailvet("balance", "default", "--add", "0.5", "--json", *store)
        let_in = mailvet("verify", "--target", target, "--json", *addresses)
    assert 3 == len(json_lines(done.stdout))
    assert (2, 1, 2.0) == (line["verified_count"], line["free_count"], line["units"])
    assert [line["date"], "2", "0", "1", "0", "2.0", "0.0"] == used.stdout.splitlines()[1].split()
    assert (0, 1) == (nothing.returncode, len(nothing.stdout.splitlines()))
    assert "tenant default: limited" in limited.stdout
    assert (1, True) == (refused.returncode, "0.5 are missing" in refused.stderr)
    (balance,) = json_lines(added.stdout)
    assert (True, 2.0) == (balance["limited"], balance["available_units"])
    assert (0, 3) == (let_in.returncode, len(json_lines(let_in.stdout)))


def test_a_balance_is_set_before_the_first_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a server the store itself is opened; what is not named stays."""
    store = ("--store", str(tmp_path / "new.db"))
    assert "tenant shop: unlimited" in run(capsys, "balance", "shop", *store)[1]
    run(capsys, "balance", "shop", "--limited", "--daily-free", "20", *store)
    run(capsys, "balance", "shop", "--add", "100", *store)
    _, shown, _ = run(capsys, "balance", "shop", *store)

    assert ["limited", "120", "100", "20", "20", "0"] == [
        line.split()[-1] for line in shown.splitlines()
    ]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--add", "1.25"), "--add 1.25: give units, in whole or half numbers"),
        (("--add", "many"), "--add many: give units"),
        (("--add", "NaN"), "--add NaN: give units"),
        (("--daily-free", "-1"), "--daily-free -1: use 0 or more"),
    ],
)
def test_what_is_no_number_of_units_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: tuple[str, str], told: str
) -> None:
    """With the flag and the way out."""
    joined = f"{flags[0]}={flags[1]}"
    code, _, err = run(capsys, "balance", "shop", joined, "--store", str(tmp_path / "new.db"))
    assert (1, True) == (code, told in err)
