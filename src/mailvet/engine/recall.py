"""What was observed of mailboxes of late, for callers who say how old an answer may be.

It is kept in memory, for one tenant each, under a keyed hash of the address: never the address
itself, and never a reply's words, which may name it. Who shares answers has them kept a second
time without a tenant, for all who share; how old they are is told in whole hours, so that nobody
sees what another tenant does just now. What is recalled is judged anew, with the
lists, rules and points of today. Only what an exchanger settled is remembered: an answer that
trying later may change, or that says something about us, is sought again every time.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from mailvet.engine.case import Case, DomainCard
from mailvet.model.address import Address
from mailvet.model.batch import Claim
from mailvet.model.reply import Observation, Reading
from mailvet.model.status import (
    Classification,
    Deduplication,
    EntryStatus,
    QualityLevel,
    classification_of,
)
from mailvet.syntax import duplicate_key, nobody_at

MAX_MEMORIES = 100_000
"""Some 60 MB; the least recently used are forgotten first, and all of them with the process."""

SHARED_STEP_S = 3_600.0
"""Times of shared answers are told in steps of this."""

MAX_AGE_S = 30 * 86_400.0
"""What is older is nobody's answer any more, whatever a caller would take."""


_EVERYBODY = "\0"
"""In place of a tenant; none is called so."""


class Memory(NamedTuple):
    """What was observed of one mailbox."""

    seen: Observation
    reading: Reading | None
    card: DomainCard
    attempts: int
    quality: QualityLevel
    at: float
    """Wall clock, in seconds."""


class Recall:
    """Memories by keyed hash; `wall_clock` is seconds since the epoch."""

    def __init__(
        self, wall_clock: Callable[[], float], *, max_memories: int = MAX_MEMORIES
    ) -> None:
        self._wall_clock = wall_clock
        self._max_memories = max_memories
        self._secret = secrets.token_bytes(32)
        self._memories: OrderedDict[bytes, Memory] = OrderedDict()

    def within(
        self, tenant: str, max_age_s: float, max_shared_age_s: float = 0.0
    ) -> Callable[[Case], bool]:
        """Return what puts into a case what is known of its mailbox, and says whether it did.

        What the tenant got itself comes first.
        """

        def recall(case: Case) -> bool:
            address = _asked(case)
            own = self._find(self._key(tenant, address), case, max_age_s)
            if own is not None:
                _recalled(case, own, own.at)
                return True
            if max_shared_age_s <= 0:
                return False
            shared = self._find(self._key(_EVERYBODY, address), case, max_shared_age_s)
            if shared is None:
                return False
            _recalled(case, shared, shared.at - shared.at % SHARED_STEP_S)
            return True

        return recall

    def _find(self, key: bytes, case: Case, max_age_s: float) -> Memory | None:
        memory = self._memories.get(key)
        if memory is None or max_age_s <= 0 or not self._serves(memory, case, max_age_s):
            return None
        self._memories.move_to_end(key)
        return memory

    def _serves(self, memory: Memory, case: Case, max_age_s: float) -> bool:
        age_s = self._wall_clock() - memory.at
        # Less effort may have missed what more would find, so it does not stand in for it.
        return 0 <= age_s <= min(max_age_s, MAX_AGE_S) and memory.quality >= case.quality

    def remember(
        self,
        tenant: str,
        case: Case,
        status: EntryStatus,
        *,
        may_change: bool,
        shared: bool = False,
    ) -> None:
        """Remember a case that was just answered with a status, if its answer is settled.

        With `shared` for everybody who shares, too.
        """
        seen, card = case.seen, case.card
        if (
            may_change
            or seen is None
            or seen.reply is None
            or case.address is None
            or card is None
            or case.remembered_at is not None
            or classification_of(status) is Classification.UNKNOWN
        ):
            return
        address = _asked(case)
        memory = Memory(
            seen=seen._replace(reply=seen.reply._replace(text="")),
            reading=case.reading,
            card=card.snapshot(),
            attempts=case.attempt + (1 if case.visits else 0),
            quality=case.quality,
            at=self._wall_clock(),
        )
        self._memories[self._key(tenant, address)] = memory
        if shared:
            self._memories[self._key(_EVERYBODY, address)] = memory
        while len(self._memories) > self._max_memories:
            self._memories.popitem(last=False)

    def forget(self, tenant: str, address: Address) -> None:
        """Forget what a tenant knows of a mailbox, and what everybody does."""
        self._memories.pop(self._key(tenant, address), None)
        self._memories.pop(self._key(_EVERYBODY, address), None)

    def _key(self, tenant: str, address: Address) -> bytes:
        # SAFE: by looser rules one mailbox would answer for another.
        name = duplicate_key(address, Deduplication.SAFE) if address.local_part else address.email
        text = f"{tenant}\0{name}"
        encoded = text.encode("utf-8", "surrogatepass")
        return blake2b(encoded, digest_size=16, key=self._secret).digest()


def of_claim(recall: Recall, claim: Claim) -> Callable[[Case], bool] | None:
    """Return what recalls for the cases of a claim; None when its batch does not ask for it."""
    if claim.max_age_s <= 0 and claim.max_shared_age_s <= 0:
        return None
    return recall.within(claim.tenant, claim.max_age_s, claim.max_shared_age_s)


def _asked(case: Case) -> Address:
    """The address of a case, or what stands for its domain: what was made up nobody asks again."""
    assert case.address is not None
    return nobody_at(case.address.domain) if case.is_domain else case.address


def _recalled(case: Case, memory: Memory, at: float) -> None:
    case.seen, case.reading, case.card = memory.seen, memory.reading, memory.card
    case.attempt, case.remembered_at = memory.attempts, at
