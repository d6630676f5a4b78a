"""Tests of the lexicon of replies."""

import tomllib
from collections import defaultdict
from importlib.resources import files

import pytest

from mailvet.smtp.reply_lexicon import Lexicon, lexicon


def ideas(text: str) -> list[str]:
    return [mention.idea for mention in lexicon().mentions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user unknown", ["recipient", "absent"]),
        ("Empfänger unbekannt", ["recipient", "absent"]),
        ("L'utilisateur n'existe pas", ["recipient", "absent"]),
        ("почтовый ящик переполнен", ["recipient", "full"]),
        ("the sender address is not valid", ["sender", "absent"]),
        ("your IP address", ["client"]),
        ("the account that you tried to reach", ["recipient"]),
        ("hello world", []),
    ],
)
def test_mentions(text: str, expected: list[str]) -> None:
    """Words of any language name ideas, in order, the longest phrase first."""
    assert expected == ideas(text)


def test_stems_take_endings() -> None:
    """A phrase with a star takes any ending."""
    small = Lexicon(
        {"little": {"en": "the"}, "listed": {"en": "rbl"}, "disabled": {"en": "disab* account"}}
    )
    assert ["disabled"] == [m.idea for m in small.mentions("the disabling the account")]


def test_sentences_part_mentions() -> None:
    """A phrase never reaches over the end of a sentence."""
    assert ideas("not. valid") == ["no"]


def test_absence_has_no_subject_inside() -> None:
    """No phrase for "is not there" swallows the word for who is not there."""
    text = files("mailvet.smtp").joinpath("data/reply_lexicon.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    recipients = {
        phrase.strip() for row in tables["recipient"].values() for phrase in row.split(",")
    }
    assert not {
        phrase
        for language, row in tables["absent"].items()
        for phrase in row.split(",")
        if language != "about" and recipients & set(phrase.split())
    }


def test_each_phrase_names_one_idea() -> None:
    """No phrase of the data file stands under two ideas, and none is empty."""
    text = files("mailvet.smtp").joinpath("data/reply_lexicon.toml").read_text("utf-8")
    owners = defaultdict(set)
    for idea, table in tomllib.loads(text).items():
        for language, phrases in table.items():
            if idea != "little" and language != "about":
                for phrase in phrases.split(","):
                    owners[lexicon().normal(phrase)].add(idea)
    assert {} == {phrase: own for phrase, own in owners.items() if len(own) > 1 or not phrase}
