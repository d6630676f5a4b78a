"""The entries of a Verifalia job, API 2.6: camelCase names, PascalCase statuses.

A field that does not apply is left out, as there. Statuses that are ours alone are said in the
nearest of theirs.
"""

from mailvet.files.dialects.dialect import Dialect
from mailvet.files.plain import Found, Record

COLUMNS = (
    "index",
    "inputData",
    "completedOn",
    "emailAddress",
    "asciiEmailAddressDomainPart",
    "emailAddressLocalPart",
    "emailAddressDomainPart",
    "hasInternationalDomainName",
    "hasInternationalMailboxName",
    "isDisposableEmailAddress",
    "isRoleAccount",
    "isFreeEmailAddress",
    "status",
    "classification",
    "syntaxFailureIndex",
    "suggestions",
    "custom",
    "duplicateOf",
)
_NEAREST = {
    "MAILBOX_IS_DISABLED": "MAILBOX_DOES_NOT_EXIST",  # either way it takes no mail
    "RELAY_DENIED": "DOMAIN_IS_MISCONFIGURED",  # DNS names a host that does not serve the domain
    "LOCAL_EGRESS_UNAVAILABLE": "SMTP_CONNECTION_FAILURE",
}
_OF_AN_ADDRESS = {
    "emailAddress": "email_address",
    "asciiEmailAddressDomainPart": "ascii_domain",
    "emailAddressLocalPart": "local_part",
    "emailAddressDomainPart": "domain",
    "hasInternationalDomainName": "has_international_domain_name",
    "hasInternationalMailboxName": "has_international_mailbox_name",
    "isDisposableEmailAddress": "is_disposable",
    "isRoleAccount": "is_role_account",
    "isFreeEmailAddress": "is_free",
}
_OPTIONAL = {"suggestions": "suggestions", "custom": "custom"}
_NUMBERS = {"syntaxFailureIndex": "syntax_failure_index", "duplicateOf": "duplicate_of"}


def _record(found: Found) -> Record:
    record: Record = {"index": found["index"], "inputData": found["input_data"]}
    if found["complete_time"]:
        record["completedOn"] = found["complete_time"]
    if found["email_address"]:
        record |= {theirs: found[ours] for theirs, ours in _OF_AN_ADDRESS.items()}
    record["status"] = _pascal(_status(found["status"]))
    record["classification"] = _classification(found)
    record |= {theirs: found[ours] for theirs, ours in _OPTIONAL.items() if found[ours]}
    record |= {their: found[ours] for their, ours in _NUMBERS.items() if found[ours] is not None}
    return record


def _status(ours: str | None) -> str:
    if ours is None or ours.isdecimal():  # a newer server's, unknown to them as well
        return "UNHANDLED_EXCEPTION"
    return _NEAREST.get(ours, ours)


def _classification(found: Found) -> str:
    """A tenant's own label, else theirs; a duplicate has none, and a custom word is allowed."""
    own = found.get("custom_classification")
    return own or _pascal(found["classification"] or "DUPLICATE")


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


VERIFALIA = Dialect(name="verifalia", columns=COLUMNS, record=_record, items="data")
