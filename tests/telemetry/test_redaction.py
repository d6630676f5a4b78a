"""What is left of addresses in log lines."""

import json
import logging
import re

import pytest
import structlog

from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.model.address import Address, DomainName
from mailvet.telemetry.logs import configure_logging
from mailvet.telemetry.redaction import DOMAIN, HASH, Redactor

TEXTS = (
    "rcpt <canary.lee+x@example.com> refused",
    "RCPT TO:<canary@example.com> SIZE=1",
    "'canary@example.com' is no address",
    "o'canary@example.com",
    '"canary lee"@example.com',
    '"can\\"ary"@example.com and more',
    "canary@@example.com",
    "canary@ example.com",
    "canary@home@example.com",
    "canary@[192.0.2.1]",
    "канарейка-canary@пример.рф",
    "mailto:canary@example.com?subject=x",
    "a,canary@example.com;b",
    "canary" * 40 + "@example.com",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("mode", ["none", "domain", "hash"])
def test_no_local_part_is_left(text: str, mode: str) -> None:
    """However it is written, in every mode."""
    assert not re.search("can.?.?ary", Redactor(mode).text(text))


def test_modes_leave_what_they_say() -> None:
    """Nothing, the domain, or a mark that is the same for the same mailbox only."""
    assert "<<address>>" == Redactor().text("<ann@x.example>")
    assert "<*@x.example>" == Redactor(DOMAIN).text("<ann@x.example>")
    marks = [Redactor(HASH).text(text) for text in ("ann@x.example", "ann@x.example")]
    assert re.fullmatch("[0-9a-f]{8}@x.example", marks[0])
    assert marks[0] != marks[1], "the key ends with the process"
    one = Redactor(HASH)
    assert one.text("ann@x.example") == one.text("ann@x.example") != one.text("bob@x.example")


def test_values_are_searched_however_deep() -> None:
    """Lists, mappings, bytes, objects; numbers stay numbers."""
    found = Redactor().value({"a@b.c": [b"x@y.z", ("q@r.s", 3, None, 1.5, True)], "n": {"p@q.r"}})
    assert {"<address>": ["<address>", ["<address>", 3, None, 1.5, True]], "n": ["<address>"]} == (
        found
    )


def test_an_exception_does_not_quote_what_was_wrong() -> None:
    """Its frames and kinds are there, causes too; values in its words are not."""
    try:
        try:
            int("canary")
        except ValueError as error:
            raise KeyError("canary@example.com") from error
    except KeyError as error:
        told = Redactor().exception(error)
    words = [line for line in told.splitlines() if not line.startswith(" ")]
    assert "canary" not in " ".join(words)
    assert "ValueError: invalid literal for int() with base 10: '...'" in words
    assert "KeyError: '...'" in words
    assert "test_redaction.py" in told


def test_addresses_do_not_show_themselves() -> None:
    """Whoever prints one for debugging prints a placeholder."""
    address = Address("canary", DomainName("x.example", "x.example"))
    assert "Address(<redacted>@x.example)" == repr(address) == f"{address!r}"
    assert "canary" not in repr([address])


def test_every_line_goes_through_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours and those that libraries log through the standard library."""
    before = structlog.get_config()
    monkeypatch.setattr(logging.root, "handlers", [])
    configure_logging("debug", "json", "domain")
    try:
        log = structlog.get_logger()
        log.debug("seen", what={"to": ["canary@x.example"]}, at=1)
        try:
            int("canary")
        except ValueError:
            log.exception("failed")
            logging.getLogger("asyncio").exception("told canary@x.example")
    finally:
        structlog.configure(**before)
    lines = capsys.readouterr().err
    seen = json.loads(lines.splitlines()[0])
    assert ({"to": ["*@x.example"]}, 1) == (seen["what"], seen["at"])
    shown = [line for line in lines.replace("\\n", "\n").splitlines() if "int(" not in line]
    assert "canary" not in "\n".join(shown)
    assert "told *@x.example" in lines


def test_a_mode_that_is_none_is_refused() -> None:
    """With those there are."""
    with pytest.raises(ConfigError, match="use none, domain or hash"):
        load({"log_addresses": "all"})
