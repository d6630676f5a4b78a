"""Space kept back on the store's disk, so that a full one can still be emptied.

SQLite needs room in its write-ahead log to delete anything. A reserve file beside the store is
given up for that, and made again as soon as there is room; until then nothing but deletes may
write, or they would eat up what deletes need.
"""

import errno
import os
from pathlib import Path

from mailvet.store.sqlite_file import CHECKPOINT_PAGES

RESERVE_BYTES = CHECKPOINT_PAGES * 4096 + 4 * 1024 * 1024
"""A full write-ahead log has to be folded into the file before anything is given back; the rest is
for the log of some slices of an erasure (`sqlite_erase.TIGHT_ROWS`)."""

HEADROOM_BYTES = 4 * 1024 * 1024
"""Free beside the reserve before writes go on, or the end would be met again at once."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Space:
    """The reserve of one store file."""

    def __init__(self, path: Path, reserve_bytes: int) -> None:
        self._bytes = reserve_bytes
        self._reserve = path.with_name(path.name + ".reserve")
        self._trial = path.with_name(path.name + ".trial")

    def take(self) -> bool:
        """Make sure that the reserve is there and some more is free; False when it is not."""
        if not _filled(self._reserve, self._bytes):
            return False
        try:
            return _filled(self._trial, min(self._bytes, HEADROOM_BYTES))
        finally:
            self._trial.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Free the reserve."""
        self._reserve.unlink(missing_ok=True)


def _filled(path: Path, size: int) -> bool:
    """Whether the file holds its bytes, of which none is only promised."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < size:
            os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        path.unlink(missing_ok=True)
        # Where space cannot be reserved the store works all the same, without this safety.
        return error.errno not in _FULL
    finally:
        os.close(descriptor)
    return True
