"""`mailvet migrate`: a store of an older mailvet brought up to date, before a server opens it."""

import argparse
from pathlib import Path

from mailvet.config import load
from mailvet.store.sqlite_migrate import migrate


def migrate_tool(arguments: argparse.Namespace) -> int:
    """Take the steps that the store lacks; returns the exit code, with --check 1 if there are any.

    A store that a newer mailvet wrote is refused, as `mailvet serve` would.
    """
    path = Path(load({"store": arguments.store}, arguments.config).store)
    steps = migrate(path, only_look=arguments.check)
    if not steps:
        print(f"{path} is up to date")
        return 0
    told = ", ".join(steps)
    if arguments.check:
        print(f"{path} lacks {told}; make a backup, then run `mailvet migrate`")
        return 1
    print(f"{path} is up to date now; taken: {told}")
    return 0
