"""What a reply says of whom, and what that means: `reply_grammar.toml`, interpreted.

The subject comes first: each predicate is bound to the nearest subject of its sentence, and the
rules ask for such statements ("recipient:absent") or for ideas at all ("greylist").
"""

import tomllib
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

from mailvet.model.reply import Reading
from mailvet.model.status import Meaning
from mailvet.smtp.reply_lexicon import Mention, lexicon

SUBJECTS = frozenset(
    "recipient address directory domain client helo rdns sender server message".split()
)
PREDICATES = frozenset(
    "absent no disabled full exceeded refused blocked unavailable no_mail foreign restricted"
    " callout size".split()
)
_OWNED = frozenset({"address", "domain"})
"""Ideas that belong to a subject right before them: "sender <a@b>", "recipient domain"."""
_TO_THE_RIGHT = 0.5
"""How much farther a subject behind its predicate counts: "rejected" after a subject is its own."""


class _Rule(NamedTuple):
    reading: Reading
    any: tuple[int, ...]
    unless: tuple[int, ...]
    codes: tuple[str, ...]


class Grammar:
    """Rules in order, over atoms: an atom is an idea, or a subject with its predicate."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self._groups: dict[str, list[str]] = tables["groups"]
        self._bits: dict[str, int] = {}
        self._rules = [self._rule(row) for row in tables["rule"]]
        self._last = [self._rule(row) for row in tables["last"]]

    def atoms(self, mentions: list[Mention]) -> int:
        """Return what is said, as bits; whatever no rule asks for is left out."""
        bits = 0
        bit = self._bits.get
        for mention in mentions:
            bits |= bit(mention.idea, 0)
        for subject, predicate in statements(mentions):
            bits |= bit(f"{subject}:{predicate}", 0)
        return bits

    def decide(self, atoms: int, code: int) -> Reading | None:
        """Return what the first rule says that holds; None when none does."""
        return _first(self._rules, atoms, str(code))

    def decide_last(self, atoms: int, code: int) -> Reading | None:
        """Like `decide`, for the rules that speak after the enhanced code was asked."""
        return _first(self._last, atoms, str(code))

    def _rule(self, row: dict[str, Any]) -> _Rule:
        reading = Reading(Meaning(row["meaning"]), row["id"], row.get("about_sender", False))
        return _Rule(
            reading,
            tuple(self._conditions(row["any"])),
            tuple(self._conditions(row.get("unless", []))),
            tuple(row.get("codes", [])),
        )

    def _conditions(self, texts: list[str]) -> list[int]:
        masks: list[int] = []
        for text in texts:
            choices = [self._expand(atom.strip()) for atom in text.split("+")]
            masks += [sum({self._bit(atom) for atom in atoms}) for atoms in product(*choices)]
        return masks

    def _expand(self, atom: str) -> list[str]:
        subject, colon, predicate = atom.partition(":")
        return [name + colon + predicate for name in self._groups.get(subject, [subject])]

    def _bit(self, atom: str) -> int:
        for idea in atom.split(":"):
            if idea not in lexicon().ideas:
                raise ValueError(f"{atom!r} asks for {idea!r}, which the lexicon does not know")
        return self._bits.setdefault(atom, 1 << len(self._bits))


def statements(mentions: list[Mention]) -> list[tuple[str, str]]:
    """Return (subject, predicate) for each predicate that has a subject in its sentence."""
    joined = _joined(mentions)
    subjects = [mention for mention in joined if mention.idea in SUBJECTS]
    found = []
    for mention in joined:
        if mention.idea in PREDICATES:
            subject = _subject_of(mention, subjects)
            if subject:
                found.append((subject, mention.idea))
    return found


def _joined(mentions: list[Mention]) -> list[Mention]:
    joined: list[Mention] = []
    for mention in mentions:
        last = joined[-1] if joined else None
        if last and mention.idea in _OWNED and last.idea in SUBJECTS and _touch(last, mention):
            joined[-1] = last._replace(end=mention.end)
        else:
            joined.append(mention)
    return joined


def _touch(first: Mention, second: Mention) -> bool:
    return first.sentence == second.sentence and second.start - first.end <= 1


def _subject_of(predicate: Mention, subjects: list[Mention]) -> str:
    best, best_distance = "", 1e9
    for subject in subjects:
        if subject.sentence != predicate.sentence:
            continue
        behind = subject.start >= predicate.end
        if predicate.idea == "no" and (not behind or subject.start - predicate.end > 1):
            continue
        distance = (
            subject.start - predicate.end + _TO_THE_RIGHT
            if behind
            else float(predicate.start - subject.end)
        )
        if distance < best_distance:
            best, best_distance = subject.idea, distance
    return best


def _first(rules: list[_Rule], atoms: int, code: str) -> Reading | None:
    for rule in rules:
        if any(atoms & mask == mask for mask in rule.any) and (
            not rule.codes or code.startswith(rule.codes)
        ):
            if not any(atoms & mask == mask for mask in rule.unless):
                return rule.reading
    return None


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """Return the grammar of the package's data file, read once."""
    text = files("mailvet.smtp").joinpath("data/reply_grammar.toml").read_text("utf-8")
    return Grammar(tomllib.loads(text))
