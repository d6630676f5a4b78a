"""An `Ask` that reads a table of records instead of the network, and a clock that is set."""

import asyncio
from collections import Counter

from mailvet.mx.answer import Answer, AnswerKind, Message, Record, RecordType, understand

SOA_TTL_S = 120


class Clock:
    """Time that passes when a test says so, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TableAsk:
    """Answers as a caching resolver would, from lines `NAME TTL TYPE DATA`.

    `NAME TTL TYPE !KIND` fails that question (`*` as the type: each) with the answer kind.
    `asked` counts the questions; while `gate` is cleared, answers wait for it.
    """

    def __init__(self, zone: str) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self._records: list[Record] = []
        self._failures: dict[tuple[str, str], AnswerKind] = {}
        for line in zone.strip().splitlines():
            self._read(line.split())

    async def __call__(self, name: str, rdtype: RecordType) -> Answer:
        self.asked[name, rdtype.name] += 1
        await self.gate.wait()
        for key in ((name, rdtype.name), (name, "*")):
            if key in self._failures:
                return Answer(self._failures[key])
        return understand(name, rdtype, self._message(name, rdtype))

    def _read(self, words: list[str]) -> None:
        name, ttl, rdtype, *data = words
        if data[0].startswith("!"):
            self._failures[name, rdtype] = AnswerKind(data[0][1:])
            return
        preference = int(data[0]) if rdtype == "MX" else 0
        self._records.append(Record(name, RecordType[rdtype], int(ttl), data[-1], preference))

    def _message(self, name: str, rdtype: RecordType) -> Message:
        found: list[Record] = []
        for _ in range(12):  # more steps than anybody follows
            own = [record for record in self._records if record.owner == name]
            aliases = [record for record in own if record.rdtype is RecordType.CNAME]
            if not aliases:
                break
            found += aliases
            name = aliases[0].value
        given = [record for record in own if record.rdtype is rdtype]
        return Message(bool(own), found + given, None if given else SOA_TTL_S)
