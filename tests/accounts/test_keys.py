"""How API keys look."""

from hypothesis import given
from hypothesis import strategies as st

from mailvet.accounts.keys import digest, parse_key
from tests.accounts.world import PEPPER, made


def test_a_key_is_read_back() -> None:
    """The id and the secret of a key stand in it; the secret is not kept."""
    text, kept = made()
    parsed = parse_key(text)

    assert parsed is not None
    assert (kept.key_id, kept.digest) == (parsed.key_id, digest(parsed.secret, PEPPER))
    assert parsed.secret not in repr(kept)
    assert text.startswith("mv_")


def test_no_two_keys_are_the_same() -> None:
    """Ids and secrets are random."""
    assert 50 == len({made()[1].key_id for _ in range(50)})


@given(st.integers(0, 200), st.characters())
def test_a_typing_error_is_no_key(place: int, char: str) -> None:
    """One wrong character anywhere fails the checksum or the form."""
    text, _ = made()
    place %= len(text)
    wrong = text[:place] + char + text[place + 1 :]

    assert wrong == text or parse_key(wrong) is None


@given(st.text())
def test_any_text_is_no_key(text: str) -> None:
    """Whatever else is sent is no key, and nothing breaks."""
    assert parse_key(text) is None
