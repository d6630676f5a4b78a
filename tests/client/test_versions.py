"""Which versions go together."""

import pytest

from mailvet.client.versions import difference


@pytest.mark.parametrize(
    ("client", "server"), [("0.1.0", "0.1.9"), ("1.0.0", "1.9.3"), ("0.1.0", "0.1.0")]
)
def test_versions_of_one_line_go_together(client: str, server: str) -> None:
    """Nothing is said about two versions of one release line."""
    assert difference(client, server) == ""


@pytest.mark.parametrize("server", ["0.2.0", "1.1.0", ""])
def test_versions_of_two_lines_are_told_apart(server: str) -> None:
    """A server of another release line, or of an unknown one, is worth a warning."""
    assert "0.1.0" in difference("0.1.0", server)
