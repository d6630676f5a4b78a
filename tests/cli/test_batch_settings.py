"""From the flags of `mailvet batches` to settings."""

import argparse
from typing import Any

import pytest

from mailvet.cli.batch_settings import labels, update_request
from mailvet.errors import ConfigError


def flags(**given: Any) -> argparse.Namespace:
    """What the command line says."""
    nothing = dict.fromkeys(("name", "description", "priority", "label"))
    return argparse.Namespace(**{"batch_id": "b", "etag": "", **nothing, **given})


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
