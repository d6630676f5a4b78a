"""What every test leaves behind: nothing."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands run in this process set up logging; the next test finds it untouched."""
    yield
    structlog.reset_defaults()
