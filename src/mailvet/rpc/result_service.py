"""ResultService: the answers of a batch, as a log, as pages, one by one."""

from collections.abc import Callable
from functools import partial

from google.protobuf.message import Message

from mailvet.batches import limits
from mailvet.batches.cursor import MARK_SIZE, Kind, Marks, Place, filter_binding
from mailvet.batches.lifecycle import Batches
from mailvet.batches.reading import Following, LogFrame, Results, Want
from mailvet.batches.reverify import Reverification
from mailvet.model.batch import Batch, EntryPlace, ResultFilter, ResultPage
from mailvet.model.status import BatchState
from mailvet.rpc import decode, decode_selection, export_stream, frames
from mailvet.rpc.call import GOING_AWAY_DELAY_S, Call
from mailvet.rpc.encode import duration, encode_batch, encode_progress, timestamp
from mailvet.rpc.encode_summary import encode_summary, names_of
from mailvet.rpc.exports import Exports
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import result_service_pb2 as pb

_CURSOR = frames.field_tag(pb.StreamResultsResponse.CURSOR_FIELD_NUMBER) + frames.varint(MARK_SIZE)
"""What comes before every cursor in a frame."""
_ONE = pb.GetResultResponse.RESULT_FIELD_NUMBER


class ResultService:
    """Answers the methods of mailvet.v1.ResultService."""

    def __init__(
        self,
        batches: Batches,
        results: Results,
        marks: Marks,
        exports: Exports,
        reverification: Reverification,
        *,
        min_heartbeat_s: float = limits.MIN_HEARTBEAT_S,
    ) -> None:
        self._batches = batches
        self._results = results
        self._marks = marks
        self._exports = exports
        self._reverification = reverification
        self._min_heartbeat_s = min_heartbeat_s

    async def stream_results(
        self, request: pb.StreamResultsRequest, call: Call[pb.StreamResultsRequest]
    ) -> None:
        """Stream the log from a cursor on."""
        asked = decode.result_stream(request, self._min_heartbeat_s)
        batch = await self._batches.find(call.tenant, request.batch_id)
        binding = filter_binding(call.tenant, asked.where)
        sequence = self._place(request.cursor, Kind.RESULT_CURSOR, batch, binding)

        def cursor(sequence: int) -> str:
            return self._marks.write(Place(Kind.RESULT_CURSOR, batch.key, sequence, binding))

        want = _want(asked.where, asked.view, asked.max_results, limits.MAX_FRAME_BYTES)
        want = want._replace(seal=lambda sequence: _CURSOR + cursor(sequence).encode("ascii"))
        how = Following(asked.follow, asked.heartbeat_s, call.drain)
        log = self._results.log(batch, sequence, want, how)
        try:
            while (frame := log.at_hand() or await log.next()) is not None:
                if isinstance(frame, bytes):
                    await call.write(frame)
                    continue
                await call.write(_frame(frame, asked.view, cursor))
                if frame.going_away:
                    raise call.going_away()
        finally:
            log.close()

    async def list_results(
        self, request: pb.ListResultsRequest, call: Call[pb.ListResultsRequest]
    ) -> bytes:
        """Return one page of the log."""
        asked = decode.listed_results(request)
        batch = await self._batches.find(call.tenant, request.batch_id)
        binding = filter_binding(call.tenant, asked.where)
        sequence = self._place(request.page_token, Kind.RESULT_PAGE, batch, binding)
        want = _want(asked.where, asked.view, asked.page_size, limits.MAX_PAGE_BYTES)
        page = await self._results.page(batch, sequence, want)
        place = Place(Kind.RESULT_PAGE, batch.key, page.sequence, binding)
        rest = pb.ListResultsResponse()
        if not page.caught_up:
            rest.next_page_token = self._marks.write(place)
        if sequence:
            before = await self._results.page_start(batch, sequence, want)
            rest.previous_page_token = self._marks.write(place._replace(position=before))
        return _response(page, asked.view, rest)

    async def get_result(
        self, request: pb.GetResultRequest, call: Call[pb.GetResultRequest]
    ) -> bytes:
        """Return where one entry stands."""
        view = decode.one_result(request)
        index = request.index
        if request.custom:
            index = await self._results.find(call.tenant, request.batch_id, request.custom)
        place = await self._results.of(call.tenant, request.batch_id, index)
        row, next_attempt_at = place
        rest = pb.GetResultResponse(
            state=await self._entry_state(call.tenant, request.batch_id, place),
            next_attempt_time=timestamp(next_attempt_at) if row is None else None,
            labels=await self._results.labels_of(call.tenant, request.batch_id, index),
        )
        return frames.splice([row] if row else [], view, field=_ONE, rest=rest)

    async def export_results(
        self, request: pb.ExportResultsRequest, call: Call[pb.ExportResultsRequest]
    ) -> None:
        """Stream a file of the results."""
        batch = await self._batches.find(call.tenant, request.batch_id)
        await export_stream.send(self._exports, batch, call, request, self._min_heartbeat_s)

    async def summarize_results(
        self, request: pb.SummarizeResultsRequest, call: Call[pb.SummarizeResultsRequest]
    ) -> pb.SummarizeResultsResponse:
        """Count results."""
        where, most = decode_selection.summary(request)
        batch = await self._batches.find(call.tenant, request.batch_id)
        return encode_summary(await self._results.summary(batch, where, names_of), most)

    async def reverify_results(
        self, request: pb.ReverifyResultsRequest, call: Call[pb.ReverifyResultsRequest]
    ) -> pb.ReverifyResultsResponse:
        """Make a new batch of some results."""
        asked = decode_selection.reverify(request, call.caller.key_id)
        standing = await self._reverification.run(call.tenant, asked)
        return pb.ReverifyResultsResponse(batch=encode_batch(standing))

    async def _entry_state(
        self, tenant: str, batch_id: str, place: EntryPlace
    ) -> "pb.EntryState.ValueType":
        if place.row is not None:
            return pb.ENTRY_STATE_DONE
        if place.next_attempt_at is not None:
            return pb.ENTRY_STATE_WAITING
        batch = await self._batches.find(tenant, batch_id)
        completed = batch.state is BatchState.COMPLETED
        return pb.ENTRY_STATE_REMOVED if completed else pb.ENTRY_STATE_PENDING

    def _place(self, text: str, kind: Kind, batch: Batch, binding: bytes) -> int:
        return self._marks.read(text, kind, batch.key, binding) if text else 0


def _want(where: ResultFilter | None, view: int, most: int, max_bytes: int) -> Want:
    joined = where is None and frames.is_whole(view)
    return Want(where, most, max_bytes, partial(frames.size, view=view), joined)


def _frame(frame: LogFrame, view: int, cursor: Callable[[int], str]) -> bytes:
    """One frame of a stream; joined results that are not the last ones have their cursor."""
    if frame.docs and not frame.caught_up:
        return frame.docs
    return _response(frame, view, _frame_without_results(frame, cursor(frame.sequence)))


def _response(page: ResultPage | LogFrame, view: int, rest: Message) -> bytes:
    if page.docs:
        return page.docs + rest.SerializeToString()
    return frames.splice(page.rows, view, field=frames.RESULTS_FIELD, rest=rest)


def _frame_without_results(frame: LogFrame, cursor: str) -> pb.StreamResultsResponse:
    rest = pb.StreamResultsResponse(cursor=cursor, caught_up=frame.caught_up, done=frame.done)
    if frame.standing is not None:
        rest.progress.CopyFrom(encode_progress(frame.standing))
    if frame.going_away:
        rest.going_away.CopyFrom(batch_pb.GoingAway(retry_delay=duration(GOING_AWAY_DELAY_S)))
    return rest
