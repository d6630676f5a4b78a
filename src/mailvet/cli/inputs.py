"""What `mailvet verify` is to verify: addresses, files of any kind, standard input."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailvet.errors import ConfigError
from mailvet.files import Reading, ReadOptions, open_list

STANDARD_INPUT = "-"


def read_options(arguments: argparse.Namespace) -> ReadOptions:
    """Return how files are to be read, as the flags say."""
    return ReadOptions(
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        header=False if arguments.no_header else None,
        column=_name_or_index(arguments.column),
        sheet=_name_or_index(arguments.sheet),
    )


def entries(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield every address in order: a name is `-`, a file that exists, or an address itself; a
    domain, when it may be one.

    Tells on standard error how a table was understood, unless it is to be quiet.
    """
    options = read_options(arguments)
    for name in arguments.inputs:
        if name == STANDARD_INPUT:
            with standard_input() as path:
                yield from _addresses(path, options, "standard input", arguments)
        elif is_file(name):
            yield from _addresses(Path(name), options, name, arguments)
        elif "@" in name or arguments.bare_domains:
            yield name
        else:
            told = f"{name!r} is neither a file that exists nor an address"
            raise ConfigError(f"{told}; is it a domain, say --bare-domains")


@contextmanager
def standard_input() -> Iterator[Path]:
    """Yield a file with what standard input has: finding an encoding takes a second look."""
    with tempfile.TemporaryDirectory(prefix="mailvet-") as folder:
        path = Path(folder) / "input"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path


def is_file(name: str) -> bool:
    """Whether the name is that of a file."""
    try:
        return Path(name).is_file()
    except OSError:  # longer than a file's name may be: still an address, though a bad one
        return False


def _addresses(
    path: Path, options: ReadOptions, name: str, arguments: argparse.Namespace
) -> Iterator[str]:
    with open_list(path, options, name=name) as listed:
        for row in listed:
            yield row.address
    if not arguments.quiet:
        _tell(listed.reading)


def _tell(reading: Reading) -> None:
    """A plain list in which nothing is odd needs no words."""
    if reading.kind == "lines" and not reading.samples:
        return
    print(reading.summary(), file=sys.stderr)
    for bad in reading.samples[:3]:
        print(f"  row {bad.row_number:,}: {bad.reason}: {bad.text!r}", file=sys.stderr)


def _name_or_index(text: str | None) -> str | int | None:
    """A number counts from 1, as people and spreadsheets do; `=2` is the name 2."""
    if text is None or not text.isascii() or not text.isdecimal():
        return text.removeprefix("=") if text else None
    if int(text) < 1:
        raise ConfigError(f"columns and sheets are counted from 1, there is no {text}")
    return int(text) - 1
