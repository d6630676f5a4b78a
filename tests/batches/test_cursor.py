"""Cursors and page tokens."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.batches.cursor import Kind, Marks, Place, binding_of, filter_binding
from mailvet.errors import BadCursor, BadPageToken, CursorEpochPassed
from mailvet.model.batch import ResultFilter

SECRET = bytes(range(32))
BINDING = binding_of("acme")
PLACE = Place(Kind.RESULT_CURSOR, 7, 1234, BINDING)


def marks(secret: bytes = SECRET, epoch: int = 1) -> Marks:
    return Marks(secret, epoch)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**64 - 1))
def test_what_is_written_is_read(epoch: int, batch_key: int, position: int) -> None:
    """A place survives the way through the caller's hands."""
    writer = marks(epoch=epoch)
    text = writer.write(Place(Kind.RESULT_CURSOR, batch_key, position, BINDING))

    assert position == writer.read(text, Kind.RESULT_CURSOR, batch_key, BINDING)


def test_it_is_short_ascii() -> None:
    """A cursor can be copied from a terminal and put into a URL."""
    text = marks().write(PLACE)

    assert len(text) == 64
    assert text.replace("-", "a").replace("_", "a").isalnum()


def test_every_flipped_bit_is_refused() -> None:
    """Not one bit of a cursor can be changed."""
    raw = base64.urlsafe_b64decode(marks().write(PLACE))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        text = base64.urlsafe_b64encode(bytes(flipped)).decode()
        with pytest.raises(BadCursor):
            marks().read(text, Kind.RESULT_CURSOR, 7, BINDING)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    """Whatever else a caller sends as a cursor is refused, and nothing breaks."""
    with pytest.raises(BadCursor):
        marks().read(text, Kind.RESULT_CURSOR, 7, BINDING)


@pytest.mark.parametrize("text", ["", "\n", " ", "=", "+", "/", "!"])
def test_added_characters_are_refused(text: str) -> None:
    """Characters that base64 decoders skip do not make a second spelling of a cursor."""
    cursor = marks().write(PLACE)
    changed = [cursor[:9] + text + cursor[9:], cursor + text] if text else [cursor[:-4]]
    for spelling in changed:
        with pytest.raises(BadCursor):
            marks().read(spelling, Kind.RESULT_CURSOR, 7, BINDING)


def test_another_secret_is_refused() -> None:
    """A cursor of another store is refused."""
    with pytest.raises(BadCursor):
        marks(bytes(32)).read(marks().write(PLACE), Kind.RESULT_CURSOR, 7, BINDING)


def test_another_batch_is_refused() -> None:
    """A cursor works in its batch only."""
    with pytest.raises(BadCursor, match="another batch"):
        marks().read(marks().write(PLACE), Kind.RESULT_CURSOR, 8, BINDING)


def test_another_request_is_refused() -> None:
    """A cursor works with its tenant and filter only."""
    with pytest.raises(BadCursor, match="another request"):
        marks().read(marks().write(PLACE), Kind.RESULT_CURSOR, 7, binding_of("other"))


def test_a_cursor_is_no_page_token() -> None:
    """A cursor cannot be used where a page token belongs."""
    with pytest.raises(BadPageToken):
        marks().read(marks().write(PLACE), Kind.RESULT_PAGE, 7, BINDING)


def test_a_restored_store_says_so() -> None:
    """A cursor from before a restore is told apart from a damaged one."""
    with pytest.raises(CursorEpochPassed):
        marks(epoch=2).read(marks().write(PLACE), Kind.RESULT_CURSOR, 7, BINDING)


def test_a_filter_binds_whatever_its_order() -> None:
    """The order in which a filter names its values does not matter, the values do."""
    one = filter_binding("acme", ResultFilter(statuses=frozenset({30, 1})))

    assert one == filter_binding("acme", ResultFilter(statuses=frozenset({1, 30})))
    assert one != filter_binding("acme", ResultFilter(exclude_statuses=frozenset({1, 30})))
    assert one != filter_binding("other", ResultFilter(statuses=frozenset({1, 30})))
    assert filter_binding("acme", None) == filter_binding("acme", ResultFilter())
