"""Text files as entries."""

from pathlib import Path

import pytest

from mailvet.client.lines import entries_of


def read(path: Path, data: bytes) -> list[str]:
    """Return the inputs of a file with this content."""
    path.write_bytes(data)
    return [entry.input_data for entry in entries_of(path)]


def test_each_line_is_an_entry(tmp_path: Path) -> None:
    """Line ends, a byte order mark and blank lines are no part of an address; spaces are."""
    data = "\ufeffann@a.test\r\n\n bob@b.test \nüma@ü.test".encode()
    assert ["ann@a.test", " bob@b.test ", "üma@ü.test"] == read(tmp_path / "list", data)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """What is not UTF-8 is never guessed."""
    with pytest.raises(UnicodeError):
        read(tmp_path / "list", b"j\xfcrgen@a.test\n")
