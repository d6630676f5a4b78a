"""Rows of a spreadsheet, read by a process of its own with limits on memory and time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from mailvet.files.limits import CHILD_CPU_S, CHILD_MEMORY_BYTES, MIB
from mailvet.files.refusal import FileRefused
from mailvet.files.rows import RawRow

_TOO_MUCH = (
    f"reading it takes more than {CHILD_MEMORY_BYTES // MIB:,} MiB or {CHILD_CPU_S} s, or it is "
    "damaged: save the list as CSV"
)


class Workbook:
    """One sheet of a workbook; `sheet` is its name. Close it, or read it to its end."""

    def __init__(self, path: Path, sheet: str | int | None, name: str) -> None:
        """Open the sheet asked for, else the first visible one with content.

        Raises FileRefused when the workbook cannot be read or has no such sheet.
        """
        self._name = name
        if find_spec("python_calamine") is None:
            raise FileRefused(name, "spreadsheets need more: pip install 'mailvet[server]'")
        command = [sys.executable, "-m", "mailvet.files.sheet_process"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [*command, str(path.absolute()), json.dumps(sheet)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.sheet: str = self._first_line()["sheet"]
        except FileRefused:
            self.close()
            raise

    def rows(self) -> Iterator[RawRow]:
        """Yield the rows, blank ones too; raises FileRefused when the reading process gives up."""
        assert self._process.stdout is not None
        for number, line in enumerate(self._process.stdout, 1):
            if not line.endswith(b"\n"):
                break
            cells = json.loads(line)
            if isinstance(cells, dict):
                raise FileRefused(self._name, cells["error"])
            yield RawRow(number, cells)
        if self._process.wait():
            raise FileRefused(self._name, _TOO_MUCH)

    def close(self) -> None:
        """End the reading process."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _first_line(self) -> dict[str, str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise FileRefused(self._name, _TOO_MUCH)
        told: dict[str, str] = json.loads(line)
        if "error" in told:
            raise FileRefused(self._name, told["error"])
        return told
