"""How an address that is to be erased is recognised, in any place where it may stand."""

import re
from typing import NamedTuple, Protocol

from mailvet.model.address import Address, SyntaxFault
from mailvet.model.batch import ResultRow
from mailvet.model.status import Deduplication
from mailvet.store.erasing import ERASED_TEXT
from mailvet.syntax import duplicate_key, parse

_BEFORE = r"(?<![\w.!#$%&'*+/=?^`{|}~-])"
"""What makes the local part of an address longer to the left (RFC 5322 3.2.3)."""
_AFTER = r"(?![\w-]|\.\w)"
"""What makes its domain longer to the right; a full stop at the end of a sentence does not."""


class ResultCleaner(Protocol):
    """Who can read results and write them again: the wire."""

    def erased(self, row: ResultRow) -> ResultRow:
        """See `store.erasing.Wanted`."""
        ...

    def without(self, row: ResultRow, found: "re.Pattern[str]") -> ResultRow:
        """Return a result with `ERASED_TEXT` where the pattern was; itself when it was nowhere."""
        ...


class WantedAddress(NamedTuple):
    """An address that is to go, its case aside: nobody has two mailboxes that differ in it only."""

    domain: str
    spellings: tuple[str, ...]
    key: str
    pattern: "re.Pattern[str]"
    cleaner: ResultCleaner

    def is_it(self, text: str) -> bool:
        """See `store.erasing.Wanted`."""
        parsed = parse(text)
        return not isinstance(parsed, SyntaxFault) and _key(parsed) == self.key

    def mentions(self, text: str) -> bool:
        """See `store.erasing.Wanted`."""
        return "@" in text and self.pattern.search(text) is not None

    def cleaned(self, text: str) -> str:
        """See `store.erasing.Wanted`."""
        return self.pattern.sub(ERASED_TEXT, text) if "@" in text else text

    def erased(self, row: ResultRow) -> ResultRow:
        """See `store.erasing.Wanted`."""
        return self.cleaner.erased(row)

    def without(self, row: ResultRow) -> ResultRow:
        """See `store.erasing.Wanted`."""
        return self.cleaner.without(row, self.pattern)


def wanted_address(address: Address, cleaner: ResultCleaner) -> WantedAddress:
    """Return an address as the store looks for it."""
    key = _key(address)
    spellings = tuple(dict.fromkeys(text.lower() for text in (key, address.mailbox, address.email)))
    either = "|".join(map(re.escape, spellings))
    pattern = re.compile(f"{_BEFORE}(?:{either}){_AFTER}", re.IGNORECASE)
    return WantedAddress(address.domain.ascii, spellings, key, pattern, cleaner)


def _key(address: Address) -> str:
    return duplicate_key(address, Deduplication.SAFE).lower()
