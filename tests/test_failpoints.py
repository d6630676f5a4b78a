"""Places where a test may break the process, and who may ask for it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailvet import failpoints
from mailvet.errors import ConfigError, Unavailable

SOURCE = Path(failpoints.__file__).parent


def test_a_place_acts_once_at_the_passage_that_was_asked_for() -> None:
    """The first passage and the third pass, the second fails; other places pass."""
    reach = failpoints.armed({failpoints.VARIABLE: "settle.begun:raise:2", failpoints.ENABLE: "1"})
    reach("settle.begun")
    reach("claim.begun")
    with pytest.raises(Unavailable):
        reach("settle.begun")
    reach("settle.begun")


@pytest.mark.parametrize(
    "text", ["settle:raise", "settle.begun", "settle.begun:stop", "settle.begun:kill:x", "a:b:1:2"]
)
def test_a_misspelt_failpoint_is_refused(text: str) -> None:
    """The error lists every place and action there is."""
    with pytest.raises(ConfigError, match=r"settle\.begun.*kill, raise, sleep"):
        failpoints.armed({failpoints.VARIABLE: text, failpoints.ENABLE: "1"})


def test_a_server_with_a_failpoint_that_is_not_enabled_does_not_start() -> None:
    """One variable left over in an environment must not break a service in use."""
    environment = {**os.environ, failpoints.VARIABLE: "settle.begun:kill"}
    command = [sys.executable, "-m", "mailvet", "serve"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert 0 != ended.returncode
    assert f"needs {failpoints.ENABLE}=1" in ended.stderr


def test_every_place_is_reached_once_in_the_code() -> None:
    """The table and the code name the same places."""
    reached = [
        node.args[0].value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "reach"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert sorted(failpoints.PLACES) == sorted(map(str, reached))


def test_without_the_variable_nothing_is_done() -> None:
    """Every place is passed."""
    act = failpoints.armed({})
    for place in failpoints.PLACES:
        act(place)
