"""What an SMTP reply means for the mailbox that was asked for.

An operator's own code words first, then the words (`reply_grammar`), then the enhanced code, the
basic code last: both kinds of code are often wrong. A 4xx is never final (RFC 5321 4.2.1).
"""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from mailvet.model.reply import Reading, Reply, Stage
from mailvet.model.status import Meaning
from mailvet.smtp.reply_grammar import grammar
from mailvet.smtp.reply_lexicon import lexicon
from mailvet.smtp.reply_operators import operator_reading
from mailvet.smtp.reply_text import MAX_CHARS, enhanced_in, without_names

_FINAL = frozenset(
    {Meaning.MAILBOX_DOES_NOT_EXIST, Meaning.MAILBOX_DISABLED, Meaning.DOMAIN_NOT_ACCEPTED}
)
_INNER = re.compile(
    r"(?i)\b(?:said|was|responded|response|answered)\s{0,9}:?\s{0,9}[\"']?([245]\d\d)[ -]"
)
"""Where a call-out quotes the other host: `host mx[192.0.2.1] said: 550 5.1.1 ...`."""

_REMEMBERED = 8192
"""Readings kept; some 2 MB."""


def meaning_of(reply: Reply, *, operator: str = "", stage: Stage = Stage.RCPT) -> Reading:
    """Return what a reply means; see `read`."""
    return read(reply.code, reply.enhanced, reply.text, operator=operator, stage=stage)


def read(
    code: int,
    enhanced: str | None,
    text: str,
    *,
    operator: str = "",
    stage: Stage = Stage.RCPT,
) -> Reading:
    """Return what a reply means, and the id of the rule that says so.

    `operator` is a hint (such as `netease`) for code words too plain to be believed of others;
    `stage` is the command that was answered: only RCPT names a mailbox, so at any other stage a
    final reading about one becomes UNKNOWN, and at MAIL a refusal of the sender. Never raises,
    whatever the text; the same input always gets the same reading. A bare refusal is UNKNOWN,
    and a 4xx says nothing final of a mailbox or a domain.
    """
    return _remembered(code, enhanced, without_names(text[:MAX_CHARS]), operator, stage)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(code: int, enhanced: str | None, text: str, operator: str, stage: Stage) -> Reading:
    """Hosts say the same of every mailbox but its name."""
    reading = _read(code, enhanced or enhanced_in(text), text, operator)
    if 400 <= code < 500:
        reading = _not_final(reading)
    return reading if stage is Stage.RCPT else _before_recipients(reading, stage)


def _read(code: int, enhanced: str | None, text: str, operator: str) -> Reading:
    quoted = _quoted(code, text) or operator_reading(text, operator)
    if quoted:
        return quoted
    rules = grammar()
    atoms = rules.atoms(lexicon().mentions(text), enhanced)
    return (
        rules.decide(atoms, code)
        or _by_enhanced(code, enhanced)
        or rules.decide_last(atoms, code)
        or _by_basic(code)
    )


def _quoted(code: int, text: str) -> Reading | None:
    """Read the answer another host gave, where the reply reports a call-out to it.

    A call-out about the *sender* is left to the words: it speaks of us. When either of the two
    codes is 4xx, so is the whole.
    """
    quotes = list(_INNER.finditer(text))
    if not quotes or "sender" in text[: quotes[-1].start()].lower():
        return None
    inner_code, inner = int(quotes[-1].group(1)), text[quotes[-1].end() :]
    reading = _read(min(code, inner_code), enhanced_in(inner), inner, "")
    if inner_code < 500:
        reading = _not_final(reading)
    return reading._replace(rule=f"callout.{reading.rule}")


def _not_final(reading: Reading) -> Reading:
    if reading.meaning in _FINAL:
        return reading._replace(meaning=Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE)
    return reading


def _before_recipients(reading: Reading, stage: Stage) -> Reading:
    if reading.meaning not in _FINAL and reading.meaning is not Meaning.MAILBOX_FULL:
        return reading
    if stage is Stage.MAIL:
        return reading._replace(meaning=Meaning.SENDER_OR_CLIENT_REJECTED, about_sender=True)
    return reading._replace(meaning=Meaning.UNKNOWN)


def _by_enhanced(code: int, enhanced: str | None) -> Reading | None:
    if not enhanced:
        return None
    status, _, details = enhanced.partition(".")
    for key in (details, details.partition(".")[0]):
        meaning = _codes()["enhanced"].get(key, {}).get("4" if code < 500 else status)
        if meaning:
            return Reading(Meaning(meaning), f"enhanced.{key}")
    return None


def _by_basic(code: int) -> Reading:
    meaning: str | None = _codes()["basic"].get(str(code))
    if meaning:
        return Reading(Meaning(meaning), f"basic.{code}")
    if 400 <= code < 500:
        return Reading(Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE, "basic.4yz")
    return Reading(Meaning.UNKNOWN, "nothing.said")


@lru_cache(maxsize=1)
def _codes() -> dict[str, dict[str, Any]]:
    text = files("mailvet.smtp").joinpath("data/reply_codes.toml").read_text("utf-8")
    return tomllib.loads(text)
