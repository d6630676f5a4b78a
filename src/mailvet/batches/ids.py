"""Batch ids: the caller's own, or a UUIDv7, which sorts by time and cannot be guessed."""

import re
import secrets
import time
from collections.abc import Callable
from uuid import UUID

ID_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""A caller's own id: safe in a URL, a file name and a DNS label (as AIP-122 asks)."""


def is_own_id(text: str) -> bool:
    """Whether a caller may name a batch so."""
    return ID_PATTERN.fullmatch(text) is not None


def new_batch_id(wall_clock: Callable[[], float] = time.time) -> str:
    """Return a UUIDv7: 48 bits of milliseconds, 74 random bits (RFC 9562 5.7)."""
    milliseconds = int(wall_clock() * 1000) & (1 << 48) - 1
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62
    return str(UUID(int=value | random & (1 << 62) - 1))
