"""`mailvet doctor`: whether this host can verify, one line for each need, with the way out."""

import argparse

from mailvet.cli.config import settings_of
from mailvet.cli.lines import json_line, printable
from mailvet.config import Settings
from mailvet.loop import run
from mailvet.serve.checkup import Health, Outcome, examine
from mailvet.telemetry.logs import configure_logging


def doctor(arguments: argparse.Namespace) -> int:
    """Print the outcome of every check; returns 1 when a need is not met."""
    settings, _ = settings_of(arguments)
    configure_logging("error", "console")
    return run(_examine(settings, arguments))


async def _examine(settings: Settings, arguments: argparse.Namespace) -> int:
    failed = 0
    async for outcome in examine(settings):
        failed += outcome.health is Health.FAILED
        if arguments.json:
            print(json_line(outcome._asdict() | {"health": outcome.health.value}), flush=True)
        else:
            print(_line(outcome), flush=True)
    return 1 if failed else 0


def _line(outcome: Outcome) -> str:
    told = printable(outcome.found)
    if outcome.way_out:
        told += f"; {printable(outcome.way_out)}"
    return f"{outcome.health.value:<8} {outcome.check:<12} {told}"
