"""Plays the scenarios in every language, and writes what came of it into docs/clients.md.

    python -m tests.conformance.matrix [--language NAME] [--scenario NAME] [--million] [--built]

What was not played keeps its place on the page, so that one language can be played alone. With
`--million` the slow scenarios are played, and their figures written.
"""

import argparse
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.conformance.page import Page
from tests.conformance.process import FOLDER, ROOT, Language, environment, languages
from tests.conformance.scenario import SIZE


class _Outcomes:
    """What pytest reports of each scenario in each language."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a scenario went; setting up and clearing away count too."""
        _, bracket, name = report.nodeid.rstrip("]").partition("test_conformance[")
        if not bracket or (report.when != "call" and report.passed):
            return
        scenario, _, language = name.partition("-")
        self._page.note(scenario, language, passed=report.passed)
        if figures := dict(report.user_properties):
            self._page.measure(language, figures)


def main() -> int:
    """Build the drivers, play, write; returns pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=languages(), action="append")
    parser.add_argument(
        "--scenario", action="append", help="by its file's name; all when not given"
    )
    parser.add_argument("--million", action="store_true", help="play the slow scenarios, alone")
    parser.add_argument("--built", action="store_true", help="take the drivers as they are")
    parser.add_argument("--list", action="store_true", help="write the page anew, play nothing")
    asked = parser.parse_args()
    if asked.list:
        Page.read().write()
        return 0
    played = [languages()[name] for name in asked.language or languages()]
    for language in () if asked.built else played:
        build(language)
    page = Page.read()
    which = " or ".join(f"-{language.name}]" for language in played)
    if asked.scenario:
        which = f"({which}) and ({' or '.join(f'[{name}-' for name in asked.scenario)})"
    marks = "conformance and slow" if asked.million else "conformance and not slow"
    arguments = [str(FOLDER / "test_conformance.py"), "-m", marks, f"-k{which}", "--durations=5"]
    code = pytest.main(arguments, plugins=[_Outcomes(page)])
    if SIZE not in os.environ:  # a smaller one is a trial
        page.write()
    return int(code)


def build(language: Language) -> None:
    """Make what the driver is started from; raises `CalledProcessError`."""
    (ROOT / "build" / "conformance").mkdir(parents=True, exist_ok=True)
    for command in language.build:
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)


if __name__ == "__main__":
    sys.exit(main())
