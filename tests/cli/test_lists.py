"""`mailvet lists`."""

from pathlib import Path

from tests.cli.run import json_lines, mailvet


def test_a_domain_is_looked_up() -> None:
    """Every list that holds it, with the row, its source and its date."""
    done = mailvet("lists", "--json", stdin=b'{"domain": "x.mailinator.com"}\n')
    (found,) = json_lines(done.stdout)
    assert (0, True, "DISPOSABLE") == (
        done.returncode,
        found["is_disposable"],
        found["provider_type"],
    )
    assert {("disposable", "mailinator.com")} == {
        (hit["list"], hit["row"]) for hit in found["lists"]
    }
    assert all(hit["source"] for hit in found["lists"])


def test_an_address_will_do(tmp_path: Path) -> None:
    """Its local part is looked up too; an operator's folder counts."""
    (tmp_path / "free.txt").write_text("mine.test\n", "utf-8")
    done = mailvet("lists", "--lists-dir", str(tmp_path), "info@mine.test")
    assert 0 == done.returncode
    assert "FREEMAIL" in done.stdout
    assert "free mine.test free.txt" in done.stdout
    assert "roles info" in done.stdout


def test_what_is_no_domain() -> None:
    """It is answered with an error in its place."""
    done = mailvet("lists", "--json", "a..b", "gmail.com")
    assert [True, False] == ["error" in line for line in json_lines(done.stdout)]
    assert 1 == done.returncode


def test_every_list_is_named(tmp_path: Path) -> None:
    """`--all` says name, rows, date and source, the operator's own among them."""
    (tmp_path / "masked.txt").write_text("mine.test\n", "utf-8")
    done = mailvet("lists", "--all", "--json", "--lists-dir", str(tmp_path))
    found = json_lines(done.stdout)
    assert ("masked.txt", 1) in [(line["source"], line["row_count"]) for line in found]
    assert len(found) == len(mailvet("lists", "--all").stdout.splitlines()) + 1
