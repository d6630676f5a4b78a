"""StreamEntries: frames in, one ack each out, in order, while a few frames wait their turn.

A reader takes frames off the wire, and their entries in, while the ones before are committed; what
waits is committed together. The inbox is bounded, so HTTP/2 flow control holds up a fast sender.
"""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from mailvet.batches.lifecycle import Batches
from mailvet.batches.upload import Taken, Upload
from mailvet.errors import Violations
from mailvet.rpc import decode
from mailvet.rpc.call import Call
from mailvet.rpc.encode import encode_batch
from mailvet.v1 import batch_service_pb2 as pb

FRAMES_WAITING = 4
"""Enough to fill the time of one commit; at most 4 MiB each."""


class _Frame(NamedTuple):
    batch_id: str
    chunk: Taken
    finish: pb.FinishUpload | None


class _Inbox:
    """Frames that were read and not yet committed; None ends them."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._frames: asyncio.Queue[_Frame | None] = asyncio.Queue(FRAMES_WAITING)
        self.upload: Upload | None = None
        """Where they go, from the first one on."""
        self.error: Exception | None = None
        """What was wrong with the frame after the last."""

    async def fill(self, call: Call[pb.StreamEntriesRequest]) -> None:
        """Read frames until the client is done or sent something wrong."""
        try:
            await self._fill(call)
        except Exception as error:  # raised by who answers the call
            self.error = error
        await self._frames.put(None)

    async def _fill(self, call: Call[pb.StreamEntriesRequest]) -> None:
        batch_id = ""
        async for request in call.requests():
            chunk = decode.upload_frame(request, batch_id)
            batch_id = batch_id or request.batch_id
            finish = request.finish if request.HasField("finish") else None
            if self.upload is None:
                self.upload = await self._batches.upload(call.tenant, batch_id)
            taken = await self.upload.take(chunk)
            await self._frames.put(_Frame(batch_id, taken, finish))
            if finish is not None:
                return

    async def take(self) -> tuple[list[_Frame], bool]:
        """Return everything that waits, at least one thing, and whether that was the end."""
        taken = [await self._frames.get()]
        while not self._frames.empty():
            taken.append(self._frames.get_nowait())
        return [frame for frame in taken if frame is not None], taken[-1] is None


async def receive(batches: Batches, call: Call[pb.StreamEntriesRequest]) -> None:
    """Answer one StreamEntries call."""
    inbox = _Inbox(batches)
    reader = asyncio.create_task(inbox.fill(call))
    try:
        await _commit(batches, call, inbox)
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader


async def _commit(batches: Batches, call: Call[pb.StreamEntriesRequest], inbox: _Inbox) -> None:
    ended = False
    while not ended:
        frames, ended = await inbox.take()
        if frames and inbox.upload is not None:
            count = await inbox.upload.keep([frame.chunk for frame in frames])
            for frame in frames:
                await call.write(await _ack(batches, call.tenant, frame, count))
    if inbox.error is not None:
        raise inbox.error


async def _ack(
    batches: Batches, tenant: str, frame: _Frame, count: int
) -> pb.StreamEntriesResponse:
    if frame.finish is None:
        return pb.StreamEntriesResponse(entry_count=count)
    wrong = Violations()
    if frame.finish.HasField("entry_count") and frame.finish.entry_count != count:
        expected = frame.finish.entry_count
        wrong.add(
            "finish.entry_count",
            f"the batch keeps {count} entries, not {expected}; send the rest, or the right count",
        )
    wrong.raise_if_any()
    steer = batches.launch if frame.finish.launch else batches.look
    standing = await steer(tenant, frame.batch_id)
    return pb.StreamEntriesResponse(entry_count=count, batch=encode_batch(standing))
