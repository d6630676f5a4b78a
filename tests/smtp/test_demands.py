from typing import Any

import pytest

from mailvet.model.reply import Reply
from mailvet.smtp.demands import (
    insists_on_tls,
    is_shutting_down,
    refuses_another,
    refuses_domain,
)
from mailvet.smtp.framing import enhanced_of
from tests.cases import names, rows


def reply_of(text: str) -> Reply:
    return Reply(int(text[:3]), text[4:], enhanced_of(text[4:]))


@pytest.mark.parametrize("row", rows("demands"), ids=names("demands"))
def test_demands(row: dict[str, Any]) -> None:
    """A refusal asks for what the table says, and for nothing else."""
    reply = reply_of(row["reply"])
    assert row.get("tls", False) == insists_on_tls(reply, offered=True)
    assert row.get("another", False) == refuses_another(reply)
    assert row.get("domain", False) == refuses_domain(reply)


def test_tls_that_was_not_offered() -> None:
    """Without an offer, STARTTLS is tried only where the host names it."""
    assert insists_on_tls(reply_of("530 5.7.0 Must issue a STARTTLS command first"), offered=False)
    assert not insists_on_tls(reply_of("530 5.7.0 Authentication required"), offered=False)
    assert not insists_on_tls(reply_of("550 5.7.1 encryption required"), offered=False)


def test_shutting_down() -> None:
    """A host at its own end says nothing about how much we ask."""
    assert is_shutting_down(reply_of("421 4.3.2 Service shutting down"))
    assert not is_shutting_down(reply_of("421 4.7.0 Too many recipients"))
