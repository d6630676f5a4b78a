"""Lists that change while the service runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from mailvet.errors import ConfigError
from mailvet.lists import load_lists
from mailvet.serve.lists_watch import ListsWatch


class _Watched:
    """A watch over a folder, with what it logs and how often it loads."""

    def __init__(self, folder: Path | None) -> None:
        self._logs = LogCapture()
        self.loads = 0
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens between reading the files and taking them for read."""
        log = structlog.wrap_logger(None, processors=[self._logs])
        self.watch = ListsWatch(folder, load=self._load, log=log)

    def _load(self, folder: Path | None) -> Any:
        self.loads += 1
        lists = load_lists(folder)
        self.meanwhile()
        return lists

    def is_free(self, domain: str) -> bool:
        return self.watch.lists.classify("ann", domain).is_free

    @property
    def logged(self) -> list[Any]:
        return self._logs.entries


def _write(path: Path, text: str, *, mtime_s: int) -> None:
    path.write_text(text, "utf-8")
    os.utime(path, (mtime_s, mtime_s))


async def test_a_changed_file_is_taken_up(tmp_path: Path) -> None:
    """Added, changed and removed files count from the next look on; the log has the counts."""
    watched = _Watched(tmp_path)
    assert not watched.is_free("new.example")
    _write(tmp_path / "free.txt", "new.example\n", mtime_s=1)
    assert await watched.watch.look()
    assert watched.is_free("new.example")
    _write(tmp_path / "free.txt", "old.example\n", mtime_s=2)  # as long as it was
    assert await watched.watch.look()
    assert not watched.is_free("new.example")
    (tmp_path / "free.txt").unlink()
    assert await watched.watch.look()
    assert not watched.is_free("old.example")

    assert ["lists.reloaded"] * 3 == [line["event"] for line in watched.logged]
    assert watched.logged[0]["free"] == watched.logged[2]["free"] + 1


async def test_nothing_is_loaded_when_nothing_changed(tmp_path: Path) -> None:
    """A look at unchanged files, or without a folder, is free of work and words."""
    _write(tmp_path / "free.txt", "new.example\n", mtime_s=1)
    for watched in (_Watched(tmp_path), _Watched(None)):
        lists = watched.watch.lists
        assert not await watched.watch.look()
        assert lists is watched.watch.lists
        assert (1, []) == (watched.loads, watched.logged)


@pytest.mark.parametrize(
    ("name", "text"),
    [("free.toml", "= broken"), ("free.toml", "source = 1\n[rows]\na = 1"), ("fre.txt", "a.b")],
)
async def test_a_broken_file_keeps_the_last_good_lists(
    name: str, text: str, tmp_path: Path
) -> None:
    """It is said once, with the file's name; once mended, the lists are new."""
    _write(tmp_path / "masked.txt", "mask.example\n", mtime_s=1)
    watched = _Watched(tmp_path)
    lists = watched.watch.lists
    _write(tmp_path / name, text, mtime_s=2)
    assert not await watched.watch.look()
    assert not await watched.watch.look()
    assert lists is watched.watch.lists
    (line,) = watched.logged
    assert "lists.refused" == line["event"]
    assert name in line["reason"]
    (tmp_path / name).unlink()
    _write(tmp_path / "free.txt", "new.example\n", mtime_s=3)
    assert await watched.watch.look()
    assert watched.is_free("new.example")


async def test_a_folder_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    """Its last lists stay until it is there again."""
    folder = tmp_path / "lists"
    folder.mkdir()
    _write(folder / "free.txt", "new.example\n", mtime_s=1)
    watched = _Watched(folder)
    folder.rename(tmp_path / "away")
    assert not await watched.watch.look()
    assert watched.is_free("new.example")
    assert [str(folder) in line["reason"] for line in watched.logged] == [True]


async def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """Half a file never comes into force."""
    watched = _Watched(tmp_path)
    path = tmp_path / "free.txt"
    _write(path, "new.exam", mtime_s=1)
    watched.meanwhile = lambda: _write(path, "new.example\nmore.example\n", mtime_s=2)
    assert not await watched.watch.look()
    assert not watched.is_free("new.exam")
    watched.meanwhile = lambda: None
    assert await watched.watch.look()
    assert watched.is_free("more.example")


def test_a_service_does_not_start_with_a_broken_list(tmp_path: Path) -> None:
    """At the start there are no good lists to keep."""
    _write(tmp_path / "free.toml", "= broken", mtime_s=1)
    with pytest.raises(ConfigError, match=r"free\.toml"):
        ListsWatch(tmp_path)
