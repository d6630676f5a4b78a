"""A way ends once, whatever happens on it."""

import random

import pytest

from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.mx.answer import Answer, AnswerKind, Record, RecordType
from mailvet.mx.reserved import AddressGuard
from mailvet.mx.resolver import Resolver
from tests.mx.table import Clock, TableAsk


class _Held:
    """A `Begin` that keeps who is to be told."""

    def __init__(self) -> None:
        self.told: dict[str, object] = {}

    def __call__(self, name: str, rdtype: RecordType, told: object) -> bool:
        self.told[f"{name} {rdtype.name}"] = told
        return True

    def say(self, question: str, *records: Record) -> None:
        """Answer a question that was begun."""
        told = self.told.pop(question)
        answer = Answer(AnswerKind.ANSWER if records else AnswerKind.NODATA, records)
        told(answer, _no_rest)  # type: ignore[operator]


async def _no_rest() -> Answer:
    raise AssertionError("the answer was plain")


def _resolver(begin: _Held, shuffle: random.Random | None = None) -> Resolver:
    return Resolver(
        TableAsk("other.test 60 NS ns.test"),
        AddressGuard(["192.0.2.0/24"]),
        begin=begin,
        clock=Clock(),
        shuffle=shuffle,
    )


def _mx(preference: int, host: str) -> Record:
    return Record("d.test", RecordType.MX, 300, host, preference)


def _address(host: str, address: str) -> Record:
    return Record(host, RecordType.A, 300, address)


def test_a_way_needs_no_loop() -> None:
    """Each answer leads to the next questions at once, and the last one to the end."""
    held, said = _Held(), list[MxAnswer | Exception]()
    _resolver(held).begin("D.test.", said.append)
    assert ["d.test MX"] == list(held.told)
    held.say("d.test MX", _mx(10, "one.test"), _mx(20, "two.test"))
    assert ["one.test A", "one.test AAAA", "two.test A", "two.test AAAA"] == list(held.told)
    for question in list(held.told):
        assert not said
        host, rdtype = question.split()
        held.say(question, *[_address(host, "192.0.2.1")][: rdtype == "A"])
    [answer] = said
    assert isinstance(answer, MxAnswer)
    assert (MxOutcome.EXCHANGERS, ("one.test", "two.test")) == (answer.outcome, answer.hosts)


def test_what_is_known_is_told_at_once() -> None:
    """The second who asks hears it before he goes on."""
    held, said = _Held(), list[MxAnswer | Exception]()
    resolver = _resolver(held)
    resolver.begin("d.test", said.append)
    for question in ("d.test MX", "d.test A", "d.test AAAA"):
        held.say(question)
    resolver.begin("d.test", said.append)
    assert not held.told
    assert 2 == len(said)
    assert said[0] == said[1]


def test_a_fault_on_the_way_is_told_once() -> None:
    """Whoever reads answers for others goes on, and the asker learns of it."""

    class Broken(random.Random):
        def shuffle(self, x: object) -> None:
            raise ZeroDivisionError

    held, said = _Held(), list[MxAnswer | Exception]()
    _resolver(held, Broken()).begin("d.test", said.append)
    held.say("d.test MX", _mx(10, "one.test"), _mx(10, "two.test"))
    assert not held.told
    [error] = said
    assert isinstance(error, ZeroDivisionError)


def test_a_fault_of_whoever_is_told_is_not_swallowed() -> None:
    """It is his, and comes out where the answer came in."""

    def broken(said: MxAnswer | Exception) -> None:
        raise ZeroDivisionError

    held = _Held()
    _resolver(held).begin("d.test", broken)
    with pytest.raises(ZeroDivisionError):
        held.say("d.test MX", _mx(0, "."))


def test_a_question_that_cannot_be_sent_is_told() -> None:
    """What goes wrong before anything is asked is heard like the rest."""

    class Broken(_Held):
        def __call__(self, name: str, rdtype: RecordType, told: object) -> bool:
            raise ZeroDivisionError

    said = list[MxAnswer | Exception]()
    _resolver(Broken()).begin("d.test", said.append)
    [error] = said
    assert isinstance(error, ZeroDivisionError)
