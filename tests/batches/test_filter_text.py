"""The filter of a list as text."""

import pytest

from mailvet.batches.filter_text import MAX_CHARACTERS, FilterError, parse_filter, parse_order
from mailvet.model.selection import Condition, Expression, Junction, Negation, Order

ENUMS = {"state": {"RUNNING": 2, "DRAFT": 1}}
RUNNING = Condition("state", "=", 2)
LOW = Condition("priority", "<", 10)
NAMED = Condition("name", "=", "a b")


def both(*parts: Expression) -> Expression:
    return Junction(parts, every=True)


def any_of(*parts: Expression) -> Expression:
    return Junction(parts, every=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  ", None),
        ("state = RUNNING", RUNNING),
        ("state=running", RUNNING),
        ("priority<10", LOW),
        ("name = 'a b'", NAMED),
        (r'name = "a\"b"', Condition("name", "=", 'a"b')),
        ("state = RUNNING AND priority < 10", both(RUNNING, LOW)),
        ("state = RUNNING priority < 10", both(RUNNING, LOW)),
        ("state = RUNNING AND priority < 10 OR name = 'a b'", both(RUNNING, any_of(LOW, NAMED))),
        ("(state = RUNNING AND priority < 10) OR name = 'a b'", any_of(both(RUNNING, LOW), NAMED)),
        ("NOT state = RUNNING", Negation(RUNNING)),
        ("-(state = RUNNING)", Negation(RUNNING)),
        ("priority > -1", Condition("priority", ">", -1)),
        ("labels.team = shop", Condition("labels.team", "=", "shop")),
        ("labels:team", Condition("labels.team", "=", "*")),
        ("name:x", Condition("name", ":", "x")),
        ("create_time > 2026-11-21", Condition("create_time", ">", 1795219200.0)),
        (
            'create_time > "2026-11-21T08:00:00+08:00"',
            Condition("create_time", ">", 1795219200.0),
        ),
    ],
)
def test_a_filter_is_read(text: str, expected: Expression | None) -> None:
    """OR binds more tightly than AND, which may be left out (AIP-160)."""
    assert expected == parse_filter(text, ENUMS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("state", "is expected behind 'state'"),
        ("state = ", "a value is expected"),
        ("state = NICE", "'NICE' is no value of state"),
        ("state : RUNNING", "is for labels and texts"),
        ("colour = red", "'colour' is no field"),
        ("labels. = red", "'labels.' is no field"),
        ("priority = high", "is a whole number"),
        ("create_time = yesterday", "write"),
        ("(state = RUNNING", "not closed"),
        ("state = RUNNING)", "')' is not expected"),
        ("AND state = RUNNING", "a field is expected in place of 'AND'"),
        ("state = RUNNING OR", "a field is expected in place of 'the end'"),
        ('name = "x', "cannot be read from"),
        ("(" * 500 + "state = RUNNING", "parentheses are open"),
        ("x" * (MAX_CHARACTERS + 1), "shorten it"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    """With the way out."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text, ENUMS)
    assert told in str(caught.value)


def test_an_order_is_read() -> None:
    """Fields with a direction; unknown ones are told."""
    assert (Order("priority", descending=True), Order("name")) == parse_order(
        "priority desc, name asc"
    )
    assert () == parse_order(" ")
    for text in ("colour", "name down", "name,name,name,name"):
        with pytest.raises(FilterError):
            parse_order(text)
