"""What statements mean: the rules of `reply_grammar.toml`, interpreted in their order.

An atom is an idea that is in the reply at all (`greylist`), a subject with what is said of it
(`recipient:absent`), or the enhanced code without its class (`#1.8`) or its subject alone (`#1`).
Rules are sets of atoms.
"""

import tomllib
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

from mailvet.model.reply import Reading
from mailvet.model.status import Meaning
from mailvet.smtp.reply_lexicon import Mention, lexicon
from mailvet.smtp.reply_statements import PREDICATES, SUBJECTS, statements

_DECISIONS_KEPT = 4096
"""Hosts say the same few things over and over: a few hundred sets of atoms cover a long run."""


class _Rule(NamedTuple):
    reading: Reading
    any: tuple[int, ...]
    unless: tuple[int, ...]
    codes: tuple[str, ...]

    def holds(self, atoms: int, code: str) -> bool:
        return (
            any(atoms & mask == mask for mask in self.any)
            and (not self.codes or code.startswith(self.codes))
            and not any(atoms & mask == mask for mask in self.unless)
        )


class Grammar:
    """The rules, and the bits of the atoms they ask for."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self._groups: dict[str, list[str]] = tables["groups"]
        self._bits: dict[str, int] = {}
        self._rules = [self._rule(row) for row in tables["rule"]]
        self._last = [self._rule(row) for row in tables["last"]]
        self._first = lru_cache(maxsize=_DECISIONS_KEPT)(self._first_that_holds)

    def atoms(self, mentions: list[Mention], enhanced: str | None) -> int:
        """Return what is said, as bits; what no rule asks for is left out."""
        bit = self._bits.get
        details = enhanced.partition(".")[2] if enhanced else ""
        bits = bit(f"#{details}", 0) | bit(f"#{details.partition('.')[0]}", 0)
        for mention in mentions:
            bits |= bit(mention.idea, 0)
        for subject, predicate in statements(mentions):
            bits |= bit(f"{subject}:{predicate}", 0)
        return bits

    def decide(self, atoms: int, code: int) -> Reading | None:
        """Return what the first rule says that holds; None when none does."""
        return self._first(False, atoms, code)

    def decide_last(self, atoms: int, code: int) -> Reading | None:
        """Like `decide`, by the rules that speak after the enhanced code was asked."""
        return self._first(True, atoms, code)

    def _first_that_holds(self, last: bool, atoms: int, code: int) -> Reading | None:
        for rule in self._last if last else self._rules:
            if rule.holds(atoms, str(code)):
                return rule.reading
        return None

    def _rule(self, row: dict[str, Any]) -> _Rule:
        return _Rule(
            Reading(Meaning(row["meaning"]), row["id"], row.get("about_sender", False)),
            tuple(self._masks(row["any"])),
            tuple(self._masks(row.get("unless", []))),
            tuple(row.get("codes", [])),
        )

    def _masks(self, conditions: list[str]) -> list[int]:
        masks: list[int] = []
        for condition in conditions:
            choices = [self._expand(atom.strip()) for atom in condition.split("+")]
            masks += [sum({self._bit(atom) for atom in atoms}) for atoms in product(*choices)]
        return masks

    def _expand(self, atom: str) -> list[str]:
        subject, colon, predicate = atom.partition(":")
        return [name + colon + predicate for name in self._groups.get(subject, [subject])]

    def _bit(self, atom: str) -> int:
        if not _is_known(atom):
            raise ValueError(f"{atom!r} is nothing the lexicon can find in a reply")
        return self._bits.setdefault(atom, 1 << len(self._bits))


def _is_known(atom: str) -> bool:
    subject, colon, predicate = atom.partition(":")
    if colon:
        return subject in SUBJECTS and predicate in PREDICATES
    return atom.startswith("#") or atom in lexicon().ideas


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """Return the grammar of the package's data file, read once."""
    text = files("mailvet.smtp").joinpath("data/reply_grammar.toml").read_text("utf-8")
    return Grammar(tomllib.loads(text))
