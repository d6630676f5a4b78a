"""JSON objects that come in pieces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailvet.cli.documents import documents, parsed
from mailvet.errors import ConfigError


@pytest.mark.parametrize(
    ("expected", "pieces"),
    [
        ([], []),
        ([], ["", " \n"]),
        ([{}], ["{}"]),
        ([{"a": 1}, {"b": 2}], ['{"a": 1}{"b": 2}']),
        ([{"a": 1}, {"b": 2}], ['{"a": 1}\n', ' \n{"b":', " 2}\n"]),
        ([{"a": {"b": 1}}], ["{\n", '"a": {\n', '"b": 1\n', "}\n", "}\n"]),
        ([{"a": "}"}], ['{"a": "}', '"}']),
    ],
)
def test_objects_are_found(expected: list[object], pieces: list[str]) -> None:
    """However a text is cut, the same objects are in it."""
    assert expected == list(parsed(pieces))


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("this is no JSON: '{\"a\":'", '{"a": '),
        ("this is no JSON: 'batch'", "batch"),
        ("a message is a JSON object, this is not: '[1]'", "[1]"),
        ("a message is a JSON object, this is not: '1 {}'", "1 {}"),
    ],
)
def test_anything_else_is_refused(told: str, text: str) -> None:
    """What is no object is named."""
    with pytest.raises(ConfigError) as caught:
        list(parsed([text]))
    assert str(caught.value).startswith(told)


def test_an_object_is_there_before_the_next_piece() -> None:
    """Who types a line sees it sent."""

    def typed() -> Iterator[str]:
        yield '{"a": 1}\n'
        raise AssertionError("the next piece was asked for too early")

    assert {"a": 1} == next(parsed(typed()))


def test_a_file_is_read(tmp_path: Path) -> None:
    """`@FILE` has as many objects as there are in it."""
    path = tmp_path / "frames.json"
    path.write_text('{"n": 1}\n' * 40, "utf-8")
    assert [{"n": 1}] * 40 == list(documents(f"@{path}"))


def test_good_objects_come_before_what_is_wrong() -> None:
    """A bad object after good ones is an error after them."""
    found = documents('{"a": 1} x')
    assert {"a": 1} == next(found)
    with pytest.raises(ConfigError):
        next(found)
