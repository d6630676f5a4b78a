"""Text to `Address` or `SyntaxFault`, and what can be said of an address without asking anyone."""

from mailvet.syntax.bare_domain import bare_domain, domain_key, nobody_at
from mailvet.syntax.keys import canonical, duplicate_key, glance, is_plain, tag_of
from mailvet.syntax.parser import parse, suggest_form
from mailvet.syntax.provider_rules import check_provider_syntax
from mailvet.syntax.warnings import spelling_warnings

__all__ = [
    "bare_domain",
    "canonical",
    "check_provider_syntax",
    "domain_key",
    "duplicate_key",
    "glance",
    "is_plain",
    "nobody_at",
    "parse",
    "spelling_warnings",
    "suggest_form",
    "tag_of",
]
