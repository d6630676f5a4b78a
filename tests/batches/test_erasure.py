"""How an address that is to be erased is recognised."""

import pytest

from mailvet.batches.erasure import WantedAddress, wanted_address
from mailvet.model.address import SyntaxFault
from mailvet.rpc.erase import Results
from mailvet.syntax import parse


def wanted(text: str = "Ann.Lee@Example.org") -> WantedAddress:
    """The address in question."""
    parsed = parse(text)
    assert not isinstance(parsed, SyntaxFault)
    return wanted_address(parsed, Results())


@pytest.mark.parametrize(
    "text",
    [
        "ann.lee@example.org",
        "  ANN.LEE@EXAMPLE.ORG ",
        '"ann.lee"@example.org',
        "<ann.lee@example.org>",
    ],
)
def test_it_is_known_in_every_spelling(text: str) -> None:
    """Case, spaces and needless quotes aside, as far as intake takes the spelling for it."""
    parsed = parse(text)
    known = not isinstance(parsed, SyntaxFault)
    assert known == wanted().is_it(text)
    assert known or wanted().mentions(text)


@pytest.mark.parametrize(
    "text",
    [
        "ann.lee@example.org",
        "write to Ann.Lee@example.org.",
        '{"mail": "ann.lee@example.org"}',
        "<ann.lee@EXAMPLE.org>: no such user",
        "mailto:ann.lee@example.org?x",
    ],
)
def test_a_mention_is_found_and_taken_out(text: str) -> None:
    """Wherever it stands in a text."""
    assert wanted().mentions(text)
    cleaned = wanted().cleaned(text)
    assert "[erased]" in cleaned
    assert not wanted().mentions(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "joann.lee@example.org",
        "jo.ann.lee@example.org",
        "ann.lee@example.org.uk",
        "ann.lee@example.organic",
        "ann.lee@example.org-x.net",
        "o'ann.lee@example.org",
        "lee@example.org",
        "ann.lee example.org",
    ],
)
def test_another_address_is_left_alone(text: str) -> None:
    """One that only has it as a part."""
    assert not wanted().mentions(text)
    assert text == wanted().cleaned(text)
    assert not wanted().is_it(text)


def test_both_spellings_of_a_domain_are_looked_for() -> None:
    """In A-labels and in U-labels."""
    found = wanted("ann@bücher.example")
    assert found.mentions("see ann@bücher.example")
    assert found.mentions("see ann@xn--bcher-kva.example")
