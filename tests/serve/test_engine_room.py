"""What the settings make of the engine."""

from pathlib import Path

import pytest

from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.serve.engine_room import build_weights
from mailvet.verdict.points import default_weights


def test_without_a_file_the_points_are_ours() -> None:
    """No setting, no change."""
    assert default_weights() is build_weights(load())


def test_points_come_from_the_file_that_the_settings_name(tmp_path: Path) -> None:
    """What it leaves out stays."""
    path = tmp_path / "points.toml"
    path.write_text("[trait]\nrole = 42\n", "utf-8")
    weights = build_weights(load({"points_file": str(path)}))
    assert 42 == weights.trait["role"]
    assert default_weights().status == weights.status


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "No such file"), (b"trait.rol = 1", "did you mean role"), (b"\xff", "decode")],
)
def test_a_file_that_cannot_be_meant_is_refused(
    content: bytes | None, word: str, tmp_path: Path
) -> None:
    """The setting and the file are named."""
    path = tmp_path / "points.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"points_file .*points\.toml.*{word}"):
        build_weights(load({"points_file": str(path)}))
