"""BatchService: create, fill, launch, watch, cancel, delete."""

from typing import Any

from mailvet.batches.lifecycle import Batches
from mailvet.batches.limits import MAX_WAIT_S, MIN_HEARTBEAT_S
from mailvet.batches.prepare import Preparation
from mailvet.batches.watch import Observer
from mailvet.callbacks.url import UrlRules
from mailvet.rpc import decode, upload_stream
from mailvet.rpc.call import GOING_AWAY_DELAY_S, Call
from mailvet.rpc.decode_changes import preparing, spec_changes
from mailvet.rpc.decode_list import batch_page
from mailvet.rpc.encode import duration, encode_batch, encode_progress
from mailvet.rpc.exports import Exports
from mailvet.rpc.file_stream import FileUploads
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import upload_file_pb2 as file_pb

_MARGIN_S = 0.25
"""The way back to the caller."""


class BatchService:
    """Answers the methods of mailvet.v1.BatchService."""

    def __init__(
        self,
        batches: Batches,
        observer: Observer,
        exports: Exports,
        files: FileUploads,
        preparation: Preparation,
        *,
        callback_rules: UrlRules,
        min_heartbeat_s: float = MIN_HEARTBEAT_S,
    ) -> None:
        self._batches = batches
        self._observer = observer
        self._exports = exports
        self._files = files
        self._preparation = preparation
        self._callback_rules = callback_rules
        self._min_heartbeat_s = min_heartbeat_s

    async def create_batch(
        self, request: pb.CreateBatchRequest, call: Call[pb.CreateBatchRequest]
    ) -> pb.CreateBatchResponse:
        """Create a batch."""
        new = decode.new_batch(request, self._callback_rules, call.caller.key_id)
        wait_s = self._wait_s(request, call)
        standing = await self._batches.create(call.tenant, new)
        if wait_s > 0 and new.launch and not new.validate_only:
            standing = await self._batches.get(
                call.tenant, standing.batch.batch_id, wait_s=wait_s, drain=call.drain
            )
        return pb.CreateBatchResponse(batch=encode_batch(standing))

    async def add_entries(
        self, request: pb.AddEntriesRequest, call: Call[pb.AddEntriesRequest]
    ) -> pb.AddEntriesResponse:
        """Append entries."""
        chunk = decode.added_entries(request)
        count = await self._batches.add(call.tenant, request.batch_id, chunk)
        return pb.AddEntriesResponse(entry_count=count)

    async def stream_entries(self, _request: None, call: Call[pb.StreamEntriesRequest]) -> None:
        """Append frames of entries, each acknowledged when it is durable."""
        await upload_stream.receive(self._batches, call)

    async def add_file(
        self, request: file_pb.AddFileRequest, call: Call[file_pb.AddFileRequest]
    ) -> file_pb.AddFileResponse:
        """Append the addresses in a small file."""
        return await self._files.add(request, call.tenant)

    async def upload_file(self, _request: None, call: Call[file_pb.UploadFileRequest]) -> None:
        """Append the addresses in a file that comes in frames."""
        await self._files.receive(call)

    async def launch_batch(
        self, request: pb.LaunchBatchRequest, call: Call[pb.LaunchBatchRequest]
    ) -> pb.LaunchBatchResponse:
        """Start the work."""
        standing = await self._batches.launch(call.tenant, request.batch_id, etag=request.etag)
        return pb.LaunchBatchResponse(batch=encode_batch(standing))

    async def prepare_batch(
        self, request: pb.PrepareBatchRequest, call: Call[pb.PrepareBatchRequest]
    ) -> pb.PrepareBatchResponse:
        """Clean a draft up."""
        asked = preparing(request)
        prepared = await self._preparation.prepare(
            call.tenant, request.batch_id, asked, etag=request.etag
        )
        counts = prepared.counts
        standing = await self._batches.look(call.tenant, request.batch_id)
        return pb.PrepareBatchResponse(
            batch=encode_batch(standing),
            entry_count=prepared.batch.entry_count,
            unique_count=counts.unique,
            duplicate_count=counts.duplicates,
            wrong_format_count=counts.wrong,
            cost_units=prepared.cost,
            wrong_phone_count=counts.wrong_phone,
            removed_phone_count=counts.removed_phone,
            removed_count=prepared.removed,
        )

    async def pause_batch(
        self, request: pb.PauseBatchRequest, call: Call[pb.PauseBatchRequest]
    ) -> pb.PauseBatchResponse:
        """Hand out no more work."""
        standing = await self._batches.pause(call.tenant, request.batch_id, etag=request.etag)
        return pb.PauseBatchResponse(batch=encode_batch(standing))

    async def resume_batch(
        self, request: pb.ResumeBatchRequest, call: Call[pb.ResumeBatchRequest]
    ) -> pb.ResumeBatchResponse:
        """Go on with the work."""
        standing = await self._batches.resume(call.tenant, request.batch_id, etag=request.etag)
        return pb.ResumeBatchResponse(batch=encode_batch(standing))

    async def update_batch(
        self, request: pb.UpdateBatchRequest, call: Call[pb.UpdateBatchRequest]
    ) -> pb.UpdateBatchResponse:
        """Change settings."""
        changes = spec_changes(request, self._callback_rules)
        batch = request.batch
        standing = await self._batches.update(call.tenant, batch.batch_id, changes, etag=batch.etag)
        return pb.UpdateBatchResponse(batch=encode_batch(standing))

    async def cancel_batch(
        self, request: pb.CancelBatchRequest, call: Call[pb.CancelBatchRequest]
    ) -> pb.CancelBatchResponse:
        """Stop the work for good."""
        standing = await self._batches.cancel(call.tenant, request.batch_id)
        return pb.CancelBatchResponse(batch=encode_batch(standing))

    async def get_batch(
        self, request: pb.GetBatchRequest, call: Call[pb.GetBatchRequest]
    ) -> pb.GetBatchResponse:
        """Return a batch, at once or when it ended."""
        wait_s = self._wait_s(request, call)
        standing = await self._batches.get(
            call.tenant, request.batch_id, wait_s=wait_s, drain=call.drain
        )
        return pb.GetBatchResponse(batch=encode_batch(standing))

    def _wait_s(
        self, request: pb.GetBatchRequest | pb.CreateBatchRequest, call: Call[Any]
    ) -> float:
        """For how long a call may wait for the end of a batch: a little less than its deadline,
        for the newest state beats DEADLINE_EXCEEDED."""
        return min(decode.wait_s(request), call.budget_s(MAX_WAIT_S) - _MARGIN_S)

    async def list_batches(
        self, request: pb.ListBatchesRequest, call: Call[pb.ListBatchesRequest]
    ) -> pb.ListBatchesResponse:
        """List batches."""
        asked = batch_page(request)
        standings, following, previous = await self._batches.page(call.tenant, asked)
        return pb.ListBatchesResponse(
            batches=map(encode_batch, standings),
            next_page_token=following,
            previous_page_token=previous,
        )

    async def watch_batch(
        self, request: pb.WatchBatchRequest, call: Call[pb.WatchBatchRequest]
    ) -> None:
        """Stream the newest progress until the batch ended."""
        heartbeat_s = decode.heartbeat_s(request, self._min_heartbeat_s)
        batch = await self._batches.find(call.tenant, request.batch_id)
        watch = self._observer.watch(batch, heartbeat_s=heartbeat_s, drain=call.drain)
        whole = True
        while True:
            frame = await watch.next()
            whole = whole or frame.done or frame.going_away
            await call.write(
                pb.WatchBatchResponse(
                    batch=encode_batch(frame.standing) if whole else None,
                    progress=encode_progress(frame.standing),
                    done=frame.done,
                    going_away=_going_away() if frame.going_away else None,
                )
            )
            whole = False
            if frame.done:
                return
            if frame.going_away:
                raise call.going_away()

    async def delete_batch(
        self, request: pb.DeleteBatchRequest, call: Call[pb.DeleteBatchRequest]
    ) -> pb.DeleteBatchResponse:
        """Erase a batch."""
        count = await self._batches.delete(
            call.tenant,
            request.batch_id,
            force=request.force,
            allow_missing=request.allow_missing,
            etag=request.etag,
            forget=request.forget_answers,
        )
        self._exports.forget(call.tenant, request.batch_id)
        return pb.DeleteBatchResponse(deleted_entry_count=count)


def _going_away() -> batch_pb.GoingAway:
    return batch_pb.GoingAway(retry_delay=duration(GOING_AWAY_DELAY_S))
