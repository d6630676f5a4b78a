"""Files that hold a secret, and who may read them."""

from pathlib import Path

import pytest

from mailvet.errors import ConfigError
from mailvet.serve.secret_files import require_private


@pytest.mark.parametrize(
    ("mode", "private"),
    [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o604, False), (0o602, False)],
)
def test_a_secret_is_not_for_everybody(tmp_path: Path, mode: int, private: bool) -> None:
    """The owner and the group may read it; the refusal says what to do."""
    secret = tmp_path / "key.pem"
    secret.write_text("secret")
    secret.chmod(mode)
    if private:
        require_private("tls_key", secret)
        return
    with pytest.raises(ConfigError, match=r"tls_key: everybody .*`chmod 600 .*key\.pem`"):
        require_private("tls_key", secret)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With its setting."""
    with pytest.raises(ConfigError, match=r"token_keys: cannot read .*absent"):
        require_private("token_keys", tmp_path / "absent")
