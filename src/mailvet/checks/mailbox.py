"""What the last observation of a recipient says about its mailbox.

The golden rules live here: a refusal of us never blames the address, weak evidence is UNKNOWN,
full and disabled mailboxes exist, 4xx is never final.
"""

from mailvet.model.finding import Finding, Outcome
from mailvet.model.reply import Observation, Reading, Stage, Trouble
from mailvet.model.status import EntryStatus, Meaning

_ACCEPTED = Finding(check="mailbox", outcome=Outcome.PASS, status=EntryStatus.SUCCESS)

_FINAL = {
    Meaning.MAILBOX_DOES_NOT_EXIST: EntryStatus.MAILBOX_DOES_NOT_EXIST,
    Meaning.MAILBOX_DISABLED: EntryStatus.MAILBOX_IS_DISABLED,
    Meaning.RELAY_DENIED: EntryStatus.RELAY_DENIED,
    Meaning.DOMAIN_NOT_ACCEPTED: EntryStatus.DOMAIN_IS_MISCONFIGURED,
}
_LATER = {
    Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE: EntryStatus.MAILBOX_TEMPORARILY_UNAVAILABLE,
    Meaning.RATE_LIMITED: EntryStatus.SERVER_TEMPORARY_UNAVAILABLE,
    Meaning.SERVER_TEMPORARILY_UNAVAILABLE: EntryStatus.SERVER_TEMPORARY_UNAVAILABLE,
}
_BEFORE_BANNER = {
    Trouble.TIMEOUT: EntryStatus.SMTP_CONNECTION_TIMEOUT,
    Trouble.REFUSED: EntryStatus.SMTP_CONNECTION_FAILURE,
    Trouble.UNREACHABLE: EntryStatus.SMTP_CONNECTION_FAILURE,
    Trouble.DROPPED: EntryStatus.SMTP_CONNECTION_FAILURE,
}


def check_mailbox(seen: Observation, reading: Reading | None) -> Finding:
    """Judge what was observed about a recipient; `reading` is what the reply was read as.

    `reading` is None exactly when there was no reply, or a positive one.
    """
    if seen.trouble is not None:
        return _from_trouble(seen.stage, seen.trouble)
    if seen.reply is None or reading is None:
        return _ACCEPTED
    if seen.stage is Stage.RCPT:
        return _from_recipient_reply(seen.reply.code, reading)
    return _from_earlier_reply(seen, reading)


def _from_trouble(stage: Stage, trouble: Trouble) -> Finding:
    if trouble is Trouble.NO_SMTPUTF8:  # RFC 6531 3.1: it may not be sent without
        return Finding(
            check="mailbox",
            outcome=Outcome.FAIL,
            status=EntryStatus.SERVER_DOES_NOT_SUPPORT_INTERNATIONAL_MAILBOXES,
            rule="mailbox.no_smtputf8",
        )
    status = EntryStatus.SMTP_DIALOG_ERROR
    if stage in (Stage.CONNECT, Stage.BANNER):
        status = _BEFORE_BANNER.get(trouble, EntryStatus.SMTP_DIALOG_ERROR)
    elif trouble is Trouble.TIMEOUT:
        status = EntryStatus.MAILBOX_VALIDATION_TIMEOUT
    return _unknown(status, f"mailbox.{stage.lower()}.{trouble.lower()}", retry=True)


def _from_recipient_reply(code: int, reading: Reading) -> Finding:
    meaning, transient = reading.meaning, 400 <= code < 500
    if meaning is Meaning.MAILBOX_FULL:  # exists, whatever the code says (RFC 3463 x.2.2)
        return Finding(
            check="mailbox",
            outcome=Outcome.PASS,
            status=EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE,
            rule=reading.rule,
        )
    if meaning in _LATER:
        return _unknown(_LATER[meaning], reading.rule, retry=True)
    if meaning is Meaning.SENDER_OR_CLIENT_REJECTED:
        return _unknown(_whose_refusal(reading), reading.rule, retry=transient)
    if transient:  # RFC 5321 4.2.1: 4yz is not final, whatever its words say
        return _unknown(EntryStatus.MAILBOX_TEMPORARILY_UNAVAILABLE, reading.rule, retry=True)
    if meaning in _FINAL:
        return Finding(
            check="mailbox", outcome=Outcome.FAIL, status=_FINAL[meaning], rule=reading.rule
        )
    return _unknown(EntryStatus.SMTP_DIALOG_ERROR, reading.rule, retry=False)


def _from_earlier_reply(seen: Observation, reading: Reading) -> Finding:
    """A refusal before any recipient was named can only be about us or the host."""
    transient = seen.reply is not None and seen.reply.transient
    if reading.meaning in (Meaning.RATE_LIMITED, Meaning.SERVER_TEMPORARILY_UNAVAILABLE):
        status = EntryStatus.SERVER_TEMPORARY_UNAVAILABLE
    elif reading.meaning is Meaning.SENDER_OR_CLIENT_REJECTED and seen.stage is not Stage.MAIL:
        status = EntryStatus.LOCAL_END_POINT_REJECTED
    elif seen.stage is Stage.MAIL and (
        reading.meaning is not Meaning.UNKNOWN or (seen.reply is not None and not transient)
    ):
        status = (
            _whose_refusal(reading)
            if reading.meaning is Meaning.SENDER_OR_CLIENT_REJECTED
            else EntryStatus.LOCAL_SENDER_ADDRESS_REJECTED
        )
    elif transient:
        status = EntryStatus.SERVER_TEMPORARY_UNAVAILABLE
    else:
        status = EntryStatus.LOCAL_END_POINT_REJECTED
    return _unknown(status, reading.rule, retry=transient)


def _whose_refusal(reading: Reading) -> EntryStatus:
    if reading.about_sender:
        return EntryStatus.LOCAL_SENDER_ADDRESS_REJECTED
    return EntryStatus.LOCAL_END_POINT_REJECTED


def _unknown(status: EntryStatus, rule: str, *, retry: bool) -> Finding:
    return Finding(
        check="mailbox", outcome=Outcome.TEMPERROR, status=status, rule=rule, retry=retry
    )
