"""The scenarios themselves, what holds them against what was seen, and the page about them."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.house import House
from tests.conformance.matching import differences, filled
from tests.conformance.page import FAILED, PAGE, PASSED, UNPLAYED, Page
from tests.conformance.play import play
from tests.conformance.process import languages
from tests.conformance.scenario import REAL, Scenario, read, scenarios

SCRIPTED = [
    pytest.param(one, id=one.name, marks=pytest.mark.slow if one.slow else ())
    for one in scenarios()
    if one.server != REAL
]


@pytest.mark.parametrize("scenario", SCRIPTED)
def test_python_does_what_is_scripted(
    scenario: Scenario, run: Any, house: House, driver_of: Any, tmp_path: Path
) -> None:
    """What needs no other language and no server that is broken is played with every change."""
    run(play(scenario, driver_of("python"), house, tmp_path))


def test_every_scenario_can_be_read() -> None:
    """Each file has words with a meaning only, a sentence, and a step that expects something."""
    for scenario in scenarios():
        assert scenario.says.endswith("."), scenario.name
        assert scenario.steps, scenario.name


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("says: x.\nserver: real\nstep: []\nsteps: []", "step"),
        ("says: x.\nserver: real\nsteps: [{do: watch, batch: b}]", "batch"),
        ("says: x.\nserver: real\nsteps: [{do: fly}]", "fly"),
        ("says: x.\nserver: real\nsteps: [{do: watch, faults: [{do: x, after: 1}]}]", "x"),
    ],
)
def test_a_word_without_a_meaning_is_refused(text: str, word: str, tmp_path: Path) -> None:
    """A typing error in a scenario does not pass for an expectation."""
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"no such (word|command): {word}$"):
        read(path)


def test_a_size_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large scenario is tried with less."""
    path = tmp_path / "large.yaml"
    path.write_text(
        "says: x.\nserver: real\nsize: 1000\nsteps:\n"
        '- {do: watch, results: $size, faults: [{do: kill, after: "$size * 0.5"}]}'
    )
    assert 1000 == read(path).steps[0].results
    monkeypatch.setenv("CONFORMANCE_SIZE", "50")
    step = read(path).steps[0]
    assert (50, 25) == (step.results, step.faults[0].after)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": None}, {"b": 2}),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2, "d": 3}]}}),
        ("~^mail.*/1", "mailvet-go/1"),
    ],
)
def test_what_fits(expected: object, actual: object) -> None:
    """A mapping may have more than is expected; null expects nothing."""
    assert [] == list(differences(expected, actual))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {}),
        ({"a": None}, {"a": 0}),
        ([1], [1, 2]),
        ([1, 2], [1]),
        ({"a": 1}, [1]),
        ("~^mail", "a mail"),
        ("~1", 1),
        ("=first", "second"),
    ],
)
def test_what_does_not_fit(expected: object, actual: object) -> None:
    """Everything else is told, with its place."""
    assert list(differences(expected, actual, first="one"))


def test_words_are_filled_in() -> None:
    """In texts at any depth; what is no word stays."""
    assert {"a": ["b-go", 1, "$x"]} == filled({"a": ["b-$driver", 1, "$x"]}, {"driver": "go"})


def test_the_page_has_every_scenario_in_every_language() -> None:
    """`make conformance` writes docs/clients.md; a new scenario, or a new language, needs a run."""
    page = Page.read()
    assert page.text() == PAGE.read_text("utf-8")
    cells = {
        f"{scenario.name} {language}": page.cell(scenario.name, language)
        for scenario in scenarios()
        for language in languages()
    }
    assert {} == {name: cell for name, cell in cells.items() if cell != PASSED}


def test_a_run_changes_what_it_played(tmp_path: Path) -> None:
    """What failed once in a run has failed; other languages keep their place."""
    first, second = [scenario.name for scenario in scenarios()][:2]
    page = Page("<!-- matrix -->\n<!-- end -->\n<!-- a million results -->\n<!-- end -->\n")
    page.note(first, "go", passed=True)
    page.note(first, "go", passed=False)
    page.note(second, "go", passed=True)
    page.measure("go", {"results": 1e6, "seconds": 9.6, "warm": 20.2, "most": 21.4})
    page.write(tmp_path / "clients.md")
    again = Page.read(tmp_path / "clients.md")
    again.note(first, "go", passed=True)
    assert (PASSED, PASSED) == (again.cell(first, "go"), again.cell(second, "go"))
    assert FAILED == page.cell(first, "go")
    assert UNPLAYED == again.cell(first, "python")
    assert "| Go | 1,000,000 | 10 | 20 | 21 |" in again.text()
