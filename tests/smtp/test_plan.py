from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.reply import Observation, Reply, Stage, Trouble
from mailvet.smtp.plan import Plan
from mailvet.smtp.reply_line import enhanced_of
from tests.cases import names, rows
from tests.smtp.people import US, envelope, mailbox


def plan_of(row: dict[str, Any]) -> Plan:
    envelopes = [envelope(*group, made_up=row.get("made_up")) for group in row["ask"]]
    return Plan(
        US, envelopes, host="mx", address="192.0.2.1", pipelining=row.get("pipelining", False)
    )


def reply_of(lines: list[str]) -> Reply:
    text = "\n".join(line[4:] for line in lines)
    return Reply(int(lines[0][:3]), text, enhanced_of(text))


def play(plan: Plan, dialogue: str) -> None:
    """Check every command the plan has, and feed it every reply."""
    said: list[bytes] = []
    heard: list[str] = []
    due = list(plan.commands)
    for line in dialogue.strip().splitlines():
        mark, text = line[:1], line[2:].strip()
        if mark == "C":
            said.append(text.encode())
            continue
        assert (due, False) == (said if not heard else due, plan.done)
        if mark == "!":
            plan.break_off(Trouble(text))
        else:
            heard.append(text)
            if text[3:4] == "-":
                continue
            plan.feed(reply_of(heard))
            heard = []
        said, due = [], list(plan.commands)
    assert (True, []) == (plan.done, due)


def shown(seen: Observation) -> str:
    return f"{seen.stage} {seen.trouble or (seen.reply and seen.reply.code)}"


def all_shown(seen: Mapping[Any, Observation]) -> dict[str, str]:
    return {getattr(key, "email", key): shown(value) for key, value in seen.items()}


@pytest.mark.parametrize("row", rows("dialogues"), ids=names("dialogues"))
def test_dialogue(row: dict[str, Any]) -> None:
    """The plan says what the table has it say, and reports what it was told."""
    plan = plan_of(row)
    play(plan, row["dialogue"])
    report = plan.report()
    assert row["seen"] == all_shown(report.observations)
    assert row.get("made_up_seen", {}) == all_shown(report.made_up)
    assert row.get("unasked", []) == [each.email for each in report.unasked]
    assert row.get("taken") == report.recipients_taken
    assert row.get("one_domain", False) == report.one_domain
    assert row.get("starttls", False) == report.used_starttls
    assert row.get("try_next", False) == plan.try_next
    assert row.get("asks_again", False) == plan.asks_again
    assert row.get("greeted", True) == report.greeted
    if "extensions" in row:
        assert set(row["extensions"]) == report.extensions


def test_no_more_recipients_than_allowed() -> None:
    """Recipients beyond the limit of a session stay unasked."""
    plan = Plan(US, [envelope("a@x.test", "b@x.test"), envelope("c@y.test")], max_recipients=1)
    for code in (220, 250, 250, 250, 221):
        plan.feed(Reply(code, "", None))
    assert [mailbox("b@x.test"), mailbox("c@y.test")] == list(plan.report().unasked)
    assert plan.done


def test_a_sender_is_named() -> None:
    """A sender other than the null sender stands in MAIL FROM."""
    us = type(US)(helo="us.test", mail_from="probe@us.test")
    plan = Plan(us, [envelope("a@x.test")])
    plan.feed(Reply(220, "", None))
    plan.feed(Reply(250, "", None))
    assert (b"MAIL FROM:<probe@us.test>",) == plan.commands


def test_an_unsafe_mailbox_stops_everything() -> None:
    """A mailbox that could say more than itself is refused before a word is said."""
    with pytest.raises(AssertionError, match="control character"):
        Plan(US, [envelope("a@x.test"), envelope("b\r\nRSET@x.test")])


codes = st.sampled_from([220, 221, 250, 251, 354, 421, 450, 451, 452, 500, 503, 530, 550, 552, 554])
texts = st.sampled_from(
    ["", "5.1.1 no", "4.5.3 Too many recipients", "hi\nPIPELINING\nSTARTTLS", "Must issue STARTTLS"]
)
replies = st.builds(lambda code, text: Reply(code, text, enhanced_of(text)), codes, texts)


@given(st.lists(replies | st.sampled_from(Trouble), max_size=60), st.booleans())
def test_any_host_is_borne(said: list[Reply | Trouble], pipelining: bool) -> None:
    """Whatever a host says, the plan ends, every recipient is accounted for once, and no command
    is sent that a verifier has no business with."""
    envelopes = [envelope("a@x.test", "b@x.test", made_up="zz"), envelope("ü@y.test", "d@y.test")]
    plan = Plan(US, envelopes, pipelining=pipelining)
    sent = list(plan.commands)
    for each in said:
        if plan.done:
            break
        if isinstance(each, Reply):
            plan.feed(each)
        else:
            plan.break_off(each)
        sent += plan.commands
    if not plan.done:
        plan.break_off(Trouble.TIMEOUT)
    report = plan.report()
    assert plan.done
    assert 4 == len(report.observations) + len(report.unasked)
    assert {"a@x.test", "b@x.test", "ü@y.test", "d@y.test"} == {
        each.email for each in (*report.observations, *report.unasked)
    }
    verbs = {line.split()[0] for line in sent}
    assert verbs <= {b"EHLO", b"HELO", b"STARTTLS", b"MAIL", b"RCPT", b"RSET", b"QUIT"}
    made_up = [at for at, line in enumerate(sent) if line == b"RCPT TO:<zz@x.test>"]
    assert all(b"RCPT TO:<b@x.test>" in sent[:at] for at in made_up)


def test_stage_is_that_of_the_reply_due() -> None:
    """The plan tells which reply it waits for, so that a driver knows the deadline."""
    plan = Plan(US, [envelope("a@x.test")])
    stages = [plan.stage]
    for code in (220, 250, 250, 250):
        plan.feed(Reply(code, "", None))
        stages.append(plan.stage)
    assert [Stage.BANNER, Stage.EHLO, Stage.MAIL, Stage.RCPT, Stage.QUIT] == stages
