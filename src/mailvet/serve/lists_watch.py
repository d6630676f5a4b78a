"""The lists in force: an operator's files are looked at now and then and loaded when they changed.

What cannot be loaded changes nothing: the last good lists stay. An operator best puts a new file in
place by renaming; one that is still being written when it is read is read again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from mailvet.lists import Lists, load_lists
from mailvet.telemetry.logs import logger

LOOK_EVERY_S = 5.0
"""As soon as somebody who has just saved a file expects it; a look is a handful of stat calls."""

Marks = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of every file, in order."""


class ListsWatch:
    """Keeps the lists and swaps them in one go: who looks something up sees old or new, whole."""

    def __init__(
        self,
        folder: Path | None,
        *,
        load: Callable[[Path | None], Lists] = load_lists,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """Load the lists, with those in `folder` if there is one; raises `ConfigError`."""
        self._folder = folder
        self._load = load
        self._log = log or logger("lists")
        self._seen = marks_of(folder)
        self.lists = load(folder)
        """Those in force."""

    async def run(self) -> None:
        """Look again every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> bool:
        """Load the lists when a file changed since the last look; return whether they are new."""
        marks = await asyncio.to_thread(marks_of, self._folder)
        if marks == self._seen:
            return False
        try:
            lists = await asyncio.to_thread(self._load, self._folder)
        except Exception as error:
            self._seen = marks  # said once: the next look is quiet until something changes
            self._log.error("lists.refused", reason=str(error), error=type(error).__name__)
            return False
        if await asyncio.to_thread(marks_of, self._folder) != marks:
            return False  # somebody writes at this moment; the next look sees all of it
        self._seen, self.lists = marks, lists
        self._log.info("lists.reloaded", folder=str(self._folder), **_counts(lists))
        return True


def marks_of(folder: Path | None) -> Marks:
    """Return what tells whether a file of the folder was changed, added or removed."""
    if folder is None:
        return ()
    marks = []
    try:
        for path in sorted(folder.iterdir()):
            found = path.stat()
            marks.append((path.name, found.st_size, found.st_mtime_ns))
    except OSError as error:  # gone, or being replaced just now
        marks.append((str(error), 0, 0))
    return tuple(marks)


def _counts(lists: Lists) -> dict[str, int]:
    """Rows by list."""
    counts: dict[str, int] = {}
    for each in lists.domain_lists:
        counts[each.name] = counts.get(each.name, 0) + len(each.rows)
    return counts
