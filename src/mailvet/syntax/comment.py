"""Comments in parentheses (RFC 5322 3.2.2): recognised, told apart, and never part of a mailbox.

They belong to message headers; RFC 5321 4.1.2 has no place for them.
"""

import re

from mailvet.model.address import SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax.characters import folded

_OUTSIDE = re.compile(r'[()"]')
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_INSIDE = re.compile(r"[()\r\n]|\\", re.DOTALL)


def comment_fault(text: str, index: int, end: int) -> SyntaxFault:
    """Return the fault of the parenthesis at `index`.

    UNBALANCED_COMMENT_PARENTHESIS with the first parenthesis from there on that has no partner
    before `end`; a line break inside a comment counts first. When all are balanced, the comment
    itself is the invalid character. Quoted words and quoted pairs are stepped over,
    an unclosed quoted word to the end.
    """
    open_at: list[int] = []
    position = index
    while found := (_INSIDE if open_at else _OUTSIDE).search(text, position, end):
        position = found.end()
        mark = found.group()
        if mark in "\r\n":
            return folded(found.start())
        if mark == "\\":
            position += 1
        elif mark == '"':
            quoted = _QUOTED.match(text, found.start(), end)
            position = quoted.end() if quoted else end
        elif mark == "(":
            open_at.append(found.start())
        elif open_at:
            open_at.pop()
        else:
            return _unbalanced(found.start(), "closes a comment that was never opened")
    if open_at:
        return _unbalanced(open_at[0], "opens a comment that is never closed")
    reason = "A comment in parentheses is no part of an address; leave it out."
    return SyntaxFault(EntryStatus.INVALID_CHARACTER_IN_SEQUENCE, index, reason)


def _unbalanced(index: int, what: str) -> SyntaxFault:
    reason = f"This parenthesis {what}."
    return SyntaxFault(EntryStatus.UNBALANCED_COMMENT_PARENTHESIS, index, reason)
