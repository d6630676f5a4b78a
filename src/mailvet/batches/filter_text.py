"""The filter of a list as text: a subset of AIP-160.

    filter     = sequence of factors, joined by AND or by nothing
    factor     = terms joined by OR, which binds more tightly than AND, as AIP-160 has it
    term       = [NOT | -] ( "(" filter ")" | FIELD OPERATOR VALUE )

Operators are = != < <= > >= and `:`; a value is a word or a quoted text.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from mailvet.model.selection import Condition, Expression, Junction, Negation, Order, Value

MAX_CHARACTERS = 2_000
"""More than people type, and than a program needs."""
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<sign>!=|<=|>=|[=<>():]|-(?=[(A-Za-z_]))|(?P<word>[^\s"'()=<>!:]+))"""
)
_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">=", ":"})

_TEXTS = frozenset({"batch_id", "name", "description", "creator", "targeting.country"})
_NUMBERS = frozenset({"priority", "entry_count"})
_TIMES = frozenset({"create_time", "launch_time", "end_time"})
_LABEL = "labels."
SORTABLE = frozenset({"batch_id", "name", "state", "quality"}) | _NUMBERS | _TIMES
MAX_ORDERS = 3

Enums = Mapping[str, Mapping[str, int]]
"""The words of fields that are enums, by the names of the fields."""


class FilterError(ValueError):
    """What is wrong with a filter or an order, in a sentence."""


def parse_filter(text: str, enums: Enums) -> Expression | None:
    """Return what a filter says, None when it says nothing; raise `FilterError`."""
    if len(text) > MAX_CHARACTERS:
        raise FilterError(f"{len(text)} characters, at most {MAX_CHARACTERS}; shorten it")
    if not text.strip():
        return None
    return _Parser(_tokens(text), enums).whole()


def parse_order(text: str) -> tuple[Order, ...]:
    """Return what an order such as `priority desc, name` says (AIP-132); raise `FilterError`."""
    orders = []
    for part in filter(None, map(str.strip, text.split(","))):
        field, _, way = part.partition(" ")
        if field not in SORTABLE or way.strip() not in ("", "asc", "desc"):
            known = ", ".join(sorted(SORTABLE))
            raise FilterError(
                f"{_shown(part)}: use one of {known}, and `desc` behind it for downwards"
            )
        orders.append(Order(field, way.strip() == "desc"))
    if len(orders) > MAX_ORDERS:
        raise FilterError(f"{len(orders)} fields, at most {MAX_ORDERS}")
    return tuple(orders)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"cannot be read from {_shown(text[at : at + 20])} on")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Parser:
    """One filter being read, from left to right."""

    def __init__(self, tokens: list[tuple[str, str]], enums: Enums) -> None:
        self._tokens = tokens
        self._enums = enums
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        found = self._sequence()
        if self._at < len(self._tokens):
            raise FilterError(f"{_shown(self._tokens[self._at][1])} is not expected there")
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _passed(self, *tokens: tuple[str, str]) -> bool:
        found = self._peek() in tokens
        self._at += found
        return found

    def _sequence(self) -> Expression:
        parts = [self._factor()]
        while self._peek() not in (("", ""), ("sign", ")")):
            self._passed(("word", "AND"))
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), every=True)

    def _factor(self) -> Expression:
        parts = [self._term()]
        while self._passed(("word", "OR")):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Junction(tuple(parts), every=False)

    def _term(self) -> Expression:
        if self._passed(("word", "NOT"), ("sign", "-")):
            return Negation(self._simple())
        return self._simple()

    def _simple(self) -> Expression:
        if not self._passed(("sign", "(")):
            return self._condition()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"more than {MAX_DEPTH} parentheses are open")
        found = self._sequence()
        if not self._passed(("sign", ")")):
            raise FilterError("a parenthesis is not closed")
        self._depth -= 1
        return found

    def _condition(self) -> Expression:
        kind, field = self._take()
        if kind != "word" or field in ("AND", "OR", "NOT"):
            raise FilterError(f"a field is expected in place of {_shown(field or 'the end')}")
        _, operator = self._take()
        if operator not in _OPERATORS:
            raise FilterError(f"one of = != < <= > >= : is expected behind {_shown(field)}")
        kind, text = self._take()
        if kind not in ("word", "text"):
            raise FilterError(f"a value is expected behind {field} {operator}")
        if kind == "text":
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        if field == "labels" and operator == ":":
            return Condition(_LABEL + text, "=", "*")
        return Condition(field, operator, self._value(field, operator, text))

    def _value(self, field: str, operator: str, text: str) -> Value:
        if field in _TEXTS or (field.startswith(_LABEL) and field != _LABEL):
            return text
        if operator == ":":
            raise FilterError(f"`:` is for labels and texts, not for {field!r}; use =")
        if field in self._enums:
            return _word(field, text, self._enums[field])
        if field in _NUMBERS:
            return _number(field, text)
        if field in _TIMES:
            return _time(field, text)
        known = sorted(_TEXTS | _NUMBERS | _TIMES | set(self._enums))
        raise FilterError(f"{field!r} is no field; use {', '.join(known)} or labels.KEY")


def _word(field: str, text: str, words: Mapping[str, int]) -> int:
    if text.upper() not in words:
        raise FilterError(f"{_shown(text)} is no value of {field}")
    return words[text.upper()]


def _number(field: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise FilterError(f"{field} is a whole number, {_shown(text)} is none")
    return int(text)


def _time(field: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FilterError(
            f'{field}: write "2026-11-21" or "2026-11-21T08:00:00Z" for {_shown(text)}'
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shown(text: str) -> str:
    """A word of a filter as errors repeat it: people look for addresses, and errors are logged."""
    return "'<address>'" if "@" in text else repr(text)
