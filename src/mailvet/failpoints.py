"""Named places where a test lets the process die, fail or stall: between a commit and its ack, ...

`MAILVET_FAILPOINT=name:action[:count]` with the action `kill` (SIGKILL to ourselves), `raise` (the
store's `Unavailable`) or `sleep` acts at passage number `count` (the first) and never again. It is
read once, at import, and only with `MAILVET_ENABLE_FAILPOINTS=1`: without, `reach` does nothing.
"""

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable, Mapping

from mailvet.errors import ConfigError, Unavailable

VARIABLE = "MAILVET_FAILPOINT"
ENABLE = "MAILVET_ENABLE_FAILPOINTS"

SLEEP_S = 1.0
"""Blocks the thread that reaches it: long against a commit, short against a lease."""

PLACES: Mapping[str, str] = {
    "create.committed": "a batch is committed, its caller not told",
    "append.committed": "entries are committed, their ack not sent",
    "plan.read": "the chunks of a launched batch are worked out, not written",
    "plan.committed": "the chunks of a launched batch are written",
    "claim.begun": "chunks are about to be claimed",
    "claim.committed": "chunks are claimed, their entries not read",
    "visit.ended": "an SMTP session is over, nothing of it was taken in",
    "settle.begun": "results are about to be committed",
    "settle.committed": "results are committed, the worker not told",
    "commit.begun": "a transaction has written everything and is about to commit",
    "delete.hidden": "a deleted batch is hidden, its rows still on disk",
    "delete.erased": "a deleted batch is erased, its caller not told",
}
"""Every place by its name, and what is true there."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise Unavailable("a failpoint refuses, as a test has asked")


def _sleep() -> None:
    time.sleep(SLEEP_S)


ACTIONS: Mapping[str, Callable[[], None]] = {"kill": _kill, "raise": _raise, "sleep": _sleep}


def armed(environment: Mapping[str, str]) -> Callable[[str], None]:
    """Return what `reach` does in such an environment; raises `ConfigError` for a wrong one."""
    text = environment.get(VARIABLE, "")
    if not text:
        return _pass
    if environment.get(ENABLE) != "1":
        raise ConfigError(f"{VARIABLE} is for tests only; it needs {ENABLE}=1 beside it")
    name, action, count = _read(text)
    passages = itertools.count(1)

    def act(reached: str) -> None:
        if reached == name and next(passages) == count:
            ACTIONS[action]()

    return act


def _read(text: str) -> tuple[str, str, int]:
    name, _, rest = text.partition(":")
    action, _, count = rest.partition(":")
    count = count or "1"
    if name not in PLACES or action not in ACTIONS or not count.isdecimal():
        raise ConfigError(
            f"{VARIABLE} = {text!r}: write name:action[:count], with the name one of "
            f"{', '.join(PLACES)} and the action one of {', '.join(ACTIONS)}"
        )
    return name, action, int(count)


def _pass(_reached: str) -> None:
    pass


def refuse_if_wrong() -> None:
    """Raise `ConfigError` when the environment asks for a failpoint that it may not have."""
    armed(os.environ)


def reach(place: str) -> None:
    """Pass a place: `reach("append.committed")`."""
    _act(place)


def arm(environment: Mapping[str, str]) -> None:
    """Let `reach` do what an environment asks for, from now on; raises `ConfigError`."""
    global _act  # noqa: PLW0603 - one process, one failpoint
    _act = armed(environment)


_act = _pass
with contextlib.suppress(ConfigError):  # an import is no place to refuse: reading settings does
    arm(os.environ)
