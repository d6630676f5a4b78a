"""Questions asked once: answers kept for their time, and shared while they are under way.

Only what was asked for is kept: addresses in the additional section of an MX answer are not used,
for they rank lowest (RFC 2181 5.4.1) and would let one zone say where another's host is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from mailvet.model.named import new
from mailvet.mx.answer import (
    MAX_ALIASES,
    Answer,
    AnswerKind,
    Ask,
    Begin,
    Record,
    RecordType,
    Rest,
)

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

    def bounded(self, ttl_s: float) -> float:
        """For how long an answer with this TTL is kept."""
        return min(max(ttl_s, self.min_s), self.max_s)


class Looked(NamedTuple):
    """What is known about one question."""

    kind: AnswerKind
    """Never ALIAS: those are followed."""
    records: tuple[Record, ...]
    aliases: tuple[Record, ...]
    expires_at: float


class Hearer(Protocol):
    """Who asked a question."""

    def heard(self, question: Question, looked: Looked) -> None:
        """Take what is known about it now; must not raise."""
        ...

    def failed(self, error: Exception) -> None:
        """Take note that it could not be asked for a fault of ours."""
        ...


class Questions:
    """Asks each question once at a time; see `ask`."""

    def __init__(
        self,
        ask: Ask,
        *,
        clock: Callable[[], float],
        keep: KeepTimes,
        max_domains: int,
        max_hosts: int,
        begin: Begin | None = None,
    ) -> None:
        """`begin` asks without a task of its own, where it can; see `Begin`."""
        self._ask = ask
        self._clock = clock
        self._keep = keep
        self._domains = _Kept(max_domains)
        self._hosts = _Kept(max_hosts)
        self._begin = begin
        self._under_way: dict[Question, _UnderWay] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def ask(self, question: Question, hearer: Hearer) -> None:
        """Have the hearer told what is known about a question: at once if it is known already.

        What is under way for others is not asked again.
        """
        looked = self._cache(question).get(question, self._clock())
        if looked is not None:
            hearer.heard(question, looked)
            return
        under_way = self._under_way.get(question)
        if under_way is not None:
            under_way.hearers.append(hearer)
            return
        under_way = self._under_way[question] = _UnderWay(self, question, hearer)
        if self._closed:
            self._tell(question, self._looked(Answer(AnswerKind.UNREACHABLE)))
        elif self._begin is None or not self._begin(*question, under_way.hear):
            self._go_the_long_way(question)

    async def close(self) -> None:
        """End every question under way; those who wait for it are told UNREACHABLE."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for question in list(self._under_way):
            self._tell(question, self._looked(Answer(AnswerKind.UNREACHABLE)))

    def _cache(self, question: Question) -> "_Kept":
        return self._domains if question[1] is RecordType.MX else self._hosts

    def hear(self, question: Question, answer: Answer | None, rest: Rest) -> None:
        """Take the answer to a question that went out at once."""
        if question not in self._under_way:  # closed meanwhile
            return
        if answer is None:
            self._go_the_long_way(question, rest)
        elif answer.kind is AnswerKind.ALIAS:
            self._go_the_long_way(question, partial(_said, answer))
        else:
            self._settle(question, answer)

    def _go_the_long_way(self, question: Question, first: Rest | None = None) -> None:
        task = asyncio.create_task(self._ask_on(question, first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_on(self, question: Question, first: Rest | None) -> None:
        try:
            self._settle(question, await self._follow(*question, first))
        except Exception as error:  # whatever it is, those who wait hear of it
            under_way = self._under_way.pop(question, None)
            for hearer in under_way.hearers if under_way else ():
                hearer.failed(error)

    def _settle(self, question: Question, answer: Answer) -> None:
        looked = self._looked(answer)
        self._cache(question).put(question, looked)
        self._tell(question, looked)

    def _tell(self, question: Question, looked: Looked) -> None:
        under_way = self._under_way.pop(question, None)
        if under_way is not None:
            for hearer in under_way.hearers:
                hearer.heard(question, looked)

    def _looked(self, answer: Answer) -> Looked:
        expires_at = self._clock() + self._ttl_s(answer)
        return new(Looked, (answer.kind, answer.records, answer.aliases, expires_at))

    async def _follow(self, name: str, rdtype: RecordType, first: Rest | None) -> Answer:
        """Ask, and ask again for the target where the answer ends in an alias.

        `first` gives the first answer, where somebody asked already.
        """
        aliases: tuple[Record, ...] = ()
        while True:
            answer = await (first() if first else self._ask(name, rdtype))
            first = None
            aliases += answer.aliases
            if answer.kind is not AnswerKind.ALIAS:
                return answer._replace(aliases=aliases)
            name = aliases[-1].value
            # A loop over several answers ends here too: it is as long as one likes.
            if len(aliases) >= MAX_ALIASES:
                return Answer(AnswerKind.BROKEN, aliases=aliases)

    def _ttl_s(self, answer: Answer) -> float:
        keep, records = self._keep, answer.records
        if answer.kind is AnswerKind.ANSWER and len(records) == 1 and not answer.aliases:
            return keep.bounded(records[0].ttl_s)
        if answer.kind.is_temporary:
            return keep.failure_s
        ttls = [float(record.ttl_s) for record in answer.aliases + answer.records]
        if answer.kind is AnswerKind.ANSWER:
            return keep.bounded(min(ttls))
        negative_s = answer.negative_ttl_s
        ttls.append(keep.negative_default_s if negative_s is None else negative_s)
        return min(max(min(ttls), keep.min_s), keep.negative_max_s)


class _UnderWay:
    """A question under way, and who waits for its answer."""

    __slots__ = ("_by", "_question", "hearers")

    def __init__(self, by: Questions, question: Question, hearer: Hearer) -> None:
        self._by = by
        self._question = question
        self.hearers = [hearer]

    def hear(self, answer: Answer | None, rest: Rest) -> None:
        """Take what was answered at once; see `Begin`."""
        self._by.hear(self._question, answer, rest)


async def _said(answer: Answer) -> Answer:
    return answer


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
        before = len(self._looked)
        self._looked[question] = looked
        if len(self._looked) == before:
            self._looked.move_to_end(question)
        elif before == self._capacity:
            self._looked.popitem(last=False)
