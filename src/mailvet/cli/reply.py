"""`mailvet reply`: what SMTP replies mean."""

import argparse
import re
from typing import Any

from mailvet.cli.lines import Asked, Found, NotUnderstood, answer_each, field
from mailvet.model.reply import Reply, Stage
from mailvet.smtp.meanings import meaning_of

_REPLY_CODE = re.compile("[2-5][0-9]{2}")
"""RFC 5321 4.2, read generously in the second digit."""


def reply_tool(arguments: argparse.Namespace) -> int:
    """`mailvet reply`: what SMTP replies mean."""
    return answer_each(arguments, _reply_from_text, _meaning)


def _reply_from_text(text: str) -> Asked:
    code, said = text[:3], text[3:]
    if not _REPLY_CODE.fullmatch(code) or said[:1] not in ("", " ", "-"):
        raise NotUnderstood(f"{text!r} is no reply: it starts with a code, as in `550 5.1.1 no`")
    return {"code": int(code), "text": said[1:]}


def _meaning(asked: Asked) -> Found:
    code = field(asked, "code", (int, str), '{"code": 550, "text": "5.1.1 No such user"}')
    if isinstance(code, str) and not (code.isascii() and code.isdigit()):
        raise NotUnderstood(f"`code` must be a number such as 550, not {code!r}")
    text = field({"text": ""} | asked, "text", str, '"text": "No such user"')
    enhanced = asked.get("enhanced")
    if enhanced is not None and not isinstance(enhanced, str):
        raise NotUnderstood('`enhanced` is of the wrong kind: write "enhanced": "5.1.1"')
    reading = meaning_of(Reply(int(code), text, enhanced or None), stage=_stage(asked.get("stage")))
    return {"meaning": reading.meaning.value, "rule": reading.rule}


def _stage(name: Any) -> Stage:
    try:
        return Stage(name or Stage.RCPT)
    except ValueError:
        raise NotUnderstood(f"`stage` must be one of {', '.join(Stage)}") from None
