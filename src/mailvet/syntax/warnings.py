"""What looks like something else: mixed scripts, invisible and compatibility characters.

The idea of UTS #39 (restriction level Highly Restrictive, 5.2) with the standard library's tables:
the script of a letter is the first word of its Unicode name.
"""

import unicodedata
from collections.abc import Iterable

from mailvet.model.address import Address

MIXED_SCRIPT_LOCAL_PART = "MIXED_SCRIPT_LOCAL_PART"
MIXED_SCRIPT_DOMAIN = "MIXED_SCRIPT_DOMAIN"
CONFUSABLE_DOMAIN = "CONFUSABLE_DOMAIN"
INVISIBLE_CHARACTER = "INVISIBLE_CHARACTER"
COMPATIBILITY_CHARACTER = "COMPATIBILITY_CHARACTER"
LOCAL_PART_NOT_NFC = "LOCAL_PART_NOT_NFC"

_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that one word may mix (UTS #39 5.2): Japanese, Chinese, Korean, each with Latin."""

_LOOKS_LATIN = frozenset("асԁеһіјӏорԛѕԝхуүѵɡαικνορτυχ")
"""Cyrillic and Greek small letters that most fonts draw as Latin ones (UTS #39 confusables)."""


def spelling_warnings(address: Address) -> tuple[str, ...]:
    """Return the rule ids of what is odd about the spelling of a valid address, in fixed order.

    Empty for plain ASCII. Warnings never decide: the address may be as it should be.
    """
    if address.local_part.isascii() and address.domain.unicode.isascii():
        return ()
    return (*_of_local_part(address.local_part), *_of_domain(address.domain.unicode))


def _of_local_part(local_part: str) -> list[str]:
    found = []
    if _is_mixed(local_part):
        found.append(MIXED_SCRIPT_LOCAL_PART)
    if any(unicodedata.category(character) == "Cf" for character in local_part):
        found.append(INVISIBLE_CHARACTER)
    normal = unicodedata.normalize("NFC", local_part)
    if normal != local_part:
        found.append(LOCAL_PART_NOT_NFC)
    if unicodedata.normalize("NFKC", local_part) != normal:
        found.append(COMPATIBILITY_CHARACTER)
    return found


def _of_domain(domain: str) -> list[str]:
    labels = domain.split(".")
    found = []
    if any(map(_is_mixed, labels)):
        found.append(MIXED_SCRIPT_DOMAIN)
    if any(map(_looks_latin, labels[:-1])) and labels[-1].isascii():
        found.append(CONFUSABLE_DOMAIN)
    return found


def _looks_latin(label: str) -> bool:
    """Whether a label beyond ASCII has only letters that look like ASCII ones."""
    letters = [character for character in label if character.isalpha()]
    return not label.isascii() and all(
        character.isascii() or character in _LOOKS_LATIN for character in letters
    )


def _is_mixed(word: str) -> bool:
    scripts = _scripts(word)
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def _scripts(characters: Iterable[str]) -> frozenset[str]:
    return frozenset(_script(character) for character in characters if character.isalpha())


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "UNKNOWN")
    if name.startswith(("FULLWIDTH LATIN", "MODIFIER LETTER")):
        return "LATIN"
    if name.startswith("HALFWIDTH "):
        name = name.removeprefix("HALFWIDTH ")
    # The prolonged sound mark is written between kana of either kind.
    return "KATAKANA" if name.startswith("KATAKANA-HIRAGANA") else name.split()[0].split("-")[0]
