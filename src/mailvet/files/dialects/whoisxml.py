"""The results of the WhoisXML bulk email verification API: every value a string.

Its two lists are two dialects: `whoisxml` are the completed, `whoisxml-failed` the invalid and
those that could not be processed.
"""

from mailvet.files.dialects.dialect import Dialect, Duplicates
from mailvet.files.plain import Found, Record, is_syntax_failure, yes_no

COLUMNS = (
    "emailAddress",
    "formatCheck",
    "smtpCheck",
    "dnsCheck",
    "freeCheck",
    "disposableCheck",
    "catchAllCheck",
    "mxRecords",
    "result",
)
_RESULTS = {"DELIVERABLE": "good", "UNDELIVERABLE": "bad"}
"""RISKY is `unknown`, as their sample has it for a catch-all domain."""
_NOT_PROCESSED = frozenset({"LOCAL_EGRESS_UNAVAILABLE", "UNHANDLED_EXCEPTION"})
"""Through our own fault, so that nothing was learnt."""


def _is_failed(found: Found) -> bool:
    return is_syntax_failure(found) or found["status"] in _NOT_PROCESSED


def _completed(found: Found) -> Record | None:
    return None if _is_failed(found) else _record(found)


def _failed(found: Found) -> Record | None:
    return _record(found) if _is_failed(found) else None


def _record(found: Found) -> Record:
    record: Record = {
        "emailAddress": found["email_address"] or found["input_data"],
        "formatCheck": _word(not is_syntax_failure(found)),
        "smtpCheck": _word(yes_no(found["is_deliverable"])),
        "dnsCheck": _word(yes_no(found["mx_valid"])),
        "freeCheck": _word(found["is_free"]),
        "disposableCheck": _word(found["is_disposable"]),
        "catchAllCheck": _word(yes_no(found["is_catch_all"])),
    }
    if found["mx_hosts"]:
        record["mxRecords"] = list(found["mx_hosts"])
    record["result"] = _RESULTS.get(found["classification"] or "", "unknown")
    return record


def _word(fact: bool | None) -> str:
    return "null" if fact is None else str(fact).lower()


WHOISXML = Dialect(
    name="whoisxml",
    columns=COLUMNS,
    record=_completed,
    items="response",
    xml_root="response",
    xml_item="item",
    duplicates=Duplicates.REPEAT,
)
WHOISXML_FAILED = Dialect(
    name="whoisxml-failed",
    columns=COLUMNS,
    record=_failed,
    items="response",
    xml_root="response",
    xml_item="item",
    duplicates=Duplicates.REPEAT,
)
