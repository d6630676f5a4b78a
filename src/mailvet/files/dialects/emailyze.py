"""The answer of the Emailyze batch check: nested syntax and SMTP facts, totals behind them."""

from collections.abc import Mapping
from typing import Any

from mailvet.files.dialects.dialect import Dialect, Duplicates, Tally
from mailvet.files.plain import Found, Record, is_syntax_failure, yes_no

COLUMNS = (
    "email",
    "domain",
    "is_disposable",
    "provider_type",
    "risk_score",
    "mx_valid",
    "mx_provider",
    "local_part_type",
    "catch_all",
    "syntax.domain",
    "syntax.username",
    "syntax.is_valid_syntax",
    "syntax.suggestion",
    "smtp.can_connect_smtp",
    "smtp.has_full_inbox",
    "smtp.is_catch_all",
    "smtp.is_deliverable",
    "smtp.is_disabled",
    "error",
)
_PROVIDERS = {"CORPORATE": "personal"}
"""They have no word for a company's own domain but the one for any own domain."""


def _record(found: Found) -> Record:
    if is_syntax_failure(found):
        return _invalid(found)
    catch_all = yes_no(found["is_catch_all"])
    provider = found["provider_type"] or "UNKNOWN"
    return {
        "email": found["input_data"],
        "domain": found["domain"],
        "is_disposable": found["is_disposable"],
        "provider_type": _PROVIDERS.get(provider, provider.lower()),
        "risk_score": float(found["risk_score"]),
        "mx_valid": found["mx_valid"] == "YES",
        "mx_provider": _slug(found["mail_provider"]),
        "local_part_type": _lower(found["local_part_type"]),
        "catch_all": catch_all,
        "syntax": _syntax(found, valid=True),
        "smtp": {
            "can_connect_smtp": yes_no(found["can_connect"]),
            "has_full_inbox": yes_no(found["has_full_inbox"]),
            "is_catch_all": catch_all,
            "is_deliverable": yes_no(found["is_deliverable"]),
            "is_disabled": yes_no(found["is_disabled"]),
        },
        "error": None,
    }


def _invalid(found: Found) -> Record:
    """Their sample of an input that is no address, value for value."""
    return {
        "email": found["input_data"],
        "domain": None,
        "is_disposable": False,
        "provider_type": "unknown",
        "risk_score": 0.0,
        "mx_valid": False,
        "mx_provider": None,
        "local_part_type": None,
        "catch_all": None,
        "syntax": _syntax(found, valid=False),
        "smtp": {
            "can_connect_smtp": False,
            "has_full_inbox": None,
            "is_catch_all": None,
            "is_deliverable": None,
            "is_disabled": None,
        },
        "error": "Invalid format",
    }


def _syntax(found: Found, *, valid: bool) -> Record:
    return {
        "domain": found["domain"] if valid else None,
        "username": (found["local_part"] or None) if valid else None,
        "is_valid_syntax": valid,
        "suggestion": next(iter(found["suggestions"]), None),
    }


def _slug(provider: str) -> str | None:
    """`Google Workspace` is `google` there."""
    return provider.split(maxsplit=1)[0].lower() if provider.strip() else None


def _lower(name: str | None) -> str | None:
    return name.lower() if name else None


def _totals(tally: Tally) -> Mapping[str, Any]:
    return {
        "processed": tally.unique,
        "cached": 0,  # "reserved for future use", says their page
        "processing_time_ms": tally.duration_ms,
    }


EMAILYZE = Dialect(
    name="emailyze",
    columns=COLUMNS,
    record=_record,
    items="results",
    behind=_totals,
    duplicates=Duplicates.REPEAT,
)
