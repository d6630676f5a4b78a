"""From the flags of `mailvet batches` to settings."""

import argparse
from typing import Any

import pytest

from mailvet.cli.batch_settings import labels, removal, update_request
from mailvet.errors import ConfigError


def flags(**given: Any) -> argparse.Namespace:
    """What the command line says."""
    nothing = dict.fromkeys(("name", "description", "priority", "label", "callback"))
    return argparse.Namespace(
        **{"batch_id": "b", "etag": "", "callback_secret": [], **nothing, **given}
    )


def test_labels_are_read() -> None:
    """The first equals sign divides; a bare one is no label."""
    assert {"a": "b=c", "d": ""} == labels(["a=b=c", "d="])
    assert {} == labels(["="])


def test_only_what_is_given_is_in_the_mask() -> None:
    """Zero and nothing are given too."""
    request = update_request(flags(priority=0, label=["="], etag="r1.0"))
    assert ["priority", "labels"] == request.update_mask.paths
    assert ("b", "r1.0") == (request.batch.batch_id, request.batch.etag)


@pytest.mark.parametrize("given", [{}, {"label": ["x"]}])
def test_an_update_that_says_nothing_is_refused(given: dict[str, Any]) -> None:
    """The way out is told."""
    with pytest.raises(ConfigError, match="--label"):
        update_request(flags(**given))


def test_a_callback_is_set_and_taken_away() -> None:
    """An empty URL takes it away; the mask has it either way."""
    hook = update_request(flags(callback="https://a.example/", callback_secret=["whsec_x"]))
    none = update_request(flags(callback=""))
    assert (["callback"], "https://a.example/", ["whsec_x"]) == (
        list(hook.update_mask.paths),
        hook.batch.callback.url,
        list(hook.batch.callback.secrets),
    )
    assert (["callback"], False) == (list(none.update_mask.paths), none.batch.HasField("callback"))


def test_what_is_removed_is_said_in_words() -> None:
    """Several, or nothing; others are refused with those there are."""
    both = removal("duplicates, wrong-format")
    assert (True, True, False) == (both.duplicates, both.wrong_format, both.wrong_phone)
    assert not removal("nothing").ListFields()
    with pytest.raises(ConfigError, match="wrong-phone"):
        removal("phones")
