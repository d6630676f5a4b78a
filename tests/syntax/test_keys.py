"""When two addresses are one mailbox."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailvet.model.address import Address
from mailvet.model.status import Deduplication
from mailvet.syntax import canonical, check_provider_syntax, duplicate_key, glance, parse, tag_of

OFF, SAFE, RELAXED = Deduplication.OFF, Deduplication.SAFE, Deduplication.RELAXED


def address(text: str) -> Address:
    """The address that the text must be."""
    found = parse(text)
    assert isinstance(found, Address), found
    return found


@pytest.mark.parametrize(
    ("one", "other", "safe", "relaxed"),
    [
        ("ann@example.org", "ann@EXAMPLE.org", True, True),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", True, True),
        ("ann@example.org", '"ann"@example.org', True, True),
        ('"a b"@example.org', '"a\\ b"@example.org', True, True),
        ("ann@example.org", "Ann@example.org", False, True),
        ("ann@example.org", "ann+news@example.org", False, True),
        ("ann@example.org", "a.nn@example.org", False, False),
        ("ann@example.org", "ann-x@example.org", False, False),
        ("j\u00fcrg@example.org", "ju\u0308rg@example.org", False, True),
        ("annlee@gmail.com", "AnnLee@gmail.com", True, True),
        ("annlee@gmail.com", "ann.lee@gmail.com", False, True),
        ("annlee@gmail.com", "annlee+a@googlemail.com", False, True),
        ("annlee@gmail.com", "annlea@gmail.com", False, False),
        ("annlee@yahoo.com", "annlee-shop@yahoo.com", False, True),
        ("annlee@yahoo.com", "annlee@yahoo.fr", False, False),
        ("ann.lee@yandex.ru", "ann-lee@ya.ru", False, True),
        ("annlee@yandex.ru", "ann-lee@yandex.ru", False, False),
        ("ann_lee@proton.me", "annlee@proton.me", False, True),
        ("ann.lee@outlook.com", "annlee@outlook.com", False, False),
        ("ann@[192.0.2.1]", "ann@[192.0.2.2]", False, False),
    ],
)
def test_same_mailbox(one: str, other: str, safe: bool, relaxed: bool) -> None:
    """SAFE joins only what is surely one mailbox, RELAXED what providers' rules make one."""
    first, second = address(one), address(other)
    assert safe == (duplicate_key(first, SAFE) == duplicate_key(second, SAFE))
    assert relaxed == (duplicate_key(first, RELAXED) == duplicate_key(second, RELAXED))


def test_off_is_the_mailbox() -> None:
    """Without a mode the key is the mailbox as it is sent."""
    assert "Ann@example.org" == duplicate_key(address("Ann@Example.org"), OFF)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("ann@example.org", ""),
        ("ann+news+x@example.org", "news+x"),
        ("+ann@example.org", ""),
        ("ann-news@example.org", ""),
        ("ann-news@yahoo.com", "news"),
        ("ann+News@gmail.com", "News"),
        ("annlee+x@163.com", ""),
        ('"a b+c"@example.org', ""),
        ('"ann+c"@example.org', "c"),
    ],
)
def test_tag(text: str, tag: str) -> None:
    """The tag is what follows the provider's sign, a plus where no provider is known."""
    assert tag == tag_of(address(text))


def test_canonical_is_readable() -> None:
    """The canonical form is an address of the provider's main domain."""
    assert "annlee@gmail.com" == canonical(address("Ann.Lee+news@GoogleMail.com"))


@given(
    st.from_regex(r"[a-zA-Z.+_-]{1,12}", fullmatch=True), st.sampled_from(["gmail.com", "x.org"])
)
def test_canonical_is_stable(name: str, domain: str) -> None:
    """A canonical form is its own canonical form."""
    found = parse(f"{name}@{domain}")
    assume(isinstance(found, Address))
    assert isinstance(found, Address)
    again = parse(canonical(found))
    # A key, not always an address: without its tag, "a.+b" ends with a dot.
    if isinstance(again, Address):
        assert canonical(found) == canonical(again)


@given(
    st.one_of(st.text("aB1.+-_@\"' ", max_size=70), st.just("x" * 64), st.just("x" * 65)),
    st.sampled_from(["example.org", "EXAMPLE.org", "gmail.com", "bücher.example", "b..org", "a@b"]),
)
def test_a_glance_sees_what_a_closer_look_finds(local_part: str, domain: str) -> None:
    """For a plain address it gives the same key and domain; for others it gives nothing wrong."""
    parse(f"ann@{domain}")  # the domain has been met
    text = f"{local_part}@{domain}"
    seen = glance(text)
    if seen is not None:
        found = address(text)
        assert check_provider_syntax(found) is None
        assert (duplicate_key(found, SAFE), found.domain.ascii) == seen


def test_plain_addresses_are_told_at_a_glance() -> None:
    """Once the domain was met; never at a provider with rules of its own."""
    parse("ann@glance.example.org")
    parse("ann@gmail.com")

    assert glance("b.ob@glance.example.org") == (
        "b.ob@glance.example.org",
        "glance.example.org",
    )
    assert glance("bob@never-met.example.org") is None
    assert glance("annlee@gmail.com") is None
