"""The grammar of the SMTP commands a visitor may send (RFC 5321 4.1.1), read strictly."""

import re
from typing import NamedTuple

MAX_COMMAND_BYTES = 2048
"""RFC 5321 4.5.3.1.4 says 512 without extensions; each extension adds, none that much."""

_PARAMETERS = r"((?: [A-Za-z0-9][A-Za-z0-9-]*(?:=[^ =]+)?)*)$"
_MAIL = re.compile(r"FROM:<([^<> ]*)>" + _PARAMETERS, re.IGNORECASE)
_RCPT = re.compile(
    r'TO:<(?:@[^:<>]+:)?("(?:[^"\\]|\\.)*"|[^<>@" ]+)@([^<>@ ]+)>' + _PARAMETERS, re.IGNORECASE
)

_EXTENSION_OF = {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "AUTH": "AUTH"}
_EXTENSION_OF |= dict.fromkeys(["RET", "ENVID", "NOTIFY", "ORCPT"], "DSN")


class Path(NamedTuple):
    """The argument of MAIL or RCPT."""

    local_part: str
    domain: str
    parameters: frozenset[str]
    """Upper-case names of the parameters."""


class Command(NamedTuple):
    """One command line."""

    verb: str
    """Upper case."""
    argument: str
    fault: str = ""
    """Why the line is not one a client may send; empty when it is."""


def read_command(line: bytes) -> Command:
    """Read one line, line end included."""
    text = line.rstrip(b"\r\n").decode("utf-8", "replace")
    verb, _, argument = text.partition(" ")
    return Command(verb.upper(), argument, _line_fault(line, text))


def read_mail(argument: str) -> Path | None:
    """Read what follows `MAIL `; None when it is not by the grammar (a space after the colon)."""
    match = _MAIL.match(argument)
    if match is None:
        return None
    local_part, _, domain = match[1].rpartition("@")
    return Path(local_part, domain, _names(match[2]))


def read_rcpt(argument: str) -> Path | None:
    """Read what follows `RCPT `; a source route is allowed and ignored (RFC 5321 4.1.1.3)."""
    match = _RCPT.match(argument)
    return None if match is None else Path(match[1], match[2].lower(), _names(match[3]))


def not_offered(parameters: frozenset[str], offered: frozenset[str]) -> str:
    """The first parameter whose extension was not offered; empty when all were."""
    return next((name for name in sorted(parameters) if _EXTENSION_OF.get(name) not in offered), "")


def _names(parameters: str) -> frozenset[str]:
    return frozenset(word.partition("=")[0].upper() for word in parameters.split())


def _line_fault(line: bytes, text: str) -> str:
    if not line.endswith(b"\r\n"):
        return "bare LF"  # RFC 5321 2.3.8: lines end in CRLF, nothing else
    if b"\0" in line:
        return "NUL"
    if b"\r" in line[:-2]:
        return "bare CR"
    if "�" in text:
        return "not UTF-8"
    return "line too long" if len(line) > MAX_COMMAND_BYTES else ""
