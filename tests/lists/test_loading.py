"""Where lists come from and how an operator's files change them."""

from pathlib import Path

import pytest

from mailvet.errors import ConfigError
from mailvet.lists import load_lists
from mailvet.lists.loading import _packaged_lists
from mailvet.lists.rows import read_bundled


def test_an_operators_rows_come_on_top(tmp_path: Path) -> None:
    """Plain rows with remarks, at signs and stars are read; ours stay in force."""
    (tmp_path / "disposable.txt").write_text("# mine\n@Throw.example\n*.away.example # and below\n")
    (tmp_path / "free.txt").write_text("\ufefffree.example\n", "utf-8")
    lists = load_lists(tmp_path)
    assert lists.classify("x", "throw.example").is_disposable
    assert lists.classify("x", "a.away.example").is_disposable
    assert lists.classify("x", "free.example").is_free
    assert lists.classify("x", "gmail.com").is_free


def test_an_operators_allow_list_wins(tmp_path: Path) -> None:
    """A row of allow.txt is never disposable, whichever list holds it."""
    (tmp_path / "allow.txt").write_text("mailinator.com\nmine.example\n")
    (tmp_path / "disposable.txt").write_text("mine.example\n")
    lists = load_lists(tmp_path)
    assert not lists.classify("x", "mailinator.com").is_disposable
    assert not lists.classify("x", "mine.example").is_disposable


def test_an_operators_role_names_count_as_they_stand(tmp_path: Path) -> None:
    """A name of roles.txt is a role, and does not reach into longer names."""
    (tmp_path / "roles.txt").write_text("stammtisch\n")
    classify = load_lists(tmp_path).classify
    assert classify("stammtisch", "example.com").is_role_account
    assert not classify("stammtisch.berlin", "example.com").is_role_account
    assert classify("sales", "example.com").is_role_account


def test_our_own_format_carries_its_source(tmp_path: Path) -> None:
    """A TOML file's head is what the evidence shows."""
    (tmp_path / "masked.toml").write_text(
        'source = "our desk"\nlicence = ""\ndate = 2026-11-20\n[rows]\na = "m.{example,test}"\n'
    )
    (hit,) = load_lists(tmp_path).classify("x", "m.test").hits
    assert ("our desk", "2026-11-20") == (hit.source, hit.date)


def test_loading_again_leaves_the_old_lists_as_they_were(tmp_path: Path) -> None:
    """A reload is a new value: whoever holds the old one keeps it whole."""
    before = load_lists(tmp_path)
    (tmp_path / "disposable.txt").write_text("late.example\n")
    after = load_lists(tmp_path)
    assert not before.classify("x", "late.example").is_disposable
    assert after.classify("x", "late.example").is_disposable


def test_other_files_in_the_folder_are_no_lists(tmp_path: Path) -> None:
    """A read-me or a backup beside the lists does no harm."""
    (tmp_path / "README.md").write_text("how we keep these")
    assert load_lists(tmp_path).classify("x", "gmail.com").is_free


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("disposible.txt", "a.example\n"),
        ("free.toml", "source = \n"),
        ("free.toml", '[rows]\na = "b.example"\n'),
    ],
)
def test_a_file_that_cannot_work_is_named(tmp_path: Path, name: str, text: str) -> None:
    """A misspelt name, broken TOML and a missing head are told with the file's path."""
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=name):
        load_lists(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which setting is wrong and the way out."""
    with pytest.raises(ConfigError, match="lists_dir"):
        load_lists(tmp_path / "missing")


def test_what_is_known_to_be_good_is_taken_off_the_public_lists() -> None:
    """No free provider, relay or organisation of ours is left on a packaged list."""
    lists = load_lists()
    known = {
        row
        for name in ("free", "masked", "organisations", "allow")
        for rows in read_bundled(name).tables.values()
        for row in rows
    }
    wrong = [row for row in sorted(known) if lists.classify("x", row).is_disposable]
    assert [] == wrong


def test_our_lists_do_not_contradict_each_other() -> None:
    """A name is on one of free, masked, organisations and allow only."""
    rows = {
        name: frozenset[str]().union(*read_bundled(name).tables.values())
        for name in ("free", "masked", "organisations", "allow", "disposable")
    }
    pairs = [(a, b) for a in rows for b in rows if a < b]
    assert [] == [(a, b, sorted(rows[a] & rows[b])) for a, b in pairs if rows[a] & rows[b]]


def test_the_packages_are_as_large_as_we_count_on() -> None:
    """A new release of a package that lost its data is noticed."""
    sizes = [len(each.rows) for each in _packaged_lists()]
    assert sizes[0] > 5_000
    assert sizes[1] > 50_000
