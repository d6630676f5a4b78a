"""The answer in one sentence, for people: what happened, and who said so."""

from mailvet.engine.case import Case
from mailvet.model.reply import Observation
from mailvet.model.status import EntryStatus
from mailvet.verdict.policy import Ruling

_S = EntryStatus

_SENTENCES: dict[EntryStatus, str] = {
    _S.SUCCESS: "{host} accepts mail for it and refuses made-up mailboxes.",
    _S.SERVER_IS_CATCH_ALL: "{host} accepts it, as it accepts made-up mailboxes of the domain.",
    _S.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS: (
        "{host} accepts it; whether it accepts made-up mailboxes too could not be tested."
    ),
    _S.MAILBOX_HAS_INSUFFICIENT_STORAGE: "{host} says that the mailbox is full: {said}",
    _S.DOMAIN_IS_WELL_KNOWN_DEA: "The domain hands out disposable addresses.",
    _S.MAILBOX_IS_DEA: "The mailbox is a disposable one.",
    _S.MAIL_EXCHANGER_IS_WELL_KNOWN_DEA: "Its exchanger {mx} serves disposable addresses.",
    _S.MAIL_EXCHANGER_IS_HONEYPOT: "Its exchanger {mx} is a spam trap.",
    _S.MAIL_EXCHANGER_IS_PARKED: "Its exchanger {mx} belongs to parked domains.",
    _S.MAILBOX_DOES_NOT_EXIST: "{host} says that there is no such mailbox: {said}",
    _S.MAILBOX_IS_DISABLED: "{host} says that the mailbox takes no mail: {said}",
    _S.RELAY_DENIED: "{host} does not take mail for the domain: {said}",
    _S.DOMAIN_DOES_NOT_EXIST: "DNS says that the domain does not exist.",
    _S.DOMAIN_IS_MISCONFIGURED: "The domain has no exchanger that takes its mail.",
    _S.DOMAIN_HAS_NULL_MX: "The domain says that it takes no mail (null MX).",
    _S.SERVER_DOES_NOT_SUPPORT_INTERNATIONAL_MAILBOXES: (
        "{host} does not take international mailbox names (no SMTPUTF8)."
    ),
    _S.DUPLICATE: "The same address as entry {original}.",
    _S.OVERRIDE_MATCH: "The caller's rule {rule} decided.",
    _S.DNS_QUERY_TIMEOUT: "DNS gave no answer in time; this says nothing about the address.",
    _S.DNS_CONNECTION_FAILURE: "DNS failed to answer; this says nothing about the address.",
    _S.SMTP_CONNECTION_TIMEOUT: "No exchanger answered in time ({mx}).",
    _S.SMTP_CONNECTION_FAILURE: "No exchanger could be connected to ({mx}).",
    _S.SMTP_DIALOG_ERROR: "{host} gave no answer that can be relied on: {said}",
    _S.MAILBOX_VALIDATION_TIMEOUT: "{host} took too long to answer.",
    _S.CATCH_ALL_VALIDATION_TIMEOUT: (
        "{host} accepts it, but took too long to answer about a made-up mailbox."
    ),
    _S.MAILBOX_TEMPORARILY_UNAVAILABLE: "{host} says to try again later: {said}",
    _S.SERVER_TEMPORARY_UNAVAILABLE: "{host} cannot answer for now: {said}",
    _S.LOCAL_END_POINT_REJECTED: "{host} refuses us, not the mailbox: {said}",
    _S.LOCAL_SENDER_ADDRESS_REJECTED: "{host} refuses our sender, not the mailbox: {said}",
    _S.LOCAL_EGRESS_UNAVAILABLE: (
        "No exchanger can be connected to from here: our own network blocks the SMTP port."
    ),
    _S.DOMAIN_OPTED_OUT: "The domain asked not to be probed: its exchangers were not asked.",
    _S.UNKNOWN_USER_LIMIT: (
        "Not asked: too many mailboxes of the domain were found not to exist within an hour."
    ),
    _S.UNHANDLED_EXCEPTION: "A fault of ours; it is logged.",
}
_OF_BARE_DOMAINS: dict[EntryStatus, str] = {
    _S.SUCCESS: "{host} takes mail for the domain and refuses made-up mailboxes.",
    _S.SERVER_IS_CATCH_ALL: "{host} takes mail for any mailbox of the domain.",
    _S.DUPLICATE: "The same domain as entry {original}.",
    _S.DNS_QUERY_TIMEOUT: "DNS gave no answer in time; this says nothing about the domain.",
    _S.DNS_CONNECTION_FAILURE: "DNS failed to answer; this says nothing about the domain.",
    _S.LOCAL_END_POINT_REJECTED: "{host} refuses us, not the domain: {said}",
    _S.LOCAL_SENDER_ADDRESS_REJECTED: "{host} refuses our sender, not the domain: {said}",
}
"""What is said otherwise where no mailbox was named."""
_OF_HOST = frozenset(
    status for status, text in _SENTENCES.items() if "{host}" in text or "{said}" in text
)
_OF_DOMAIN = frozenset(
    status for status, text in _SENTENCES.items() if "{mx}" in text or "{original}" in text
)
MAX_SAID = 160
"""Characters of a reply that a sentence quotes."""


REPEAT = _SENTENCES[_S.DUPLICATE]
"""About a duplicate; `{original}` is the index of the entry that is kept."""


def names_host(status: EntryStatus) -> bool:
    """Whether the sentence about a status names the host that was asked, or what it said."""
    return status in _OF_HOST


def names_domain(status: EntryStatus) -> bool:
    """Whether it names the domain's exchangers, or another entry."""
    return status in _OF_DOMAIN


def explain(case: Case, status: EntryStatus) -> str:
    """Return one sentence that says why the status is what it is."""
    if case.ruling is not None:
        return _ruled(case.ruling)
    if case.duplicate_of is None and case.fault is not None:
        return case.fault.reason
    sentence = _SENTENCES[status]
    if case.is_domain:
        sentence = _OF_BARE_DOMAINS.get(status, sentence)
    if status is _S.DUPLICATE:
        return sentence.format(original=case.duplicate_of)
    answer = case.card.answer if case.card is not None else None
    return sentence.format(
        host=_host(case.seen),
        said=_said(case.seen),
        mx=", ".join(answer.hosts[:3]) if answer and answer.hosts else "none",
    )


def _ruled(ruling: Ruling) -> str:
    sentence = _SENTENCES[_S.OVERRIDE_MATCH].format(rule=ruling.rule.pattern)
    return f"{sentence} {ruling.rule.note}".rstrip()


def _host(seen: Observation | None) -> str:
    return seen.host if seen is not None and seen.host else "The exchanger"


def _said(seen: Observation | None) -> str:
    if seen is None:
        return "nothing."
    if seen.reply is None:
        return f"{seen.trouble or 'nothing'} at {seen.stage}."
    text = " ".join(seen.reply.text.split())
    if len(text) > MAX_SAID:
        text = text[: MAX_SAID - 3] + "..."
    return f"{seen.reply.code} {text}".strip()
