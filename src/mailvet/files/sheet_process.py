"""A process of its own that reads one sheet and writes its rows as JSON lines.

One cell in the last corner of a sheet makes readers reserve hundreds of gigabytes, and native code
ends its process when it is refused them: so it is not ours, and has limits (CWE-400, CWE-789).
Run as `python -m mailvet.files.sheet_process PATH SHEET`, where SHEET is JSON: null, a name or an
index. The first line is `{"sheet": NAME}` or `{"error": SENTENCE}`.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from mailvet.files.limits import CHILD_CPU_S, CHILD_MEMORY_BYTES, MAX_COLUMNS


class _CannotRead(Exception):
    """A sentence for the caller."""


def main(path: str, sheet: str) -> None:
    """Write the sheet's rows to standard output; what goes wrong is the first line."""
    _limit()
    try:
        for line in _told(path, json.loads(sheet)):
            sys.stdout.write(line + "\n")
    except _CannotRead as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
    except PasswordError:
        sys.stdout.write(json.dumps({"error": "it needs a password: save it without"}) + "\n")
    except CalamineError as error:
        told = f"the workbook is damaged or too large ({error}): save the list as CSV"
        sys.stdout.write(json.dumps({"error": told}) + "\n")
    sys.stdout.flush()


def _limit() -> None:
    """Cap memory and time, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY_BYTES, CHILD_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CHILD_CPU_S, CHILD_CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _told(path: str, asked: str | int | None) -> Iterator[str]:
    with CalamineWorkbook.from_path(path) as workbook:
        sheet = _sheet(workbook, asked)
        yield json.dumps({"sheet": sheet.name})
        left = [""] * (sheet.start[1] if sheet.start else 0)
        if len(left) + sheet.width > MAX_COLUMNS:
            raise _CannotRead(f"the sheet is wider than {MAX_COLUMNS:,} columns")
        for cells in sheet.iter_rows():
            yield json.dumps(left + [_text(cell) for cell in cells])


def _sheet(workbook: CalamineWorkbook, asked: str | int | None) -> CalamineSheet:
    names = workbook.sheet_names
    if isinstance(asked, int):
        if not 0 <= asked < len(names):
            raise _CannotRead(f"there is no sheet number {asked + 1}: it has {_listed(names)}")
        return workbook.get_sheet_by_index(asked)
    if isinstance(asked, str):
        for name in names:
            if name.strip().casefold() == asked.strip().casefold():
                return workbook.get_sheet_by_name(name)
        raise _CannotRead(f"there is no sheet {asked!r}: it has {_listed(names)}")
    return _first_with_content(workbook)


def _first_with_content(workbook: CalamineWorkbook) -> CalamineSheet:
    shown = [
        each.name
        for each in workbook.sheets_metadata
        if each.visible is SheetVisibleEnum.Visible and each.typ is SheetTypeEnum.WorkSheet
    ]
    if not shown:
        raise _CannotRead("all its sheets are hidden: name one")
    sheets = (workbook.get_sheet_by_name(name) for name in shown)
    return next((sheet for sheet in sheets if sheet.start), workbook.get_sheet_by_name(shown[0]))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(map(repr, names[:12])) + more


def _text(cell: Any) -> str:
    """A cell as people see it: whole numbers without a point, dates in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


if __name__ == "__main__":
    main(*sys.argv[1:])
