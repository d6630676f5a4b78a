#!/usr/bin/env python3
"""The one version of everything we publish: `mailvet.__version__`.

version.py          prints it
version.py --check  fails when a client says another one
version.py --write  has every client say it
"""

import re
import sys
from pathlib import Path

from mailvet import __version__

ROOT = Path(__file__).parent.parent
PLACES = {
    "clients/go/client.go": r'(const Version = ")([^"]+)(")',
    "clients/typescript/package.json": r'("version": ")([^"]+)(")',
    "clients/typescript/src/client.ts": r'(const VERSION = ")([^"]+)(")',
    "clients/java/pom.xml": r"(<artifactId>mailvet-client</artifactId>\s*<version>)([^<]+)(<)",
    "clients/java/src/main/java/dev/mailvet/client/Versions.java": r'(CLIENT = ")([^"]+)(")',
}
"""Where else it stands, because each language's tools read it there."""


def others(root: Path = ROOT) -> dict[str, str]:
    """The version that each other place says; empty when it says none."""
    found = {}
    for name, pattern in PLACES.items():
        match = re.search(pattern, (root / name).read_text("utf-8"))
        found[name] = match[2] if match else ""
    return found


def write(version: str, root: Path = ROOT) -> None:
    """Have every place say the version."""
    for name, pattern in PLACES.items():
        text = (root / name).read_text("utf-8")
        (root / name).write_text(re.sub(pattern, rf"\g<1>{version}\g<3>", text, count=1), "utf-8")


def main(arguments: list[str]) -> int:
    """Print, check or write; returns the exit code."""
    if "--write" in arguments:
        write(__version__)
    wrong = {name: version for name, version in others().items() if version != __version__}
    if "--check" in arguments and wrong:
        sys.stderr.write(f"this is {__version__}, but: {wrong}; run scripts/version.py --write\n")
        return 1
    sys.stdout.write(f"{__version__}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
