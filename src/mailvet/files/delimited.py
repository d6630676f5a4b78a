"""CSV, TSV and what is like them: which delimiter, which quoting, and rows out of lines.

RFC 4180 is what files should be; stray quotes, a `sep=` line and ragged rows are what they are.
"""

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from mailvet.files.layout import looks_like_address, name_weight
from mailvet.files.limits import (
    MAX_COLUMNS,
    MAX_LINE_CHARACTERS,
    MAX_RECORD_CHARACTERS,
    MAX_REPAIRS,
    SAMPLE_ROWS,
)
from mailvet.files.refusal import FileRefused
from mailvet.files.rows import RawRow
from mailvet.files.text import lines_of

CANDIDATES = (",", ";", "\t", "|", "^", "~", "\x1f")
"""In order of preference when nothing else decides; the last is the ASCII unit separator."""
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
STRAY_QUOTE = "it opens a quote that nothing closes: quotes were taken as they stand"


def delimiter_of(text: str, name: str) -> str:
    """Return the delimiter somebody asked for; raises FileRefused when it cannot be one."""
    found = _NAMES.get(text.casefold(), text)
    if len(found) != 1 or found in '"\r\n':
        raise FileRefused(name, f"the delimiter {text!r} cannot be: it is one character, or `tab`")
    return found


def sniff(path: Path, codec: str, ending: str = "") -> tuple[str, bool]:
    """Return the delimiter of a file's first lines, and whether they leave no doubt.

    Without doubt means: each row has the same number of cells, more than one, and exactly one
    column looks like addresses. A `sep=` line says it itself.
    """
    lines = list(islice(_lines(path, codec, ending), SAMPLE_ROWS))
    declared = _declared(lines[0]) if lines else ""
    if declared:
        return declared, True
    if lines and len(lines) == SAMPLE_ROWS:
        lines.pop()  # it may be half of a record
    scored = [(_score(lines, candidate), -at) for at, candidate in enumerate(CANDIDATES)]
    (addresses, even, columns), at = max(scored)
    if columns <= 1 and not addresses:
        return ",", False
    certain = addresses > 0.5 and even == 1.0 and columns > 1
    return CANDIDATES[-at], certain and _one_address_column(lines, CANDIDATES[-at])


def read_delimited(
    path: Path, codec: str, delimiter: str, name: str, ending: str = ""
) -> Iterator[RawRow]:
    """Yield the records; embedded newlines stay in their cell.

    A quote that is never closed does not swallow the file: its line is taken as it stands and
    marked, and reading goes on behind it. Raises FileRefused for lines or rows beyond limits.
    """
    feed = _Feed(_lines(path, codec, ending), name)
    spaced = _has_spaced_quotes(path, codec, delimiter)
    reader = _reader(feed, delimiter, spaced=spaced)
    number = 0
    repairs = 0
    while True:
        feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        number += 1
        if number == 1 and _declared(feed.record[0]):
            continue
        if cells is not None and not feed.ends_inside_quotes(delimiter):
            if len(cells) > MAX_COLUMNS:
                raise FileRefused(name, _too_wide(number, len(cells)))
            yield RawRow(number, cells)
            continue
        repairs += 1
        if repairs > MAX_REPAIRS:
            raise FileRefused(
                name, f"row {number}: more than {MAX_REPAIRS:,} quotes are not closed"
            )
        yield RawRow(number, feed.take_first_line().split(delimiter), STRAY_QUOTE)
        reader = _reader(feed, delimiter, spaced=spaced)


def _lines(path: Path, codec: str, ending: str) -> Iterator[str]:
    """The lines; where only `ending` ends one, other ends in unquoted cells become blanks."""
    lines = lines_of(path, codec, ending)
    return (_flat(line, ending) for line in lines) if ending else lines


def _flat(line: str, ending: str) -> str:
    if '"' in line:
        return line
    body = line.removesuffix(ending)
    return body.replace("\r", " ").replace("\n", " ") + line[len(body) :]


class _Feed:
    """Lines for the csv module, with those of the current record at hand to be read again."""

    def __init__(self, lines: Iterator[str], name: str) -> None:
        self._lines = lines
        self._name = name
        self._again: deque[str] = deque()
        self._count = 0
        self._length = 0
        self.record: list[str] = []
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = next(self._lines, "")
            self._count += 1
        if not line:
            self.exhausted = True
            raise StopIteration
        if len(line) >= MAX_LINE_CHARACTERS:
            raise FileRefused(
                self._name,
                f"line {self._count:,} is longer than {MAX_LINE_CHARACTERS:,} characters: "
                "is this a list of addresses?",
            )
        self.record.append(line)
        self._length += len(line)
        if self._length > MAX_RECORD_CHARACTERS:
            raise csv.Error  # as the module does for one long field: read its first line alone
        return line

    def begin(self) -> None:
        """Forget the record before."""
        self.record.clear()
        self._length = 0

    def ends_inside_quotes(self, delimiter: str) -> bool:
        """Whether the record ended only because the file did."""
        if not self.exhausted or not any('"' in line for line in self.record):
            return False
        rows = list(csv.reader([*self.record, "one more"], delimiter=delimiter))
        return len(rows) == 1  # a closed record would have left the line to the next

    def take_first_line(self) -> str:
        """Return the record's first line; its others will be read again."""
        first, *rest = self.record
        self._again.extendleft(reversed(rest))
        self.exhausted = False
        return first.rstrip("\r\n")


def _reader(lines: Iterable[str], delimiter: str, *, spaced: bool = False) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced)


def _has_spaced_quotes(path: Path, codec: str, delimiter: str) -> bool:
    """Whether quotes stand behind a space, which RFC 4180 does not have but people do."""
    mark = f'{delimiter} "'
    return any(mark in line for line in islice(lines_of(path, codec), SAMPLE_ROWS))


def _declared(line: str) -> str:
    """The delimiter of a line `sep=;`, as Excel writes and reads it."""
    text = line.strip('\r\n "')
    return text[4] if text[:4].lower() == "sep=" and len(text) == 5 else ""


def _score(lines: Sequence[str], delimiter: str) -> tuple[float, float, int]:
    """How well a delimiter fits: rows with an address of their own, evenness, columns."""
    rows = _sample_rows(lines, delimiter)
    if not rows:
        return 0.0, 0.0, 0
    columns, count = Counter(map(len, rows)).most_common(1)[0]
    if columns == 1:
        return 0.0, 0.0, 1
    fitting = sum(
        any(looks_like_address(cell) or name_weight(cell) for cell in cells) for cells in rows
    )
    return round(fitting / len(rows), 2), count / len(rows), columns


def _sample_rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        rows = list(_reader(lines, delimiter))
    except csv.Error:
        return []
    return [cells for cells in rows if any(map(str.strip, cells))]


def _one_address_column(lines: Sequence[str], delimiter: str) -> bool:
    rows = _sample_rows(lines, delimiter)
    columns = {at for cells in rows for at, cell in enumerate(cells) if looks_like_address(cell)}
    return len(columns) == 1 and len(rows) > 1


def _too_wide(number: int, count: int) -> str:
    return (
        f"row {number} has {count:,} cells, more than the {MAX_COLUMNS:,} a table may have: "
        "name its delimiter"
    )
