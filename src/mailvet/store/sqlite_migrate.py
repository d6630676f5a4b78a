"""Bringing a store file up to date without serving from it.

`mailvet serve` does the same when it opens a file; done by hand, it can be done before, and looked
at first. Steps go forward only: the way back is a backup.
"""

import os
from pathlib import Path

from mailvet.errors import StoreRefused
from mailvet.store import sqlite_file, sqlite_schema
from mailvet.store.sqlite_file import driver


def migrate(path: Path, *, only_look: bool = False) -> tuple[str, ...]:
    """Take the steps that a store of an older mailvet lacks; return their names, in order.

    With `only_look` nothing is changed. Raises `StoreRefused` when there is no store, when somebody
    has it open, when it is damaged or of another program, or when a newer mailvet wrote it.
    """
    if not path.exists():
        raise StoreRefused(f"there is no store {str(path)!r} to migrate; see the setting `store`")
    lock = sqlite_file.lock(path)
    try:
        connection = sqlite_file.connect_writer(path)
        try:
            step = sqlite_schema.pending if only_look else sqlite_schema.migrate
            return step(connection, str(path))
        finally:
            connection.close()
    except driver.Error as error:
        raise sqlite_file.refusal(path, error) from error
    finally:
        os.close(lock)
