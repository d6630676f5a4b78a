"""Whether this copy of the package is a compiled one: the same code, in less processor time."""

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec

from mailvet import __version__

_ONE_OF_THEM = "mailvet.model.status"


def is_compiled() -> bool:
    """Whether the modules that every entry passes through are extension modules here."""
    spec = find_spec(_ONE_OF_THEM)
    return bool(spec and spec.origin and spec.origin.endswith(tuple(EXTENSION_SUFFIXES)))


def version_told() -> str:
    """Return the version, as people read it."""
    return f"{__version__} (compiled)" if is_compiled() else __version__
