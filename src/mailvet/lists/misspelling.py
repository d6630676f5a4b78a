"""How people mistype a word: which slips are likely, and what each costs.

The distance is optimal string alignment (Damerau-Levenshtein with adjacent transpositions, no
substring edited twice). A slip of the finger or the ear costs less than an arbitrary change.
"""

from functools import cache

_KEYBOARD_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_ROW_OFFSETS = (0.0, 0.5, 0.75, 1.25)
"""How far each row of a QWERTY keyboard is shifted to the right, in key widths."""
_NEIGHBOUR_REACH = 1.35
"""Key widths between the centres of two keys that one finger may confuse."""

_SOUND_ALIKE = ("aeiouy", "gj", "ck", "sz", "cs", "mn", "bv", "td", "fv", "0o", "1li", "qk")
_VOWELS = frozenset("aeiouy")
_FOLDED_CONSONANTS = str.maketrans("jnkzd", "gmcst")

TRANSPOSED = 0.6
DOUBLED = 0.4
"""A letter typed twice, or once instead of twice."""
NEAR_KEY = 0.6
SOUNDS_ALIKE = 0.6
VOWEL = 0.7
"""A vowel left out or put in."""
OTHER = 1.0
CUT_SHORT = 0.5
"""Each last letter that is missing: the cursor was moved on too early."""
NEAR_START = 0.3
"""Added when the first letter is a near key: people look at where they begin."""
WRONG_START = 0.7
"""Added when the first letter is any other: people rarely miss the first letter by far."""
SAME_CONSONANTS = 0.8
"""Taken off when only vowels differ: people who spell by ear keep the consonants."""
_TELLING_CONSONANTS = 3
"""Fewer consonants are shared by too many words."""


def slip_cost(typed: str, meant: str) -> float:
    """Return how unlikely it is that `typed` stands for `meant`; 0 when they are the same.

    About 0.5 for one usual slip, 1 for one odd change, more for several; symmetric in no way.
    """
    if typed == meant:
        return 0.0
    cost = finger_cost(_undouble(typed, meant), meant) + _start_cost(typed, meant)
    kept = consonants(meant)
    if len(kept) >= _TELLING_CONSONANTS and consonants(typed) == kept:
        cost -= SAME_CONSONANTS
    return max(cost, 0.1)


def finger_cost(typed: str, meant: str) -> float:
    """Return the cost of the slips alone, wherever they are: for suffixes and short pieces."""
    cost = _alignment_cost(typed, meant)
    if typed and meant.startswith(typed):
        cost = min(cost, CUT_SHORT * (len(meant) - len(typed)))
    return cost


def consonants(word: str) -> str:
    """Return the consonants of a word, those that sound alike made one, doubles dropped."""
    kept = [letter for letter in word.translate(_FOLDED_CONSONANTS) if letter not in _VOWELS]
    pairs = zip(kept, ["", *kept], strict=False)
    return "".join(letter for letter, before in pairs if letter != before)


def _undouble(typed: str, meant: str) -> str:
    """`hotmailmail` with its repeated piece once, when that gives the word that was meant."""
    for size in (2, 3, 4):
        for start in range(len(typed) - 2 * size + 1):
            if typed[start : start + size] == typed[start + size : start + 2 * size]:
                once = typed[:start] + typed[start + size :]
                if once == meant:
                    return once + once[-1]
    return typed


def _start_cost(typed: str, meant: str) -> float:
    swapped = typed[1::-1] == meant[:2]
    missing = typed[:1] == meant[1:2]
    extra = typed[1:2] == meant[:1]
    if typed[:1] == meant[:1] or swapped or missing or extra:
        return 0.0
    return NEAR_START if _change_cost(typed[:1], meant[:1]) < OTHER else WRONG_START


def _alignment_cost(typed: str, meant: str) -> float:
    before: list[float] = []
    above = [0.0]
    for letter, last in zip(meant, "\0" + meant, strict=False):
        above.append(above[-1] + _gap_cost(letter, last))
    for row, letter in enumerate(typed, start=1):
        last = typed[row - 2] if row > 1 else "\0"
        extra = _gap_cost(letter, last)
        current = [above[0] + extra]
        for column, wanted in enumerate(meant, start=1):
            wanted_last = meant[column - 2] if column > 1 else "\0"
            best = min(
                above[column] + extra,
                current[-1] + _gap_cost(wanted, wanted_last),
                above[column - 1] + _change_cost(letter, wanted),
            )
            if row > 1 and column > 1 and letter == wanted_last and last == wanted:
                best = min(best, before[column - 2] + TRANSPOSED)
            current.append(best)
        before, above = above, current
    return above[-1]


def _gap_cost(letter: str, last: str) -> float:
    """The cost of one letter too many or too few, after `last`."""
    if letter == last:
        return DOUBLED
    return VOWEL if letter in _VOWELS else OTHER


@cache
def _change_cost(typed: str, meant: str) -> float:
    if typed == meant:
        return 0.0
    if typed and meant:
        if any(typed in group and meant in group for group in _SOUND_ALIKE):
            return SOUNDS_ALIKE
        if _are_neighbours(typed, meant):
            return NEAR_KEY
    return OTHER


def _are_neighbours(one: str, other: str) -> bool:
    first, second = _key(one), _key(other)
    if first is None or second is None:
        return False
    return (first[0] - second[0]) ** 2 + (first[1] - second[1]) ** 2 <= _NEIGHBOUR_REACH**2


def _key(letter: str) -> tuple[float, float] | None:
    for depth, row in enumerate(_KEYBOARD_ROWS):
        if letter in row:
            return row.index(letter) + _ROW_OFFSETS[depth], float(depth)
    return None
