"""Log lines: dotted events with plain values, JSON for machines, colours for a terminal.

Addresses never go into a log line: what every line goes through here takes out anything that looks
like one (`telemetry.redaction`), as a last wall behind code that does not log them.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from mailvet.telemetry.redaction import NONE, Redactor

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logging(level: str, style: str, addresses: str = NONE) -> None:
    """Set up structlog for the process; `style` is `json`, `console` or `auto`.

    `addresses` is one of `redaction.MODES`.
    """
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    redactor = Redactor(addresses)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            Redaction(redactor),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Not cached: a line costs a little more, and settings hold from the moment they are made.
        cache_logger_on_first_use=False,
    )
    # grpc and asyncio speak through the standard library; only their warnings matter.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(redactor))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class Redaction:
    """The processor that takes addresses out of every value of a line, exceptions too."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the line."""
        error = _exception(event.pop("exc_info", None))
        for name, value in event.items():
            event[name] = self._redactor.value(value)
        if error is not None:
            event["exception"] = self._redactor.exception(error)
        return event


class _Formatter(logging.Formatter):
    """The same for what others log through the standard library."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        lines = [self._redactor.text(record.getMessage())]
        error = _exception(record.exc_info)
        if error is not None:
            lines.append(self._redactor.exception(error))
        return "\n".join(lines)


def _exception(told: Any) -> BaseException | None:
    """The exception that a line is about, in any of the ways in which it may be said."""
    if told is True:
        told = sys.exc_info()
    if isinstance(told, tuple):
        told = told[1]
    return told if isinstance(told, BaseException) else None


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a room; its name is a field of every line."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=name)
    return bound
