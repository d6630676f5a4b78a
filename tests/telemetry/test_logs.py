"""Log lines."""

from mailvet.telemetry.logs import redact


def test_an_address_never_reaches_a_log_line() -> None:
    """Whatever looks like an address in a value is replaced."""
    line = redact(None, "info", {"event": "rcpt <ann.lee+x@example.com> refused", "count": 3})
    assert {"event": "rcpt <<address>> refused", "count": 3} == line
