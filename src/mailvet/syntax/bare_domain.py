"""Text that is no address but a domain, where a caller says that entries may be domains.

Only then: most texts without an at sign that read as domains (`john.smith`) are addresses gone
wrong, and only the caller knows which they are.
"""

from mailvet.model.address import Address, DomainName
from mailvet.syntax.domain import parse_domain
from mailvet.syntax.parser import TRIMMED


def bare_domain(text: str) -> DomainName | None:
    """Return the domain that `text` is by the rules for those of addresses; None when it is none.

    White space at the ends is trimmed. An address literal is no domain.
    """
    name = text.strip(TRIMMED)
    if not name or name[0] == "[":
        return None
    found = parse_domain(name, 0, len(name))
    return found if isinstance(found, DomainName) else None


def domain_key(domain: DomainName) -> str:
    """Return what is equal for two entries that are the same domain, and no address's key."""
    return f"@{domain.ascii}"


def nobody_at(domain: DomainName) -> Address:
    """Return what stands for a domain where an address is looked at: one without a local part."""
    return Address("", domain)
