"""Questions that go on where an answer ends in an alias, and how long answers are kept."""

import asyncio
import gc

import pytest

from mailvet.mx.answer import MAX_ALIASES, Answer, AnswerKind, Record, RecordType
from mailvet.mx.questions import KeepTimes, Looked, Question, Questions
from tests.mx.table import Clock

A: Question = ("n0", RecordType.A)


class _Steps:
    """An `Ask` that gives one alias at a time and an address after `length` of them."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.asked: list[str] = []

    async def __call__(self, name: str, rdtype: RecordType) -> Answer:
        self.asked.append(name)
        step = int(name[1:])
        if step == self._length:
            return Answer(AnswerKind.ANSWER, (Record(name, rdtype, 300, "192.0.2.1"),))
        alias = Record(name, RecordType.CNAME, 300 - step, f"n{step + 1}")
        return Answer(AnswerKind.ALIAS, (), (alias,))


class _Fixed:
    """An `Ask` that always gives the same answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, name: str, rdtype: RecordType) -> Answer:
        return self._answer


class _Asker:
    """Who awaits what is known about a question."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Looked] = asyncio.get_running_loop().create_future()

    def heard(self, question: Question, looked: Looked) -> None:
        if not self.answer.done():
            self.answer.set_result(looked)

    def failed(self, error: Exception) -> None:
        self.answer.set_exception(error)


async def _ask(questions: Questions) -> Looked:
    asker = _Asker()
    questions.ask(A, asker)
    return await asker.answer


def _questions(ask: _Steps | _Fixed, clock: Clock) -> Questions:
    return Questions(ask, clock=clock, keep=KeepTimes(), max_domains=9, max_hosts=9)


async def test_an_alias_is_followed_by_another_question() -> None:
    """Name servers that do not follow aliases themselves are helped along."""
    ask, clock = _Steps(3), Clock()
    looked = await _ask(_questions(ask, clock))
    assert ["n0", "n1", "n2", "n3"] == ask.asked
    assert (AnswerKind.ANSWER, 3) == (looked.kind, len(looked.aliases))
    assert clock.now + 298 == looked.expires_at


async def test_an_endless_chain_of_aliases_ends() -> None:
    """After eight steps the chain is given up as broken."""
    ask = _Steps(1000)
    looked = await _ask(_questions(ask, Clock()))
    assert AnswerKind.BROKEN is looked.kind
    assert MAX_ALIASES == len(ask.asked)


def _found(ttl_s: int) -> Answer:
    return Answer(AnswerKind.ANSWER, (Record("n0", RecordType.A, ttl_s, "192.0.2.1"),))


@pytest.mark.parametrize(
    ("answer", "kept_s"),
    [
        (_found(0), 30),
        (_found(300), 300),
        (_found(2**31 - 1), 3600),
        (Answer(AnswerKind.NODATA, negative_ttl_s=300), 300),
        (Answer(AnswerKind.NODATA, negative_ttl_s=0), 30),
        (Answer(AnswerKind.NXDOMAIN, negative_ttl_s=86400), 900),
        (Answer(AnswerKind.NXDOMAIN), 60),
        (Answer(AnswerKind.SERVFAIL), 30),
        (Answer(AnswerKind.TIMEOUT), 30),
    ],
)
async def test_each_kind_of_answer_is_kept_for_its_time(answer: Answer, kept_s: float) -> None:
    """TTLs are held between bounds, "no" follows the SOA, failures are kept briefly."""
    clock = Clock()
    looked = await _ask(_questions(_Fixed(answer), clock))
    assert clock.now + kept_s == looked.expires_at


async def test_a_fault_of_ours_reaches_the_caller() -> None:
    """An exception in the transport is not taken for an answer, nor kept."""

    async def ask(name: str, rdtype: RecordType) -> Answer:
        raise ZeroDivisionError

    questions = Questions(ask, clock=Clock(), keep=KeepTimes(), max_domains=9, max_hosts=9)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await _ask(questions)


async def test_a_question_whose_askers_are_all_gone_is_still_kept() -> None:
    """The answer was paid for: the next who asks finds it."""
    ask = _Steps(0)
    questions = _questions(ask, Clock())
    asker = asyncio.create_task(_ask(questions))
    await asyncio.sleep(0)
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    gc.collect()
    looked = await _ask(questions)
    assert AnswerKind.ANSWER is looked.kind
    assert ["n0"] == ask.asked
