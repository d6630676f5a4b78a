"""Tests of the rules over statements."""

from typing import Any

import pytest

from mailvet.model.status import Meaning
from mailvet.smtp.reply_grammar import Grammar
from mailvet.smtp.reply_lexicon import lexicon

TABLES: dict[str, Any] = {
    "groups": {"box": ["recipient", "address"]},
    "rule": [
        {"id": "first", "any": ["greylist"], "meaning": "RATE_LIMITED"},
        {
            "id": "box",
            "any": ["box:absent"],
            "unless": ["#1.8"],
            "codes": ["5"],
            "meaning": "MAILBOX_DOES_NOT_EXIST",
        },
    ],
    "last": [{"id": "last", "any": ["absent"], "meaning": "UNKNOWN"}],
}


def rule(text: str, code: int = 550, enhanced: str | None = None) -> str | None:
    rules = Grammar(TABLES)
    reading = rules.decide(rules.atoms(lexicon().mentions(text), enhanced), code)
    return reading and reading.rule


def test_order_decides() -> None:
    """The first rule that holds speaks."""
    assert rule("greylisted: user unknown") == "first"


def test_groups_stand_for_each_member() -> None:
    """A condition on a group holds for any of its members."""
    assert ["box", "box"] == [rule("user unknown"), rule("address unknown")]


def test_exceptions_and_codes_hold_a_rule_back() -> None:
    """A rule is silent for other codes and where an exception holds."""
    assert [None, None] == [rule("user unknown", 450), rule("user unknown", 550, "5.1.8")]


def test_last_rules_are_apart() -> None:
    """The rules of the last resort are asked separately."""
    rules = Grammar(TABLES)
    atoms = rules.atoms(lexicon().mentions("unknown"), None)
    reading = rules.decide_last(atoms, 550)
    assert (None, Meaning.UNKNOWN) == (rules.decide(atoms, 550), reading and reading.meaning)


def test_unknown_ideas_are_refused() -> None:
    """A rule that asks for what no lexicon finds is a mistake, and said so."""
    tables = TABLES | {"last": [{"id": "x", "any": ["nonsense"], "meaning": "UNKNOWN"}]}
    with pytest.raises(ValueError, match="nonsense"):
        Grammar(tables)
