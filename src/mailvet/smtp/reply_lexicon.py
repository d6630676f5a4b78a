"""Which ideas the words of a reply name, and in which order: `reply_lexicon.toml`, interpreted."""

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from mailvet.smtp.reply_text import BREAK, fold, words_of

_LITTLE = "little"
_NOISE = "noise"
_STEM = "*"
_PREPOSITIONS = frozenset(
    ["at", "in", "on", "by", "for", "from", "under", "within", "auf", "bei", "sur", "dans", "su"]
)
_MAX_MENTIONS = 64
"""Statements pair mentions with each other: no real reply comes near this, a hostile one may."""
_OR = frozenset(["or", "oder", "ou", "lub", "of", "eller", "или"])


class Mention(NamedTuple):
    """One idea where it stands in a reply, in words from the start, little words not counted."""

    idea: str
    start: int
    end: int
    sentence: int
    adjunct: bool
    """Whether a preposition stands before it."""
    after_or: bool
    """Whether it stands behind "or", right after another mention."""


class Lexicon:
    """Phrases as a tree of words; the longest phrase wins."""

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self._little = frozenset(fold(word) for word in _phrases(tables[_LITTLE]))
        self._tree: dict[str, Any] = {}
        self._stems: set[str] = set()
        self._words: set[str] = set()
        self._forms = lru_cache(maxsize=8192)(self._forms_of)
        self.ideas = tuple(idea for idea in tables if idea not in (_LITTLE, _NOISE))
        self._linked = frozenset(
            phrase for phrase in _phrases(tables["listed"]) if phrase.isascii() and phrase.isalpha()
        )
        for idea, table in tables.items():
            if idea != _LITTLE:
                for phrase in _phrases(table):
                    self._learn(phrase, idea)

    def mentions(self, text: str) -> list[Mention]:
        """Return what a text mentions, in order."""
        words, breaks = self._without_little(words_of(text, self._linked))
        found: list[Mention] = []
        at, sentence = 0, 0
        while at < len(words) and len(found) < _MAX_MENTIONS:
            while breaks[sentence] <= at:
                sentence += 1
            idea, end = self._longest(words, at, breaks[sentence])
            if idea and idea != _NOISE:
                before = words[at - 1] if at else ""
                after_or = before in _OR and bool(found) and found[-1].end == at - 1
                found.append(Mention(idea, at, end, sentence, before in _PREPOSITIONS, after_or))
            at = max(end, at + 1)
        return found

    def normal(self, phrase: str) -> tuple[str, ...]:
        """Return the words of a phrase of the lexicon as they are looked up."""
        words: list[str] = []
        for part in phrase.split():
            plain = [word for word in words_of(part, frozenset()) if word not in self._little]
            if plain and part.endswith(_STEM):
                plain[-1] += _STEM
            words += plain
        return tuple(words)

    def _without_little(self, words: list[str]) -> tuple[list[str], list[int]]:
        """Return the words that weigh, and where each sentence of them ends."""
        kept: list[str] = []
        breaks: list[int] = []
        for word in words:
            if word == BREAK:
                breaks.append(len(kept))
            elif word not in self._little:
                kept.append(word)
        return kept, [*breaks, len(kept)]

    def _learn(self, phrase: str, idea: str) -> None:
        node = self._tree
        for word in self.normal(phrase):
            (self._stems if word.endswith(_STEM) else self._words).add(word)
            node = node.setdefault(word, {})
        node.setdefault("", idea)

    def _forms_of(self, word: str) -> tuple[str, ...]:
        exact = (word,) if word in self._words else ()
        stems = (word[:size] + _STEM for size in range(len(word), 1, -1))
        return exact + tuple(stem for stem in stems if stem in self._stems)

    def _longest(self, words: list[str], at: int, limit: int) -> tuple[str, int]:
        best, best_end = "", at
        nodes = [self._tree]
        while nodes and at < limit:
            forms = self._forms(words[at])
            nodes = [node[form] for node in nodes for form in forms if form in node]
            at += 1
            for node in nodes:
                if "" in node:
                    best, best_end = node[""], at
                    break
        return best, best_end


def _phrases(table: dict[str, str]) -> Iterator[str]:
    for key, phrases in table.items():
        if key != "about":
            yield from (phrase.strip() for phrase in phrases.split(","))


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Return the lexicon of the package's data file, read once."""
    text = files("mailvet.smtp").joinpath("data/reply_lexicon.toml").read_text("utf-8")
    return Lexicon(tomllib.loads(text))
