"""What every test leaves behind: nothing."""

import signal
from collections.abc import Iterator

import pytest
import structlog

# Started in the background, a shell has us ignore it, and so would every program we start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands run in this process set up logging; the next test finds it untouched."""
    yield
    structlog.reset_defaults()
