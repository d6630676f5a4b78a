"""Questions asked once: answers kept for their time, and shared while they are under way.

Only what was asked for is kept: addresses in the additional section of an MX answer are not used,
for they rank lowest (RFC 2181 5.4.1) and would let one zone say where another's host is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from mailvet.mx.answer import MAX_ALIASES, Answer, AnswerKind, Ask, Record, RecordType

Question = tuple[str, RecordType]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTimes:
    """For how long answers are kept, in seconds."""

    min_s: float = 30.0
    """Also a TTL of 0 lasts as long as the visit it was asked for."""
    max_s: float = 3600.0
    """A resolver behind us keeps more; an hour-old answer is fresh enough for a verdict."""
    negative_max_s: float = 900.0
    """RFC 2308 5 allows 1 to 3 hours; a domain that was just set up should not wait so long."""
    negative_default_s: float = 60.0
    """When "no" came without an SOA, which RFC 2308 5 says should not be kept at all."""
    failure_s: float = 30.0
    """RFC 9520 3.2: failures are kept for at least a second and at most five minutes."""


class Looked(NamedTuple):
    """What is known about one question."""

    kind: AnswerKind
    """Never ALIAS: those are followed."""
    records: tuple[Record, ...]
    aliases: tuple[Record, ...]
    expires_at: float


class Questions:
    """Asks each question once at a time; see `look_up`."""

    def __init__(
        self,
        ask: Ask,
        *,
        clock: Callable[[], float],
        keep: KeepTimes,
        max_domains: int,
        max_hosts: int,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._keep = keep
        self._domains = _Kept(max_domains)
        self._hosts = _Kept(max_hosts)
        self._under_way: dict[Question, asyncio.Task[Looked]] = {}
        self._closed = False

    async def look_up(self, questions: Iterable[Question]) -> list[Looked]:
        """Return what is known about each question, in order, asking what is not known.

        Questions go out at the same time. A caller that is cancelled takes no question away from
        others who wait for it.
        """
        found = [self._kept(question) or self._task(question) for question in questions]
        waiting = {one for one in found if isinstance(one, asyncio.Task)}
        if waiting:
            # Unlike gather, wait leaves the tasks alone when the caller is cancelled.
            await asyncio.wait(waiting)
        return [self._result(one) if isinstance(one, asyncio.Task) else one for one in found]

    async def close(self) -> None:
        """End every question under way; those who wait for it are told UNREACHABLE."""
        self._closed = True
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cache(self, question: Question) -> "_Kept":
        return self._domains if question[1] is RecordType.MX else self._hosts

    def _kept(self, question: Question) -> Looked | None:
        return self._cache(question).get(question, self._clock())

    def _task(self, question: Question) -> asyncio.Task[Looked]:
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.create_task(self._settle(question))
            self._under_way[question] = task
            task.add_done_callback(lambda _: self._under_way.pop(question, None))
        return task

    def _result(self, task: asyncio.Task[Looked]) -> Looked:
        if task.cancelled():
            return self._looked(Answer(AnswerKind.UNREACHABLE))
        return task.result()

    async def _settle(self, question: Question) -> Looked:
        looked = self._looked(await self._follow(*question))
        self._cache(question).put(question, looked)
        return looked

    def _looked(self, answer: Answer) -> Looked:
        expires_at = self._clock() + self._ttl_s(answer)
        return Looked(answer.kind, answer.records, answer.aliases, expires_at)

    async def _follow(self, name: str, rdtype: RecordType) -> Answer:
        """Ask, and ask again for the target where the answer ends in an alias."""
        if self._closed:
            return Answer(AnswerKind.UNREACHABLE)
        aliases: tuple[Record, ...] = ()
        while True:
            answer = await self._ask(name, rdtype)
            aliases += answer.aliases
            if answer.kind is not AnswerKind.ALIAS:
                return answer._replace(aliases=aliases)
            name = aliases[-1].value
            # A loop over several answers ends here too: it is as long as one likes.
            if len(aliases) >= MAX_ALIASES:
                return Answer(AnswerKind.BROKEN, aliases=aliases)

    def _ttl_s(self, answer: Answer) -> float:
        keep = self._keep
        if answer.kind.is_temporary:
            return keep.failure_s
        ttls = [float(record.ttl_s) for record in answer.aliases + answer.records]
        if answer.kind is AnswerKind.ANSWER:
            return min(max(min(ttls), keep.min_s), keep.max_s)
        negative_s = answer.negative_ttl_s
        ttls.append(keep.negative_default_s if negative_s is None else negative_s)
        return min(max(min(ttls), keep.min_s), keep.negative_max_s)


class _Kept:
    """Answers by question, the least recently used ones dropped."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._looked: OrderedDict[Question, Looked] = OrderedDict()

    def get(self, question: Question, now: float) -> Looked | None:
        looked = self._looked.get(question)
        if looked is None:
            return None
        if looked.expires_at <= now:
            del self._looked[question]
            return None
        self._looked.move_to_end(question)
        return looked

    def put(self, question: Question, looked: Looked) -> None:
        self._looked[question] = looked
        self._looked.move_to_end(question)
        if len(self._looked) > self._capacity:
            self._looked.popitem(last=False)
