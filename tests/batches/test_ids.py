"""Batch ids."""

from uuid import UUID

import pytest

from mailvet.batches.ids import is_own_id, new_batch_id


def test_it_is_a_uuid_of_version_7() -> None:
    """Version and variant stand where RFC 9562 wants them."""
    made = UUID(new_batch_id(lambda: 1_645_557_742.0))

    assert (7, "specified in RFC 4122") == (made.version, made.variant)
    assert 0x017F22E279B0 == made.int >> 80  # the example of RFC 9562 A.6


def test_ids_sort_by_time() -> None:
    """A later id is larger, whatever its random bits."""
    ids = [new_batch_id(lambda at=at: 1_700_000_000 + at / 1000) for at in range(200)]  # type: ignore[misc]

    assert ids == sorted(ids)


def test_random_bits_all_move() -> None:
    """Each of the 74 random bits is sometimes set and sometimes not."""
    seen_set = seen_clear = 0
    for _ in range(200):
        value = UUID(new_batch_id(lambda: 0.0)).int
        seen_set |= value
        seen_clear |= ~value
    random_bits = ((1 << 12) - 1) << 64 | (1 << 62) - 1

    assert random_bits == seen_set & seen_clear & random_bits


@pytest.mark.parametrize("text", ["a", "spring-list", "a" * 63, "x0-"])
def test_own_ids(text: str) -> None:
    """A caller may name a batch in small letters, digits and hyphens."""
    assert is_own_id(text)


@pytest.mark.parametrize("text", ["", "A", "0a", "-a", "a" * 64, "a_b", "ä", "a b", "a\n", "a/b"])
def test_no_own_ids(text: str) -> None:
    """What does not fit a URL, a file name and a DNS label is no id."""
    assert not is_own_id(text)
