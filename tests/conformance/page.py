"""The tables of docs/clients.md: which scenario passes in which language, and the large ones."""

import re
from pathlib import Path
from typing import Any

from tests.conformance.process import ROOT, languages
from tests.conformance.scenario import scenarios

PAGE = ROOT / "docs" / "clients.md"
PASSED, FAILED, UNPLAYED = "yes", "**no**", "not played"
MATRIX, LARGE = "matrix", "a million results"
_FIGURES = ("results", "seconds", "warm", "most")


class Page:
    """The page: what was played before stands on it, what is noted takes its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cells = _cells(_between(text, MATRIX))
        self._large = _large(_between(text, LARGE))
        self._played: set[tuple[str, str]] = set()

    @staticmethod
    def read(path: Path = PAGE) -> "Page":
        """The page as it stands."""
        return Page(path.read_text("utf-8"))

    def write(self, path: Path = PAGE) -> None:
        """Write it with what was noted."""
        path.write_text(self.text(), encoding="utf-8")

    def note(self, scenario: str, language: str, *, passed: bool) -> None:
        """Note how a scenario went; one that failed once stays failed."""
        known = (scenario, language)
        if known not in self._played:
            self._cells[known] = PASSED
            self._played.add(known)
        if not passed:
            self._cells[known] = FAILED

    def measure(self, language: str, figures: dict[str, Any]) -> None:
        """Note the figures of a large scenario."""
        self._large[languages()[language].says] = [f"{figures[name]:,.0f}" for name in _FIGURES]

    def cell(self, scenario: str, language: str) -> str:
        """What the page says of a scenario in a language."""
        return self._cells.get((scenario, language), UNPLAYED)

    def text(self) -> str:
        """The page with its tables as they are by now."""
        return _with(_with(self._text, MATRIX, self._matrix()), LARGE, self._figures())

    def _matrix(self) -> str:
        names = [language.says for language in languages().values()]
        rows = [
            f"| scenario | what it shows | {' | '.join(names)} |",
            "|---" * (2 + len(names)) + "|",
        ]
        for scenario in scenarios():
            cells = [self.cell(scenario.name, language) for language in languages()]
            rows.append(f"| `{scenario.name}` | {scenario.says} | {' | '.join(cells)} |")
        return "\n".join(rows)

    def _figures(self) -> str:
        head = "| language | results | seconds | MiB after a tenth | MiB at most |"
        rows = [head, "|---|---:|---:|---:|---:|"]
        known = [language.says for language in languages().values()]
        known = [name for name in known if name in self._large]
        rows += [f"| {name} | {' | '.join(self._large[name])} |" for name in known]
        return "\n".join(rows)


def _place(name: str) -> "re.Pattern[str]":
    return re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)


def _between(text: str, name: str) -> str:
    found = _place(name).search(text)
    assert found, f"docs/clients.md has no place for {name}"
    return found[0]


def _with(text: str, name: str, table: str) -> str:
    return _place(name).sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


def _rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _cells(table: str) -> dict[tuple[str, str], str]:
    head, *rows = _rows(table) or [[]]
    by_title = {language.says: name for name, language in languages().items()}
    return {
        (row[0].strip("`"), by_title[title]): cell
        for row in rows[1:]
        for title, cell in zip(head[2:], row[2:], strict=True)
        if title in by_title
    }


def _large(table: str) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in _rows(table)[2:]}
