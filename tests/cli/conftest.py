"""A mail internet for the commands of a module."""

from collections.abc import Iterator

import pytest

from tests.cli.run import mail_internet


@pytest.fixture(name="network", scope="module")
def _network() -> Iterator[list[str]]:
    """The flags that lead a command to the mail internet."""
    with mail_internet() as flags:
        yield flags
