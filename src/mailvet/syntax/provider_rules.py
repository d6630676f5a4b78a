"""Local parts that the domain's own provider never hands out, whatever the standards allow.

Knows how to apply the rules, not the rules: those are rows of `data/local_parts.toml`.
"""

import re
from functools import lru_cache

from mailvet.model.address import Address, SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax.local_part import unquoted
from mailvet.syntax.providers import PROVIDERS, Provider


def check_provider_syntax(address: Address) -> SyntaxFault | None:
    """Return the fault of a local part that cannot exist at its provider, or None.

    ISP_SPECIFIC_SYNTAX_FAILURE with the index in `address.email`. None for domains of no provider
    we know the rules of; quotes that quote nothing special make no difference.
    """
    provider = PROVIDERS.get(address.domain.ascii)
    if provider is None or provider.plain.fullmatch(address.local_part):
        return None
    return _check(provider, address.local_part)


def _check(provider: Provider, local_part: str) -> SyntaxFault | None:
    plain = unquoted(local_part)
    if plain is None:
        return _fault(provider, 0, "has no mailboxes with quoted names")
    found = _broken_rule(provider, plain)
    if found is None:
        return None
    index, rule = found
    return _fault(provider, index + (plain != local_part), rule)


def _broken_rule(provider: Provider, local_part: str) -> tuple[int, str] | None:
    name, tag = provider.split_tag(local_part)
    if len(name) < len(local_part):
        at = _first_other(provider.tag_characters, tag)
        if at is not None or not tag:
            return len(name) + 1 + (at or 0), "does not take this tag after the name"
    return _broken_by_characters(provider, name) or _broken_by_length(provider, name)


def _broken_by_characters(provider: Provider, name: str) -> tuple[int, str] | None:
    if provider.digits_only and name.isascii() and name.isdigit():
        return None
    at = _first_other(provider.middle, name)
    if at is not None:
        return at, f"has no names with '{name[at]}'"
    if _first_other(provider.first, name[0]) is not None:
        return 0, f"has no names that start with '{name[0]}'"
    if _first_other(provider.last, name[-1]) is not None:
        return len(name) - 1, f"has no names that end with '{name[-1]}'"
    for index in range(1, len(name)):
        if name[index] in provider.no_pairs and name[index - 1] in provider.no_pairs:
            return index, f"has no names with '{name[index - 1 : index + 1]}'"
    return None


def _broken_by_length(provider: Provider, name: str) -> tuple[int, str] | None:
    counted = sum(character not in provider.ignored for character in name)
    if counted < provider.min_length:
        return len(name), f"has no names of fewer than {provider.min_length} characters"
    if counted > provider.max_length:
        rule = f"has no names of more than {provider.max_length} characters"
        return min(len(name) - 1, provider.max_length), rule
    return None


def _first_other(characters: str, text: str) -> int | None:
    found = _others(characters).search(text)
    return found.start() if found else None


@lru_cache(maxsize=256)
def _others(characters: str) -> re.Pattern[str]:
    """Matches what is not one of the characters. Without ASCII, U+212A KELVIN SIGN were a k."""
    return re.compile(f"[^{characters}]", re.IGNORECASE | re.ASCII)


def _fault(provider: Provider, index: int, rule: str) -> SyntaxFault:
    reason = f"{provider.name} {rule}."
    return SyntaxFault(EntryStatus.ISP_SPECIFIC_SYNTAX_FAILURE, index, reason)
