"""Which local parts name a function instead of a person (RFC 2142 and common use)."""

from collections.abc import Mapping

_SEPARATORS = str.maketrans("", "", ".-_")
_SHORTEST_NUMBERED = 4
"""`info2` and `sales01` are functions; `pa2` or `ad7` may be anybody."""
_LONGEST_NUMBER = 2
"""More digits are a year or part of a person's chosen name."""


class RoleWords:
    """Words for functions, and how they may be put together."""

    def __init__(self, tables: Mapping[str, frozenset[str]]) -> None:
        """`tables` are those of `data/roles.toml`; its head says what each means."""
        self._functions = frozenset(row.translate(_SEPARATORS) for row in tables["functions"])
        names = frozenset(row.translate(_SEPARATORS) for row in tables["names"])
        self._exact = self._functions | names
        self._beside = tables["beside"]
        self._particles = tables["leading"]
        self._after = tuple(tables["affixes_after"])
        self._before = tuple(tables["affixes_before"])

    def is_role(self, name: str) -> bool:
        """Whether a local part, in lower case and without subaddress, names a function.

        Where in doubt the answer is no: a person must never be called a role.
        """
        if name in self._exact:
            return True
        if "." in name or "-" in name or "_" in name:
            return self._is_compound(name.replace("-", ".").replace("_", ".").split("."))
        return self._is_joined(name)

    def _is_compound(self, parts: list[str]) -> bool:
        """`sales-eu`, `no-reply`, `info.de`; never `s.ales`, whose first part is an initial."""
        if "".join(parts) in self._exact and min(map(len, parts)) > 1:
            return True
        if parts[0] in self._particles:
            return False
        has_function = False
        for part in parts:
            if part in self._functions:
                has_function = True
            elif part not in self._beside and not part.isdigit():
                return False
        return has_function

    def _is_joined(self, word: str) -> bool:
        if word in self._exact:
            return True
        if word[-1:].isdigit():
            return self._is_numbered(word)
        if word.endswith(self._after) and any(
            word.removesuffix(affix) in self._functions for affix in self._after
        ):
            return True
        return word.startswith(self._before) and any(
            word.removeprefix(affix) in self._functions for affix in self._before
        )

    def _is_numbered(self, word: str) -> bool:
        stem = word.rstrip("0123456789")
        return (
            len(stem) >= _SHORTEST_NUMBERED
            and len(word) - len(stem) <= _LONGEST_NUMBER
            and stem in self._functions
        )
