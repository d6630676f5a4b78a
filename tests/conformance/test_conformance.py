"""Every scenario in every language."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.house import House
from tests.conformance.play import play
from tests.conformance.process import languages
from tests.conformance.scenario import Scenario, scenarios

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.slow else [])
        for one in scenarios()
    ],
)
def test_conformance(
    scenario: Scenario, language: str, run: Any, house: House, driver_of: Any, tmp_path: Path
) -> None:
    """The client does and sees what the scenario says."""
    run(play(scenario, driver_of(language), house, tmp_path))
