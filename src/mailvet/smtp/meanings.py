"""What an SMTP reply means for the mailbox that was asked for.

Words first, the enhanced code second, the basic code last, because both kinds of code are often
wrong; an operator's own code words before all. A 4xx is never final (RFC 5321 4.2.1).
"""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from mailvet.model.reply import Reading, Reply, Stage
from mailvet.model.status import Meaning
from mailvet.smtp.reply_grammar import grammar
from mailvet.smtp.reply_lexicon import lexicon
from mailvet.smtp.reply_operators import operator_reading
from mailvet.smtp.reply_text import MAX_CHARS, enhanced_in

_ABOUT_THE_MAILBOX = frozenset({Meaning.MAILBOX_DOES_NOT_EXIST, Meaning.MAILBOX_DISABLED})
_ABOUT_THE_DOMAIN = frozenset({Meaning.DOMAIN_NOT_ACCEPTED})
_INNER = re.compile(
    r"(?i)\b(?:said|was|responded|response|answered)\s*:?\s*(?=[\"']?[245]\d\d[ -])"
)


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

    `operator` is a hint (such as `netease`) for code words that others use too; `stage` is the
    command that was answered. Never raises, whatever the text; the same input always gets the
    same reading. A bare refusal is UNKNOWN, and with a 4xx nothing final is said of a mailbox.
    """
    text = text[:MAX_CHARS]
    reading = _read(code, enhanced or enhanced_in(text), text, operator)
    return _never_final(reading, code) if 400 <= code < 500 else reading


def _read(code: int, enhanced: str | None, text: str, operator: str) -> Reading:
    inner = _inner_reading(code, text)
    if inner:
        return inner
    said = operator_reading(text, operator)
    if said:
        return said
    rules = grammar()
    atoms = rules.atoms(lexicon().mentions(text))
    return (
        rules.decide(atoms, code)
        or _by_enhanced(code, enhanced)
        or rules.decide_last(atoms, code)
        or _by_basic(code)
    )


def _inner_reading(code: int, text: str) -> Reading | None:
    """Read the answer another host gave, when the reply is the report of a call-out."""
    last = None
    for last in _INNER.finditer(text):
        pass
    if last is None or "sender" in text[: last.start()].lower():
        return None
    said = text[last.end() :].lstrip("\"'")
    inner_code = int(said[:3])
    if 400 <= code < 500 <= inner_code:
        inner_code = code
    inner = said[4:]
    reading = _read(inner_code, enhanced_in(inner), inner, "")
    if inner_code < 500:
        reading = _never_final(reading, inner_code)
    return reading._replace(rule=f"callout.{reading.rule}")


def _never_final(reading: Reading, code: int) -> Reading:
    if reading.meaning in _ABOUT_THE_MAILBOX or reading.meaning in _ABOUT_THE_DOMAIN:
        return reading._replace(meaning=Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE)
    return reading


def _by_enhanced(code: int, enhanced: str | None) -> Reading | None:
    if not enhanced:
        return None
    status, subject, detail = (enhanced.split(".") + ["", ""])[:3]
    table = _codes()["enhanced"]
    for key in (f"{subject}.{detail}", subject):
        meaning = table.get(key, {}).get("4" if code < 500 else status)
        if meaning:
            return Reading(Meaning(meaning), f"enhanced.{key}")
    return None


def _by_basic(code: int) -> Reading:
    meaning = _codes()["basic"].get(str(code))
    if meaning:
        return Reading(Meaning(meaning), f"basic.{code}")
    if 400 <= code < 500:
        return Reading(Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE, "basic.4yz")
    return Reading(Meaning.UNKNOWN, "nothing.said")


@lru_cache(maxsize=1)
def _codes() -> dict[str, dict[str, dict[str, str]]]:
    text = files("mailvet.smtp").joinpath("data/reply_codes.toml").read_text("utf-8")
    return tomllib.loads(text)
