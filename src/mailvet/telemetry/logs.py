"""Log lines: dotted events with plain values, JSON for machines, colours for a terminal.

Addresses never go into a log line: the processor here takes out anything that looks like one,
as a last wall behind code that does not log them in the first place.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_ADDRESS = re.compile(r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,255}")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(level: str, style: str) -> None:
    """Set up structlog for the process; `style` is `json`, `console` or `auto`."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Not cached: a line costs a little more, and settings hold from the moment they are made.
        cache_logger_on_first_use=False,
    )
    # grpc and asyncio speak through the standard library; only their warnings matter.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def redact(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace whatever looks like an address in any value of the line."""
    for name, value in event.items():
        if isinstance(value, str) and "@" in value:
            event[name] = _ADDRESS.sub("<address>", value)
    return event


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a room; its name is a field of every line."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=name)
    return bound
