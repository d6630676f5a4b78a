"""What the state of what is kept allows: the same rules, in the same words, for every store."""

from collections.abc import Sequence
from dataclasses import replace

import google_crc32c

from mailvet.errors import EtagMismatch, NotFound, OffsetGap, RequestIdReused, WrongState
from mailvet.model.batch import Batch, Entry, ResultFilter, UploadedFile
from mailvet.model.ruling import TenantRules
from mailvet.model.status import BatchState
from mailvet.store.base import Created
from mailvet.store.steering import DRAFT_FIELDS, SpecChanges

AHEAD_BYTES = 1024 * 1024
"""Where pages that are read at once end: what one reader holds, but for its last page."""


def replay(batch: Batch, request_id: str, *, same: bool) -> Created:
    """Return the batch an earlier call made; `RequestIdReused` unless it asked for the same."""
    if not same:
        raise RequestIdReused(
            f"request_id {request_id!r} was used for another request; choose a new one",
            request_id=request_id,
        )
    return Created(batch, replayed=True)


def new_entries(batch: Batch, offset: int | None, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return those entries of an upload that the batch does not keep yet.

    Raises `WrongState` and `OffsetGap` as `Store.append_entries` says.
    """
    kept = batch.entry_count
    start = kept if offset is None else offset
    if start + len(entries) <= kept:
        return ()
    require_draft(batch)
    if start > kept:
        raise OffsetGap(start, kept)
    return entries[kept - start :]


def opened_upload(batch: Batch, kept: UploadedFile | None, name: str, options: str) -> UploadedFile:
    """Return a batch's file as it is when an upload begins or goes on.

    Raises `WrongState` as `Store.open_upload` says.
    """
    if kept is None:
        require_draft(batch)
        if batch.entry_count:
            raise WrongState(
                batch.batch_id, "filled already", "no entries", "upload the file to another batch"
            )
        return UploadedFile(name, options)
    return kept if kept.reading else kept._replace(name=name, options=options)


def new_bytes(batch: Batch, kept: UploadedFile, offset: int, data: bytes) -> bytes:
    """Return those bytes of an upload that are not kept yet.

    Raises `WrongState` and `OffsetGap` as `Store.append_upload` says.
    """
    if kept.reading and offset + len(data) > kept.size:
        raise WrongState(
            batch.batch_id, "made of a file already", "no file", "upload this one to another batch"
        )
    if offset > kept.size:
        raise OffsetGap(offset, kept.size)
    return data[kept.size - offset :]


def grown(kept: UploadedFile, new: bytes) -> UploadedFile:
    """Return a file with more bytes behind those that are kept."""
    crc32c = google_crc32c.extend(kept.crc32c, new)
    return kept._replace(size=kept.size + len(new), crc32c=crc32c)


def require_upload(batch: Batch, kept: UploadedFile | None) -> UploadedFile:
    """Return a batch's file, or raise `NotFound`."""
    if kept is None:
        raise NotFound("file", batch.batch_id)
    return kept


def require_launchable(batch: Batch) -> None:
    """Raise `WrongState` unless a batch is a DRAFT with entries."""
    require_draft(batch)
    if not batch.entry_count:
        raise WrongState(batch.batch_id, "empty", "at least one entry", "add entries first")


def require_deletable(batch: Batch, *, force: bool) -> None:
    """Raise `WrongState` when a batch has work left and that was not foreseen."""
    if batch.state in (BatchState.RUNNING, BatchState.PAUSED) and not force:
        raise WrongState(
            batch.batch_id,
            batch.state.name,
            "a batch without work left",
            "cancel it first, or delete with force",
        )


def require_pausable(batch: Batch) -> None:
    """Raise `WrongState` unless a batch is RUNNING."""
    if batch.state is not BatchState.RUNNING:
        raise WrongState(
            batch.batch_id, batch.state.name, BatchState.RUNNING.name, "there is no work to pause"
        )


def require_resumable(batch: Batch) -> None:
    """Raise `WrongState` unless a batch is PAUSED."""
    if batch.state is not BatchState.PAUSED:
        way_out = "launch it" if batch.state is BatchState.DRAFT else "create another batch"
        raise WrongState(batch.batch_id, batch.state.name, BatchState.PAUSED.name, way_out)


def require_changeable(batch: Batch, changes: SpecChanges) -> None:
    """Raise `WrongState` when what is to be changed was fixed by the launch."""
    if not DRAFT_FIELDS.isdisjoint(changes):
        require_draft(batch)


def require_etag(batch: Batch, etag: str) -> None:
    """Raise `EtagMismatch` when a batch is not as the caller has seen it; "" is any."""
    if etag not in ("", batch.etag):
        raise EtagMismatch(batch.etag)


def require_index(batch: Batch, index: int) -> None:
    """Raise `NotFound` when a batch has no entry of that index."""
    if not 0 <= index < batch.entry_count:
        raise NotFound("entry", f"{batch.batch_id}/{index}")


def can_end(batch: Batch) -> bool:
    """Whether a batch has not ended yet."""
    return batch.state in (BatchState.DRAFT, BatchState.RUNNING, BatchState.PAUSED)


def passes(where: ResultFilter, status: int, classification: int) -> bool:
    """Whether a filter lets a result of this status and classification through."""
    return (
        (not where.classifications or classification in where.classifications)
        and classification not in where.exclude_classifications
        and (not where.statuses or status in where.statuses)
        and status not in where.exclude_statuses
    )


def require_draft(batch: Batch) -> None:
    """Raise `WrongState` unless a batch is a DRAFT."""
    if batch.state is not BatchState.DRAFT:
        way_out = "resume it" if batch.state is BatchState.PAUSED else "create another batch"
        raise WrongState(batch.batch_id, batch.state.name, BatchState.DRAFT.name, way_out)


def next_revision(
    kept: TenantRules, new: TenantRules, *, over: int | None, now: float
) -> TenantRules:
    """Return rules as they are kept in place of others, or raise `EtagMismatch`."""
    if over is not None and over != kept.revision:
        raise EtagMismatch(kept.etag)
    return replace(new, revision=kept.revision + 1, update_time=now)
