"""The golden rules about a recipient's answer."""

from typing import Any

import pytest

from mailvet.checks.mailbox import check_mailbox
from mailvet.model.reply import Observation, Reading, Reply, Stage, Trouble
from mailvet.model.status import Classification, EntryStatus, Meaning, classification_of
from tests.cases import names, rows


def _observe(row: dict[str, Any]) -> tuple[Observation, Reading | None]:
    stage = Stage(row["stage"])
    if "trouble" in row:
        return Observation(stage, "mx.test", "192.0.2.1", None, Trouble(row["trouble"])), None
    reply = Reply(row["code"], "words")
    seen = Observation(stage, "mx.test", "192.0.2.1", reply, None)
    if reply.positive:
        return seen, None
    return seen, Reading(Meaning(row["meaning"]), "a.rule", row.get("about_sender", False))


@pytest.mark.parametrize("row", rows("mailbox"), ids=names("mailbox"))
def test_an_observation_argues_for_its_status(row: dict[str, Any]) -> None:
    """Every row of the table gets its status, and asks for a retry only where one may help."""
    finding = check_mailbox(*_observe(row))
    assert EntryStatus[row["status"]] == finding.status
    assert row.get("retry", False) == finding.retry


@pytest.mark.parametrize("stage", [Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.MAIL])
@pytest.mark.parametrize("meaning", list(Meaning))
@pytest.mark.parametrize("code", [421, 450, 550, 554])
def test_a_refusal_before_the_recipient_never_blames_the_address(
    stage: Stage, meaning: Meaning, code: int
) -> None:
    """Golden rule 1: what is said before any recipient was named says nothing about a mailbox."""
    seen = Observation(stage, "mx.test", "192.0.2.1", Reply(code, "words"), None)
    finding = check_mailbox(seen, Reading(meaning, "a.rule"))
    assert finding.status is not None
    assert Classification.UNKNOWN == classification_of(finding.status)


@pytest.mark.parametrize("meaning", list(Meaning))
def test_a_transient_reply_is_never_final(meaning: Meaning) -> None:
    """Golden rule 2: no 4xx reply makes an address undeliverable, whatever its words."""
    seen = Observation(Stage.RCPT, "mx.test", "192.0.2.1", Reply(450, "words"), None)
    finding = check_mailbox(seen, Reading(meaning, "a.rule"))
    assert finding.status is not None
    assert Classification.UNDELIVERABLE != classification_of(finding.status)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.QUIT])
@pytest.mark.parametrize("trouble", [t for t in Trouble if t is not Trouble.NO_SMTPUTF8])
def test_silence_is_never_a_verdict(stage: Stage, trouble: Trouble) -> None:
    """Golden rule 2: a dropped, slow or garbled dialogue is UNKNOWN."""
    finding = check_mailbox(Observation(stage, "mx.test", "192.0.2.1", None, trouble), None)
    assert finding.status is not None
    assert Classification.UNKNOWN == classification_of(finding.status)
