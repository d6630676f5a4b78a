"""Every scenario in every language."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.house import House
from tests.conformance.play import play
from tests.conformance.process import languages
from tests.conformance.scenario import Scenario, scenarios

pytestmark = pytest.mark.conformance
SLOW = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, id=one.name, marks=SLOW if one.slow else []) for one in scenarios()],
)
def test_conformance(
    scenario: Scenario,
    language: str,
    run: Any,
    house: House,
    driver_of: Any,
    tmp_path: Path,
    record_property: Any,
) -> None:
    """The client does and sees what the scenario says."""
    figures = run(play(scenario, driver_of(language), house, tmp_path))
    for name, value in figures.items() if scenario.slow else ():
        record_property(name, value)
