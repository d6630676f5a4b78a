"""Files that hold a secret: nobody but their owner and group may read them."""

import stat
from pathlib import Path

from mailvet.errors import ConfigError


def require_private(setting: str, path: Path) -> None:
    """Raise `ConfigError`, with the way out, when everybody on the machine can get at a file.

    Its group may read it: that is how services are given keys that root keeps.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {path}: {error.strerror}") from None
    if mode & stat.S_IRWXO:
        raise ConfigError(
            f"{setting}: everybody on this machine can read or write {path}; `chmod 600 {path}`,"
            " and make a new key if others may have seen this one"
        )
