"""RPCs by their names."""

import pytest

from mailvet.cli import methods
from mailvet.errors import ConfigError


@pytest.mark.parametrize(
    "name",
    [
        "GetBatch",
        "getbatch",
        "get_batch",
        "get-batch",
        "BatchService/GetBatch",
        "BatchService.GetBatch",
        "mailvet.v1.BatchService/GetBatch",
        "/mailvet.v1.BatchService/GetBatch",
        "mailvet.v1.BatchService.GetBatch",
    ],
)
def test_a_method_has_many_names(name: str) -> None:
    """Short or full, in any letter case."""
    assert "/mailvet.v1.BatchService/GetBatch" == methods.path(methods.find(name))


@pytest.mark.parametrize(
    ("meant", "name"),
    [
        ("did you mean BatchService/GetBatch", "GetBach"),
        ("did you mean BatchService/StreamEntries", "StreamEntry"),
        ("VerificationService/ExplainEmail", "explain"),
        ("BatchService/WatchBatch", "BatchService/Watch"),
    ],
)
def test_the_nearest_are_told(meant: str, name: str) -> None:
    """A slip of the pen is answered with what was meant."""
    with pytest.raises(ConfigError, match=rf"{name!r} is no method; .*{meant}"):
        methods.find(name)


def test_what_is_near_nothing() -> None:
    """Without a near name the list is what helps."""
    with pytest.raises(ConfigError, match=r"is no method; `mailvet call` lists"):
        methods.find("qqqq")


def test_short_names_are_unique() -> None:
    """A method's own name is enough to call it."""
    names = [method.name for method in methods.methods()]
    assert sorted(set(names)) == sorted(names)


def test_every_method_and_field_is_commented() -> None:
    """`--describe` has a sentence for each."""
    assert [] == [method.full_name for method in methods.methods() if not methods.comment(method)]
    bare = [
        (message.name, field.name)
        for method in methods.methods()
        for message in (method.input_type, method.output_type)
        for field in methods.fields(message)
        if not field.comment
    ]
    assert [] == bare
