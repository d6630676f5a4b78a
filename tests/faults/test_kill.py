"""`kill -9` at every failpoint: a few seeds here, many in `tests.faults.matrix`."""

from pathlib import Path

import pytest

from mailvet import failpoints
from tests.faults.kill import live

OFTEN = ("append.committed", "settle.committed", "delete.hidden")
"""Where an acked thing is most easily lost or done twice: these run every time."""


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, marks=() if place in OFTEN else pytest.mark.slow)
        for place in failpoints.PLACES
    ],
)
async def test_nothing_is_lost_or_doubled_by_a_kill(place: str, tmp_path: Path) -> None:
    """Every acked entry is answered once, streams resume without gap, and deleted is gone."""
    assert await live(place, 0, tmp_path) > 0
