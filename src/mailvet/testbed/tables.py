"""Reading typed fields out of a TOML table, with errors that name the path of what is wrong."""

import itertools
import re
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


class WorldError(ValueError):
    """A world file that cannot work; the message starts with the path inside the file."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}" if path else problem)


def expand(text: str) -> Iterator[str]:
    """Yield `user0`, `user1`, `user2` for `user{0..2}`; several ranges give every combination."""
    parts = _RANGE.split(text)
    fixed, lows, highs = parts[0::3], parts[1::3], parts[2::3]
    ranges = [range(int(low), int(high) + 1) for low, high in zip(lows, highs, strict=True)]
    for numbers in itertools.product(*ranges):
        tail = "".join(f"{n}{rest}" for n, rest in zip(numbers, fixed[1:], strict=True))
        yield fixed[0] + tail


class Table:
    """One TOML table that knows its path and which of its keys were asked for."""

    def __init__(self, fields: object, path: str) -> None:
        if not isinstance(fields, dict):
            raise WorldError(path, f"must be a table, not {_kind(fields)}")
        self.path = path
        self._fields: dict[str, object] = fields
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        """The path of one key, for messages."""
        return f"{self.path}.{key}" if self.path else key

    def get(self, key: str, kind: type[T], default: T) -> T:
        """The value of an optional key, checked to be a `kind`; whole numbers pass as floats."""
        self._asked.add(key)
        value = self._fields.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise WorldError(self.at(key), f"must be {_name(kind)}, not {_kind(value)}")
        return value

    def need(self, key: str, kind: type[T]) -> T:
        """The value of a key that must be there."""
        if key not in self._fields:
            raise WorldError(self.at(key), f"is missing; it must be {_name(kind)}")
        return self.get(key, kind, kind())

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts with every `{0..9}` range expanded; a single text counts as a list."""
        value = self.get(key, object, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise WorldError(self.at(key), f"must be a list of texts, not {_kind(value)}")
        for at, item in enumerate(items):
            if not isinstance(item, str):
                raise WorldError(f"{self.at(key)}[{at}]", f"must be a text, not {_kind(item)}")
        return tuple(text for item in items for text in expand(item))

    def table(self, key: str) -> "Table":
        """A table inside this one; empty when the key is missing."""
        return Table(self.get(key, object, {}), self.at(key))

    def tables(self, key: str) -> "Iterator[Table]":
        """The tables of an array of tables (`[[key]]`)."""
        items = self.get(key, object, [])
        if not isinstance(items, list):
            raise WorldError(self.at(key), f"must be an array of tables, write [[{key}]]")
        for at, item in enumerate(items):
            yield Table(item, f"{self.at(key)}[{at}]")

    def rest(self) -> dict[str, object]:
        """Every field, as it stands."""
        self._asked.update(self._fields)
        return dict(self._fields)

    def refuse_unknown(self) -> None:
        """Raise for the first key nobody asked for: mostly a typing error."""
        for key in self._fields:
            if key not in self._asked:
                raise WorldError(
                    self.at(key), f"is not known here; known keys: {', '.join(sorted(self._asked))}"
                )


def _name(kind: type) -> str:
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, "a value")


def _kind(value: object) -> str:
    return _name(type(value)) if not isinstance(value, list | dict) else f"a {type(value).__name__}"
