"""From lines to entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.batches.intake import SLICE, Intake, RawEntry
from mailvet.model.batch import Entry
from mailvet.model.status import Deduplication

INTAKE = Intake(b"k" * 32)
MODES = (Deduplication.SAFE, Deduplication.RELAXED)


def take(
    raw: RawEntry,
    mode: Deduplication = Deduplication.SAFE,
    *,
    bare_domains: bool = False,
    intake: Intake = INTAKE,
) -> Entry:
    """The entry that is made of one line."""
    (entry,) = intake._slice([raw], mode, bare_domains)
    return entry


def key(text: str, mode: Deduplication = Deduplication.SAFE) -> int:
    return take(RawEntry(text), mode).key


def test_an_address_is_grouped_by_its_domain() -> None:
    """The domain is kept in A-labels, the text and the custom key as they came."""
    entry = take(RawEntry(" Ann@Bücher.example", "row 7"))

    assert (" Ann@Bücher.example", "row 7", "xn--bcher-kva.example") == entry[:3]


@pytest.mark.parametrize("text", ["", "no at sign", "a@@b", "a..b@example.org"])
def test_a_bad_address_has_no_domain(text: str) -> None:
    """What syntax decides needs no exchanger."""
    assert take(RawEntry(text)).domain == ""


@pytest.mark.parametrize("mode", Deduplication)
def test_a_domain_is_an_entry_where_it_may_be(mode: Deduplication) -> None:
    """It is grouped by itself; its spellings are one, and no address of it."""
    entry = take(RawEntry(" Bücher.Example"), mode, bare_domains=True)
    again = take(RawEntry("xn--bcher-kva.example"), mode, bare_domains=True)
    address = take(RawEntry("a@xn--bcher-kva.example"), mode, bare_domains=True)

    assert "xn--bcher-kva.example" == entry.domain == again.domain == address.domain
    assert entry.key == again.key
    assert (mode is Deduplication.OFF) == (entry.key == address.key)
    assert "" == take(RawEntry("bücher.example"), mode).domain
    assert "" == take(RawEntry("no domain"), mode, bare_domains=True).domain


def test_the_same_mailbox_has_the_same_key() -> None:
    """Spellings of the domain do not make another mailbox."""
    assert key("ann@example.org") == key("ann@EXAMPLE.org") == key(" ann@example.org ")
    assert key("ann@example.org") != key("bob@example.org")


def test_bad_addresses_are_duplicates_when_they_are_the_same_text() -> None:
    """The same bad line twice is a duplicate; white space around it does not count."""
    assert key("no at sign") == key(" no at sign\t") != key("No at sign")


def test_nothing_is_a_duplicate_when_that_is_off() -> None:
    """OFF gives the key that is nobody's duplicate."""
    assert key("ann@example.org", Deduplication.OFF) == key("bad", Deduplication.OFF) == 0


def test_another_store_hashes_otherwise() -> None:
    """Keys are keyed by the store, so that collisions cannot be prepared."""
    other = Intake(b"o" * 32)

    assert key("ann@example.org") != take(RawEntry("ann@example.org"), intake=other).key


@given(st.text(max_size=80), st.sampled_from(MODES))
def test_any_text_is_an_entry(text: str, mode: Deduplication) -> None:
    """Every text, lone surrogates too, becomes an entry with a 63-bit key above 0."""
    raw = RawEntry(text + "\ud800")

    assert 0 < take(raw, mode).key < 2**63


async def test_order_is_kept_across_slices() -> None:
    """Entries come out in the order they went in, however many there are."""
    raws = [RawEntry(f"u{n}@example.org") for n in range(SLICE * 2 + 3)]

    entries = await INTAKE.take(raws, Deduplication.SAFE)

    assert [raw.input_data for raw in raws] == [entry.input_data for entry in entries]


@pytest.mark.parametrize("mode", [Deduplication.OFF, *MODES])
async def test_taken_together_entries_are_as_one_by_one(mode: Deduplication) -> None:
    """Plain or not, at a domain that was met before or not: the same entries in the same order."""
    texts = ["ann@t.example.org", "", "ANN@T.example.org", "a..b@t.example.org", "öl@t.example.org"]
    raws = [RawEntry(text, f"row {row}", "{}") for row, text in enumerate(texts * 3)]
    taken = await INTAKE.take(raws, mode)

    assert [take(raw, mode) for raw in raws] == taken
    assert all(type(entry).__name__ == "Entry" for entry in taken)
