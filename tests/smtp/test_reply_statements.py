"""Tests of who is the subject of what is said."""

import pytest

from mailvet.smtp.reply_lexicon import lexicon
from mailvet.smtp.reply_statements import statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user unknown", [("recipient", "absent")]),
        ("unknown user", [("recipient", "absent")]),
        ("no mailbox here", [("recipient", "no")]),
        (
            "Sender address rejected: User unknown",
            [("sender", "refused"), ("recipient", "absent")],
        ),
        ("sender <a@example.org> rejected", [("sender", "refused")]),
        ("mailbox not found in domain", [("recipient", "absent")]),
        ("account or domain not found", [("domain", "absent"), ("recipient", "absent")]),
        ("that user does not exist on this server", [("recipient", "absent")]),
        ("[192.0.2.1] blocked", [("client", "blocked")]),
        ("mailbox blocked [192.0.2.1]", [("recipient", "blocked")]),
        ("no access for this user", []),
        ("blocked. mailbox", []),
    ],
)
def test_statements(text: str, expected: list[tuple[str, str]]) -> None:
    """A predicate belongs to the nearest subject of its sentence that it can be said of."""
    assert expected == list(statements(lexicon().mentions(text)))
