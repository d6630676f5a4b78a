"""`mailvet backup` and `mailvet restore`: a store in one file, taken while the server runs."""

import argparse
import sys
from pathlib import Path

from mailvet.config import load
from mailvet.store.sqlite_backup import back_up, restore


def backup_tool(arguments: argparse.Namespace) -> int:
    """Copy the store into a file; returns the exit code."""
    target = Path(arguments.file)
    back_up(_store(arguments), target)
    print(f"wrote {target} ({target.stat().st_size:,} bytes)")
    return 0


def restore_tool(arguments: argparse.Namespace) -> int:
    """Put a backup in the store's place; returns the exit code."""
    path = _store(arguments)
    if path.exists() and not arguments.yes:
        print(
            f"mailvet: {path} exists and would be replaced; say --yes if that is what you want",
            file=sys.stderr,
        )
        return 1
    epoch = restore(Path(arguments.file), path)
    print(f"restored {path}; cursors from before are refused (epoch {epoch})")
    return 0


def _store(arguments: argparse.Namespace) -> Path:
    return Path(load({"store": arguments.store}, arguments.config).store)
