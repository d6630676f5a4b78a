from typing import Any

import pytest

from mailvet.model.reply import Reply
from mailvet.smtp.demands import demands_of, is_shutting_down
from mailvet.smtp.reply_line import enhanced_of
from tests.cases import names, rows


def reply_of(text: str) -> Reply:
    return Reply(int(text[:3]), text[4:], enhanced_of(text[4:]))


@pytest.mark.parametrize("row", rows("demands"), ids=names("demands"))
def test_demands(row: dict[str, Any]) -> None:
    """A refusal asks for what the table says, and for nothing else."""
    demands = demands_of(reply_of(row["reply"]))
    assert row.get("tls", False) == demands.insists_on_tls(offered=True)
    assert row.get("another", False) == demands.no_other
    assert row.get("domain", False) == demands.one_domain


def test_tls_that_was_not_offered() -> None:
    """Without an offer, STARTTLS is tried only where the host names it."""
    for text, insists in (
        ("530 5.7.0 Must issue a STARTTLS command first", True),
        ("530 5.7.0 Authentication required", False),
        ("550 5.7.1 encryption required", False),
    ):
        assert insists == demands_of(reply_of(text)).insists_on_tls(offered=False)


def test_the_mailbox_a_refusal_names_demands_nothing() -> None:
    """Whatever somebody's mailbox is called, it is not what the host asks for."""
    reply = reply_of("550 5.1.1 <starttls.required-one-domain-per-transaction@a.test> unknown")
    assert demands_of(reply) == demands_of(reply_of("550 5.1.1 <ann@a.test> unknown"))
    assert not any(demands_of(reply))


def test_shutting_down() -> None:
    """A host at its own end says nothing about how much we ask."""
    assert is_shutting_down(reply_of("421 4.3.2 Service shutting down"))
    assert not is_shutting_down(reply_of("421 4.7.0 Too many recipients"))
