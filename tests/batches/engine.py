"""Plays the engine: claims entries and answers them, without looking at the addresses."""

from collections.abc import Callable

from mailvet.model.batch import Claim, Deferral, ResultRow, Settlement, WorkEntry
from mailvet.model.result import Evidence, Result, SmtpEvidence
from mailvet.model.status import EntryStatus, classification_of
from mailvet.rpc.encode import encode_result
from mailvet.store.base import Store

Choose = Callable[[int], EntryStatus]


def always_success(_index: int) -> EntryStatus:
    """The status of every entry."""
    return EntryStatus.SUCCESS


def every_third_missing(index: int) -> EntryStatus:
    """A mix of statuses, by entry index."""
    return EntryStatus.SUCCESS if index % 3 else EntryStatus.MAILBOX_DOES_NOT_EXIST


def answer(entry: WorkEntry, status: EntryStatus, text: str = "250 2.1.5 Ok") -> ResultRow:
    """One entry's result row."""
    evidence = Evidence(
        mailbox=SmtpEvidence(
            stage="RCPT", host="mx.example.net", address="192.0.2.1", code=250, text=text
        )
    )
    return encode_result(
        Result(
            index=entry.entry_index,
            input_data=entry.input_data,
            custom=entry.custom,
            status=status,
            classification=classification_of(status),
            complete_time=1_700_000_000.5,
            email_address=entry.input_data,
            local_part=entry.input_data.partition("@")[0],
            mx_hosts=("mx.example.net",),
            evidence=evidence,
        )
    )


async def work(
    store: Store, most: int | None = None, *, choose: Choose = always_success, a_time: int = 50
) -> int:
    """Answer up to `most` entries (all, when None) of launched batches; return how many.

    `a_time` entries are committed together; what is left of a chunk can be claimed again.
    """
    await store.plan_launched()
    answered = 0
    while most is None or answered < most:
        claims = await store.claim("player", max_entries=1)
        if not claims:
            break
        for claim in claims:
            left = None if most is None else max(0, most - answered)
            answered += await _work_on(store, claim, left, choose, a_time)
    return answered


async def _work_on(
    store: Store, claim: Claim, most: int | None, choose: Choose, a_time: int
) -> int:
    taken, given_back = claim.entries[:most], claim.entries[len(claim.entries[:most]) :]
    for start in range(0, len(taken), a_time):
        rows = [answer(entry, choose(entry.entry_index)) for entry in taken[start : start + a_time]]
        await store.settle([Settlement(claim, rows, [])])
    if given_back:
        indexes = tuple(entry.entry_index for entry in given_back)
        await store.settle([Settlement(claim, [], [Deferral(indexes, 0.0)])])
    return len(taken)


async def postpone(store: Store, run_at: float) -> int:
    """Put every entry that can be claimed off until `run_at`; return how many."""
    await store.plan_launched()
    postponed = 0
    while claims := await store.claim("player", max_entries=1000):
        for claim in claims:
            indexes = tuple(entry.entry_index for entry in claim.entries)
            await store.settle([Settlement(claim, [], [Deferral(indexes, run_at)])])
            postponed += len(indexes)
    return postponed
