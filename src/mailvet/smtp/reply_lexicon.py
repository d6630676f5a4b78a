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


class Mention(NamedTuple):
    """One idea where it stands in a reply, in words from the start, little words not counted."""

    idea: str
    start: int
    end: int
    sentence: int


class Lexicon:
    """Phrases as a tree of words; the longest phrase wins."""

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self._little = frozenset(
            fold(phrase) for phrase in _phrases(tables[_LITTLE]) if " " not in phrase
        )
        self._tree: dict[str, Any] = {}
        self._stems: set[str] = set()
        self._words: set[str] = set()
        self.ideas = tuple(idea for idea in tables if idea not in (_LITTLE, _NOISE))
        for idea, table in tables.items():
            if idea != _LITTLE:
                for phrase in _phrases(table):
                    self._learn(phrase, idea)
        self.linked = frozenset(
            phrase for phrase in _phrases(tables["listed"]) if phrase.isascii() and phrase.isalpha()
        )
        self._forms = lru_cache(maxsize=8192)(self._forms_of)

    def mentions(self, text: str) -> list[Mention]:
        """Return what a text mentions, in order."""
        words, breaks = self._without_little(words_of(text, self.linked))
        found: list[Mention] = []
        at, sentence = 0, 0
        while at < len(words):
            while sentence < len(breaks) and breaks[sentence] <= at:
                sentence += 1
            limit = breaks[sentence] if sentence < len(breaks) else len(words)
            idea, end = self._longest(words, at, limit)
            if idea and idea != _NOISE:
                found.append(Mention(idea, at, end, sentence))
            at = max(end, at + 1)
        return found

    def _without_little(self, words: list[str]) -> tuple[list[str], list[int]]:
        kept: list[str] = []
        breaks: list[int] = []
        for word in words:
            if word == BREAK:
                breaks.append(len(kept))
            elif word not in self._little:
                kept.append(word)
        return kept, breaks

    def _learn(self, phrase: str, idea: str) -> None:
        node = self._tree
        for word in self.normal(phrase):
            (self._stems if word.endswith(_STEM) else self._words).add(word.rstrip(_STEM))
            node = node.setdefault(word, {})
        node.setdefault("", idea)

    def normal(self, phrase: str) -> tuple[str, ...]:
        """Return the words of a phrase of the lexicon as they are looked up."""
        words: list[str] = []
        for part in phrase.split():
            stem = _STEM if part.endswith(_STEM) else ""
            plain = [word for word in words_of(part, frozenset()) if word != BREAK]
            if stem and plain:
                plain[-1] += stem
            words += [word for word in plain if word not in self._little]
        return tuple(words)

    def _forms_of(self, word: str) -> tuple[str, ...]:
        exact = (word,) if word in self._words else ()
        stems = (word[:size] for size in range(len(word), 1, -1))
        return exact + tuple(stem + _STEM for stem in stems if stem in self._stems)

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
