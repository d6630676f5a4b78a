"""`mailvet serve`: the service."""

import argparse

from mailvet.config import Settings, load
from mailvet.loop import run
from mailvet.serve.run import serve as serve_until_signal
from mailvet.telemetry.logs import configure_logging


def serve(arguments: argparse.Namespace) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit code."""
    flags = {name: getattr(arguments, name, None) for name in Settings.model_fields}
    settings = load(flags, arguments.config)
    configure_logging(settings.log_level, settings.log_format, settings.log_addresses)
    run(serve_until_signal(settings))
    return 0
