"""Exchangers out of records: names, order, and what it means that none is left."""

import random

import pytest

from mailvet.model.route import MxOutcome
from mailvet.mx.answer import AnswerKind, Record, RecordType
from mailvet.mx.exchangers import (
    Found,
    Named,
    can_be_host,
    in_order,
    is_null_mx,
    outcome_of_none,
    temporary_outcome,
)


def _mx(preference: int, host: str) -> Record:
    return Record("d.test", RecordType.MX, 60, host, preference)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mx.example.com", True),
        ("localhost", True),
        ("xn--mnchen-3ya.de", True),
        ("_x.example.com", True),
        ("a" * 63 + ".test", True),
        (".", False),
        ("", False),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("a b.test", False),
        ("a\\046b.test", False),
        ("a,b.test", False),
        ("*.test", False),
        ("a.test\n", False),
    ],
)
def test_a_host_name_is_told_from_other_text(name: str, expected: bool) -> None:
    """Only names that a sender could dial are looked up."""
    assert expected is can_be_host(name)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([".", "."], True),
        (["."], True),
        ([".", "mx.test"], False),
        (["mx.test"], False),
        ([], False),
    ],
)
def test_null_mx_means_nothing_but_the_root(targets: list[str], expected: bool) -> None:
    """RFC 7505 3: a null MX stands alone; beside exchangers it is a mistake."""
    assert expected is is_null_mx([_mx(0, target) for target in targets])


def test_order_is_by_preference_and_each_host_comes_once() -> None:
    """RFC 5321 5.1: lower numbers first, whatever order DNS gave."""
    records = [_mx(20, "b"), _mx(65535, "d"), _mx(0, "a"), _mx(30, "c"), _mx(40, "a")]
    expected = [Named(0, "a"), Named(20, "b"), Named(30, "c"), Named(65535, "d")]
    assert expected == in_order(records, random.Random(1))


def _found(*failures: AnswerKind, reserved: bool = False) -> Found:
    return Found("mx.test", (), reserved, failures)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], MxOutcome.NO_MAIL),
        ([_found()], MxOutcome.NO_MAIL),
        ([_found(), _found(reserved=True)], MxOutcome.UNROUTABLE),
        ([_found(AnswerKind.TIMEOUT), _found(reserved=True)], MxOutcome.TIMEOUT),
        ([_found(), _found(AnswerKind.REFUSED)], MxOutcome.SERVER_FAILURE),
        ([_found(AnswerKind.TIMEOUT, AnswerKind.SERVFAIL)], MxOutcome.SERVER_FAILURE),
    ],
)
def test_nothing_is_concluded_while_a_look_up_is_open(
    found: list[Found], expected: MxOutcome
) -> None:
    """A permanent outcome needs every look-up to have ended in an answer."""
    assert expected is outcome_of_none(found)


@pytest.mark.parametrize("kind", [kind for kind in AnswerKind if kind.is_temporary])
def test_only_silence_is_a_timeout(kind: AnswerKind) -> None:
    """Every other failure is the servers' failure."""
    silence = kind is AnswerKind.TIMEOUT
    expected = MxOutcome.TIMEOUT if silence else MxOutcome.SERVER_FAILURE
    assert expected is temporary_outcome([kind])
