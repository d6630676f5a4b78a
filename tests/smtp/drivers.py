"""The two ways to carry a plan out, behind one face."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plain_session import PlainSession
from mailvet.smtp.plan import Plan
from mailvet.smtp.session import Session
from mailvet.smtp.transcript import Direction
from tests.smtp.people import US

Lines = list[str] | None


class Driver(Protocol):
    """Carries a plan out."""

    async def __call__(
        self, plan: Plan, address: str, port: int, limits: VisitLimits, lines: Lines = None
    ) -> None:
        """Converse with who listens there; `lines` takes the transcript."""
        ...


def settings(address: str, port: int, limits: VisitLimits, lines: Lines) -> dict[str, Any]:
    """What every driver is told."""
    return {
        "host": "mx",
        "address": address,
        "port": port,
        "identity": US,
        "limits": limits,
        "clock": time.monotonic,
        "on_line": None if lines is None else noting(lines),
    }


def noting(lines: list[str]) -> Callable[[Direction, str], None]:
    """Return what notes every line."""
    return lambda way, text: lines.append(f"{way} {text}")


async def _with_library(
    plan: Plan, address: str, port: int, limits: VisitLimits, lines: Lines = None
) -> None:
    await Session(plan, **settings(address, port, limits, lines)).run(limits.session_s)


async def _bare(
    plan: Plan, address: str, port: int, limits: VisitLimits, lines: Lines = None
) -> None:
    told = settings(address, port, limits, lines)
    handed = await PlainSession(plan, **told).run(limits.session_s)
    if handed is not None:
        await Session(plan, **told).carry_on(handed)


DRIVERS: dict[str, Driver] = {"library": _with_library, "bare": _bare}
