"""VerifyStream over the wire."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.batches.drain import Drain
from mailvet.model.batch import Answered, ResultRow
from mailvet.model.result import Result
from mailvet.model.status import EntryStatus, classification_of
from mailvet.rpc import verify_stream
from mailvet.rpc.encode import encode_result
from mailvet.v1 import result_pb2
from mailvet.v1 import verification_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, answered, read_rest, told


def question(text: str, **more: Any) -> pb.VerifyStreamRequest:
    """A question whose id is its address."""
    return pb.VerifyStreamRequest(id=text, input_data=text, **more)


class Slow:
    """A verifier that answers an address when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.budgets: list[float] = []
        self.cancelled: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}

    def gate(self, text: str) -> asyncio.Event:
        """What opens the way for an address."""
        return self._gates.setdefault(text, asyncio.Event())

    async def verify(
        self, entries: Sequence[tuple[str, str]], budget_s: float, _tenant: str, **_ages: float
    ) -> list[Answered]:
        ((text, custom),) = entries
        self.asked.append(text)
        self.budgets.append(budget_s)
        try:
            await self.gate(text).wait()
        except asyncio.CancelledError:
            self.cancelled.append(text)
            raise
        status = EntryStatus.SUCCESS
        result = Result(
            index=0,
            input_data=text,
            custom=custom,
            status=status,
            classification=classification_of(status),
            mx_hosts=("mx.example.net",),
        )
        return [answered(result)]

    async def has_asked(self, count: int) -> None:
        """Wait until so many questions have arrived."""
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                await asyncio.sleep(0)


async def test_answers_come_as_they_are_ready(open_world: OpenWorld) -> None:
    """A later question overtakes a slow one; each answer has its question's id."""
    verifier = Slow()
    world = await open_world(verifier=verifier)
    call = world.verification.VerifyStream()
    for text in ("slow@b.test", "quick@b.test"):
        await call.write(question(text, custom=f"for {text}"))
    await call.done_writing()
    await verifier.has_asked(2)
    verifier.gate("quick@b.test").set()
    first = await call.read()
    verifier.gate("slow@b.test").set()
    (second,) = await read_rest(call)

    assert ["quick@b.test", "slow@b.test"] == [first.id, second.id]
    assert ["for quick@b.test", "for slow@b.test"] == [first.result.custom, second.result.custom]
    assert grpc.StatusCode.OK is await call.code()


async def test_a_thousand_questions(world: World) -> None:
    """Every question is answered once, more than are worked on at a time too."""
    call = world.verification.VerifyStream(question(f"u{n}@b.test") for n in range(1500))

    assert {f"u{n}@b.test" for n in range(1500)} == {answer.id async for answer in call}


async def test_an_empty_stream_has_no_answers(world: World) -> None:
    """Nothing asked, nothing answered."""
    assert [] == [answer async for answer in world.verification.VerifyStream(iter(()))]


async def test_views(world: World) -> None:
    """Each question says how much it wants."""
    asked = [
        question("a@b.test", view=result_pb2.RESULT_VIEW_BASIC),
        question("c@b.test"),
    ]
    answers = {one.id: one async for one in world.verification.VerifyStream(iter(asked))}

    assert [] == list(answers["a@b.test"].result.mx_hosts)
    assert ["mx.example.net"] == list(answers["c@b.test"].result.mx_hosts)


@pytest.mark.parametrize(
    ("least", "most", "budget", "deadline_s"),
    [(30, 30, None, None), (5, 5, Duration(seconds=5), None), (1, 4.1, Duration(seconds=5), 4)],
)
async def test_the_budget(
    least: float, most: float, budget: Duration | None, deadline_s: float | None, world: World
) -> None:
    """The question's own, at most 30 s, and never beyond the deadline of the call."""
    asked = iter([question("a@b.test", budget=budget)])
    answers = [one async for one in world.verification.VerifyStream(asked, timeout=deadline_s)]

    assert 1 == len(answers)
    assert least <= world.verifier.asked[0][1] <= most


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("id", {"id": "x" * 1025}),
        ("custom", {"custom": "x" * 1025}),
        ("budget", {"budget": Duration(seconds=31)}),
        ("view", {"view": 77}),
    ],
)
async def test_a_wrong_question_ends_the_stream(
    field: str, wrong: dict[str, Any], world: World
) -> None:
    """After the answers to those before it."""
    call = world.verification.VerifyStream()
    await call.write(question("a@b.test"))
    await call.write(pb.VerifyStreamRequest(**wrong))
    answered = await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_rest(call)

    assert "a@b.test" == answered.id
    failure = told(caught.value)
    assert "INVALID_ARGUMENT" == failure.code
    assert [field] == [one.field for one in failure.details["BadRequest"].field_violations]


async def test_who_hangs_up_ends_the_work(open_world: OpenWorld) -> None:
    """A cancelled call does not go on probing."""
    verifier = Slow()
    world = await open_world(verifier=verifier)
    call = world.verification.VerifyStream()
    await call.write(question("a@b.test"))
    await verifier.has_asked(1)
    call.cancel()
    async with asyncio.timeout(10):
        while not verifier.cancelled:
            await asyncio.sleep(0)

    assert ["a@b.test"] == verifier.cancelled


async def test_a_drain_answers_what_was_asked(open_world: OpenWorld) -> None:
    """Who asked before the server goes away is answered, then told to come back."""
    verifier = Slow()
    world = await open_world(verifier=verifier)
    call = world.verification.VerifyStream()
    await call.write(question("a@b.test"))
    await verifier.has_asked(1)
    stopping = asyncio.create_task(world.server.stop(grace_s=10))
    verifier.gate("a@b.test").set()
    answered = await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_rest(call)
    await stopping

    assert "a@b.test" == answered.id
    assert "UNAVAILABLE" == told(caught.value).code


class Line:
    """A call whose reader does not read: what is written piles up."""

    def __init__(self, questions: list[pb.VerifyStreamRequest]) -> None:
        self._questions = questions
        self.read = 0
        self.reads_again = asyncio.Event()
        self.drain = Drain()

    def budget_s(self, most_s: float) -> float:
        """All there may be."""
        return most_s

    async def requests(self) -> Any:
        """The questions, counted."""
        for one in self._questions:
            self.read += 1
            yield one

    async def write(self, _reply: bytes) -> None:
        """Waits for the reader."""
        await self.reads_again.wait()


async def test_a_reader_who_does_not_read_holds_up_the_questions() -> None:
    """No more questions are taken than there is room for, answered ones included."""
    line = Line([question(f"u{n}@b.test") for n in range(10)])

    async def verify(asked: Any, _budget_s: float) -> ResultRow:
        result = Result(
            index=0,
            input_data=asked.id,
            status=EntryStatus.SUCCESS,
            classification=classification_of(EntryStatus.SUCCESS),
        )
        return encode_result(result)

    running = asyncio.create_task(verify_stream.answer_all(line, verify, at_once=3))  # type: ignore[arg-type]
    for _ in range(100):
        await asyncio.sleep(0)
    assert 4 == line.read  # three, and one in the hand
    line.reads_again.set()
    await running
    assert 10 == line.read
