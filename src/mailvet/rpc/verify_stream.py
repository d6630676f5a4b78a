"""VerifyStream: questions in, answers out as they are ready, so many at a time.

A reader takes questions off the wire as long as there is room; when there is none, HTTP/2 flow
control holds up the sender. Answers are written one at a time, and what has been asked is answered
before the call ends with an error.
"""

import asyncio
from collections.abc import Awaitable, Callable

from mailvet.batches.limits import MAX_BUDGET_S
from mailvet.model.batch import ResultRow
from mailvet.rpc import frames
from mailvet.rpc.call import Call
from mailvet.rpc.decode_verify import StreamQuestion, stream_question
from mailvet.v1 import verification_service_pb2 as pb

AT_ONCE = 1_000
"""As many as one VerifyEmails has: one caller's share of the sessions."""

Verify = Callable[[StreamQuestion, float], Awaitable[ResultRow]]
"""Answers one question within so many seconds."""

_RESULT = pb.VerifyStreamResponse.RESULT_FIELD_NUMBER


async def answer_all(
    call: Call[pb.VerifyStreamRequest], verify: Verify, *, at_once: int = AT_ONCE
) -> None:
    """Answer every question of a call; raises what was wrong with the one after the last."""
    await _Conversation(call, verify, at_once).run()


class _Conversation:
    """The questions of one call that are not answered yet."""

    def __init__(self, call: Call[pb.VerifyStreamRequest], verify: Verify, at_once: int) -> None:
        self._call = call
        self._verify = verify
        self._room = asyncio.Semaphore(at_once)
        self._ready: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
        """Tasks that have ended; None when there will be no more questions."""
        self._open = set[asyncio.Task[bytes]]()

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        try:
            await self._write()
            await reading  # raises what ended it
        finally:
            ending = [reading, *self._open]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for request in self._call.requests():
                question = stream_question(request)
                await self._room.acquire()
                task = asyncio.create_task(self._answer(question))
                self._open.add(task)
                task.add_done_callback(self._ready.put_nowait)
        finally:
            self._ready.put_nowait(None)

    async def _write(self) -> None:
        reading = True
        while reading or self._open:
            task = await self._ready.get()
            if task is None:
                reading = False
                continue
            self._open.discard(task)
            await self._call.write(task.result())
            self._room.release()  # here, so that a slow reader holds up the questions

    async def _answer(self, question: StreamQuestion) -> bytes:
        budget_s = min(question.budget_s, self._call.budget_s(MAX_BUDGET_S))
        row = await self._verify(question, budget_s)
        rest = pb.VerifyStreamResponse(id=question.id)
        return frames.splice([row], question.view, field=_RESULT, rest=rest)
