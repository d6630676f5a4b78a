"""One internet of real programs for all tests of the session."""

from collections.abc import Iterator

import pytest

from tests.real.programs import Internet, real_internet


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    """Running programs."""
    with real_internet() as running:
        yield running
