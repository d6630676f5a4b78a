"""Where registries end and names that people register begin (publicsuffix.org), read once."""

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

_REMEMBERED = 50_000
"""Of a domain, its exchangers and its parents the same is asked several times."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(_REMEMBERED)
def registered(domain: str) -> str | None:
    """Return the registrable part of a name in lower-case A-labels; None when it has none.

    Suffixes in the private section of the list (such as `blogspot.com`) count as registries.
    """
    found: str | None = _suffixes().privatesuffix(domain)
    return found
