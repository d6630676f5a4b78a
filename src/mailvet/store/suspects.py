"""Entries that may have killed the process that worked on them: narrowed down, and given up.

A chunk that was held while one process after another died is suspect. Of suspects one is given out
at a time, so that the next death is its own; then it is halved, and the half that kills is halved
again. A single entry that had a death of its own is poisoned: nobody works on it any more.
"""

SUSPECT = 3
"""Deaths after which a chunk is suspect: two are an operator in a hurry, or short memory."""
POISONED = SUSPECT + 1
"""Of a single entry that was suspect, and had its own death."""


def is_halved(deaths: int, size: int) -> bool:
    """Whether a chunk of `size` entries is to be halved, as its holder died once more."""
    return deaths == SUSPECT and size > 1


def after_death(deaths: int, size: int) -> int:
    """Return the deaths of a chunk, or of each of its halves, as its holder died once more."""
    return SUSPECT if is_halved(deaths, size) else min(deaths + 1, POISONED)
