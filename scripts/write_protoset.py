#!/usr/bin/env python3
"""Writes the descriptors that reflection serves, comments and error details included, to a file."""

import sys
from pathlib import Path

from mailvet.rpc.reflection import protoset


def main(arguments: list[str]) -> int:
    """Write FILE, and return the exit code."""
    (name,) = arguments
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(protoset().SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
