"""When two addresses are one mailbox: duplicate keys, canonical form, tags.

Local parts are case-sensitive and opaque in RFC 5321 2.4; what providers make of them all the same
is in `data/local_parts.toml`.
"""

import re
import unicodedata

from mailvet.model.address import Address
from mailvet.model.status import Deduplication
from mailvet.syntax.local_part import MAX_LOCAL_PART_OCTETS, unquoted
from mailvet.syntax.parser import is_dot_atom, known_domain
from mailvet.syntax.providers import PROVIDERS, Provider

# Takes pairs whole, so that the second backslash of a pair never starts another.
_NEEDLESS_PAIR = re.compile(r'(\\[\\"])|\\')

_MAX_PLAIN_DOMAINS = 100_000
"""As many as `parse` knows; some 20 MB when full."""

_plain_domains: dict[str, str] = {}
"""By the text of a domain, in A-labels; empty where its provider has rules of its own."""

_USUAL_TAG_SIGN = "+"
"""RFC 5233 1; what Google Workspace and Microsoft 365 take for every company they host."""


def duplicate_key(address: Address, mode: Deduplication) -> str:
    """Return the text that is equal for two addresses exactly when `mode` calls them one.

    SAFE has no false duplicates: the domain as A-labels, the local part exact (needless quotes
    aside) but for its case at the providers whose rules are known, which all ignore it. RELAXED is
    `canonical`. OFF and UNSPECIFIED give the mailbox as it is.
    """
    if mode is Deduplication.RELAXED:
        return canonical(address)
    if mode is Deduplication.SAFE:
        return _safe_key(address)
    return address.mailbox


def _safe_key(address: Address) -> str:
    local_part = _plain(address.local_part)
    provider = PROVIDERS.get(address.domain.ascii)
    if provider is not None:
        local_part = local_part.lower()
    return f"{local_part}@{address.domain.ascii}"


def glance(text: str) -> tuple[str, str] | None:
    """Return the SAFE duplicates key and the domain in A-labels of a plain address.

    None for any other text, and where the domain was not met before. A fifth of the way by
    `parse`, `check_provider_syntax` and `duplicate_key`, to the same end.
    """
    local_part, _, name = text.partition("@")
    domain = _plain_domains.get(name)
    if domain is None:
        domain = _meet(name)
    if not domain or len(local_part) > MAX_LOCAL_PART_OCTETS or not is_dot_atom(local_part):
        return None
    return f"{local_part}@{domain}", domain


def _meet(name: str) -> str:
    """Take down a domain that `parse` has met: what it is in A-labels, unless a provider's."""
    known = known_domain(name)
    if known is None:
        return ""
    if len(_plain_domains) >= _MAX_PLAIN_DOMAINS:
        _plain_domains.clear()
    domain = _plain_domains[name] = "" if known.ascii in PROVIDERS else known.ascii
    return domain


def is_plain(address: Address) -> bool:
    """Whether an address is its own canonical form, and without a tag, as can be told at a glance.

    That is most of them: lower case, no quotes, no tag, a domain in ASCII of no provider with
    rules of its own.
    """
    local_part, domain = address
    return (
        _USUAL_TAG_SIGN not in local_part
        and local_part[0] != '"'
        and local_part.isascii()
        and local_part.lower() == local_part
        and domain.ascii == domain.unicode
        and domain.ascii not in PROVIDERS
    )


def canonical(address: Address) -> str:
    """Return the mailbox that mail to the address most likely ends up in, as one spelling.

    Case is folded, the tag goes, and the provider's own rules apply: dots at Gmail, the several
    domains of one mailbox. The domain is in A-labels.
    """
    local_part = _plain(address.local_part).lower()
    if not local_part.isascii():
        local_part = unicodedata.normalize("NFC", local_part)
    provider = PROVIDERS.get(address.domain.ascii)
    if provider is None:
        return f"{_split_usual_tag(local_part)[0]}@{address.domain.ascii}"
    domain = provider.main_domain if provider.one_mailbox else address.domain.ascii
    return f"{_name(provider, local_part)}@{domain}"


def _name(provider: Provider, local_part: str) -> str:
    name, _ = provider.split_tag(local_part)
    for pair in provider.same:
        name = name.replace(pair[0], pair[1])
    for character in provider.ignored:
        name = name.replace(character, "")
    return name


def tag_of(address: Address) -> str:
    """Return the tag (subaddress) without its sign, empty where there is none.

    The sign is the provider's; a plus sign where no provider's rules are known.
    """
    local_part = _plain(address.local_part)
    provider = PROVIDERS.get(address.domain.ascii)
    if provider is None:
        return _split_usual_tag(local_part)[1]
    return provider.split_tag(local_part)[1]


def _split_usual_tag(local_part: str) -> tuple[str, str]:
    if local_part.startswith('"'):
        return local_part, ""
    name, _, tag = local_part.partition(_USUAL_TAG_SIGN)
    return (name, tag) if name else (local_part, "")


def _plain(local_part: str) -> str:
    """The shortest of the quoted forms that RFC 5321 4.1.2 makes one: no needless quotes."""
    if local_part[0] != '"':
        return local_part
    plain = unquoted(local_part)
    return _NEEDLESS_PAIR.sub(r"\1", local_part) if plain is None else plain
