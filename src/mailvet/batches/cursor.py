"""Cursors and page tokens: places in a list that callers carry, and cannot forge.

Both are 64 ASCII characters: epoch, batch, position and the hash of what they are bound to,
signed with the store's secret. A cursor says nothing that its owner does not know.
"""

import base64
import binascii
import struct
from collections.abc import Iterable
from enum import IntEnum
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from mailvet.errors import BadCursor, BadPageToken, CursorEpochPassed
from mailvet.model.batch import ResultFilter

_PLACE = struct.Struct(">BqqQ8s")
_MAC_BYTES = 15
"""With the 33 bytes before it a multiple of three, so that base64 has no bits to spare."""
MARK_SIZE = (_PLACE.size + _MAC_BYTES) // 3 * 4
"""Characters of every cursor and page token."""


class Kind(IntEnum):
    """What a place is a place in."""

    RESULT_CURSOR = 1
    RESULT_PAGE = 2
    BATCH_PAGE = 3
    USAGE_PAGE = 4
    KEY_PAGE = 5
    AUDIT_PAGE = 6


class Place(NamedTuple):
    """A place in one list as one request sees it."""

    kind: Kind
    batch_key: int
    position: int
    binding: bytes
    """Hash of the parts of the request that decide what the list holds."""


class Marks:
    """Writes and reads places; `secret` and `epoch` are the store's."""

    def __init__(self, secret: bytes, epoch: int) -> None:
        self._keyed = blake2b(key=secret, digest_size=_MAC_BYTES, person=b"place")
        self._epoch = epoch

    def write(self, place: Place) -> str:
        """Return the place as text for the caller."""
        packed = _PLACE.pack(
            place.kind, self._epoch, place.batch_key, place.position, place.binding
        )
        return base64.urlsafe_b64encode(packed + self._sign(packed)).decode("ascii")

    def read(self, text: str, kind: Kind, batch_key: int, binding: bytes) -> int:
        """Return the position that `text` carries.

        Raises `BadCursor` (`BadPageToken` for the page kinds) when it is damaged or of another
        batch or filter, `CursorEpochPassed` when the store was restored since.
        """
        packed = self._verified(text)
        place = _PLACE.unpack(packed) if packed else None
        refusal = BadCursor if kind is Kind.RESULT_CURSOR else BadPageToken
        if place is None or place[0] != kind:
            raise refusal("it is damaged; start again without it")
        _, epoch, found_key, position, found_binding = place
        if found_key != batch_key:
            raise refusal("it belongs to another batch; start again without it")
        if epoch != self._epoch:
            raise CursorEpochPassed(
                "the store was restored from a backup since; start again without it"
            )
        if found_binding != binding:
            raise refusal("it belongs to another request; keep all other fields the same")
        return int(position)

    def _verified(self, text: str) -> bytes | None:
        try:
            raw = base64.urlsafe_b64decode(text.encode("ascii"))
        except (ValueError, binascii.Error):
            return None
        packed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        # base64 ignores characters it does not know: only the exact text is the cursor.
        if len(packed) != _PLACE.size or base64.urlsafe_b64encode(raw) != text.encode("ascii"):
            return None
        return packed if compare_digest(mac, self._sign(packed)) else None

    def _sign(self, packed: bytes) -> bytes:
        # A copy of the keyed state saves hashing the key once more for every frame.
        state = self._keyed.copy()
        state.update(packed)
        return state.digest()


def binding_of(*parts: str | Iterable[int]) -> bytes:
    """Return the hash of what a place is bound to; sets of numbers count in any order."""
    canonical = "\x1f".join(
        part if isinstance(part, str) else ",".join(map(str, sorted(part))) for part in parts
    )
    return blake2b(canonical.encode(), digest_size=8).digest()


def filter_binding(tenant: str, where: ResultFilter | None) -> bytes:
    """Return the binding of a place among results: the filter, not how much of each is sent."""
    where = where or ResultFilter()
    return binding_of(
        tenant,
        where.classifications,
        where.exclude_classifications,
        where.statuses,
        where.exclude_statuses,
    )
