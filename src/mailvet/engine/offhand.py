"""Entries that need nobody asked, answered by the chunk: duplicates, and texts that are no address.

Nothing is waited for and thousands in a row differ only in their names, so no case is made of the
plain ones. Whatever is not plain is left to be answered as a case, and the plain ones get the
answer they would get there.
"""

import re
from collections.abc import Sequence
from typing import Any

import structlog

from mailvet.engine.case import Case
from mailvet.engine.encoder import Fault, PlainEncoder, Repeat
from mailvet.engine.explain import REPEAT
from mailvet.engine.judge import Judge, find
from mailvet.model.address import Address, SyntaxFault
from mailvet.model.batch import Claim, ResultRow, WorkEntry
from mailvet.model.named import new
from mailvet.model.status import QualityLevel
from mailvet.syntax import is_plain, parse, suggest_form
from mailvet.verdict.policy import policy_of

MAX_FORMS = 8192
"""Domains and reasons remembered for each quality level: some kilobytes each."""

MAX_PLAIN_CHARACTERS = 512
"""Of an input or of a custom text; longer ones are no matter of speed."""

MAX_PLAIN_DOMAIN = 189
"""With the longest local part, 64 octets, and the at sign no longer than an address may be."""

MAX_LOCAL_PART = 64
"""RFC 5321 4.5.3.1.1."""

_PLAIN_LOCAL_PART = re.compile(
    r"[a-z0-9!#$%&'*/=?^_`{|}~-]++(?:\.[a-z0-9!#$%&'*/=?^_`{|}~-]++)*+"
).fullmatch

_LOG = structlog.get_logger(room="engine")


class Offhand:
    """Answers what it can of a claim; remembers what the answers share."""

    def __init__(self, judge: Judge, encoder: PlainEncoder) -> None:
        self._judge = judge
        self._encoder = encoder
        self._repeats: dict[QualityLevel, dict[str, Any]] = {}
        self._faults: dict[QualityLevel, dict[str, Any]] = {}

    def answer(self, claim: Claim, now: float) -> tuple[list[ResultRow], Sequence[WorkEntry]]:
        """Return the rows of what is answered as of `now`, and the entries that are left.

        `now` is in seconds since the epoch. The chunks of a plan are of one kind, so a look at the
        first entry tells it.
        """
        if (
            not claim.entries
            or claim.attempt
            or claim.bare_domains  # only a case tells them from faults
            or policy_of(claim.rules, claim.tenant_rules) is not None
        ):
            return [], claim.entries
        try:
            if claim.entries[0].duplicate_of is not None:
                return self._answer_repeats(claim, now)
            if isinstance(parse(claim.entries[0].input_data), SyntaxFault):
                return self._answer_faults(claim, now)
        except Exception as error:  # a fault of ours; case by case it meets one entry at most
            _LOG.error("offhand.failed", error=type(error).__name__, exc_info=True)
        return [], claim.entries

    def forget(self) -> None:
        """Drop what is remembered."""
        self._repeats.clear()
        self._faults.clear()

    def _answer_repeats(
        self, claim: Claim, now: float
    ) -> tuple[list[ResultRow], Sequence[WorkEntry]]:
        forms = _of(self._repeats, claim.quality)
        plain: list[Repeat] = []
        rest: list[WorkEntry] = []
        for entry in claim.entries:
            index, text, custom, original = entry
            local_part, _, domain = text.partition("@")
            form = forms.get(domain) or self._learn_repeat(forms, claim, entry, domain)
            if (
                form
                and original is not None
                and is_plain_local_part(local_part)
                and (not custom or is_short(custom))
            ):
                plain.append(new(Repeat, (index, text, custom, original, local_part, domain)))
            else:
                rest.append(entry)
        return self._encoder.repeats(forms, plain, now, REPEAT), rest

    def _learn_repeat(
        self, forms: dict[str, Any], claim: Claim, entry: WorkEntry, domain: str
    ) -> Any:
        """Return the form of the duplicates of a domain; None when they are not plain."""
        if domain in forms:
            return forms[domain]
        if len(domain) > MAX_PLAIN_DOMAIN:
            return None
        address = parse(f"a@{domain}")
        form = None
        if isinstance(address, Address) and address.domain.ascii == domain and is_plain(address):
            case = _case(entry, claim.quality)
            case.address = address
            form = self._form(case)
        forms[domain] = form
        return form

    def _answer_faults(
        self, claim: Claim, now: float
    ) -> tuple[list[ResultRow], Sequence[WorkEntry]]:
        forms = _of(self._faults, claim.quality)
        plain: list[Fault] = []
        rest: list[WorkEntry] = []
        for entry in claim.entries:
            index, text, custom, original = entry
            fault = parse(text)
            if (
                isinstance(fault, SyntaxFault)
                and original is None
                and is_short(text)
                and is_short(custom)
                and suggest_form(text) is None
                and (forms.get(fault.reason) or self._learn_fault(forms, claim, entry, fault))
            ):
                plain.append(new(Fault, (index, text, custom, fault.reason, fault.index)))
            else:
                rest.append(entry)
        return self._encoder.faults(forms, plain, now), rest

    def _learn_fault(
        self, forms: dict[str, Any], claim: Claim, entry: WorkEntry, fault: SyntaxFault
    ) -> Any:
        case = _case(entry, claim.quality)
        case.fault = fault
        form = forms[fault.reason] = self._form(case)
        return form

    def _form(self, case: Case) -> Any:
        """Return what all answers like that of a case share; None when each has more of its own."""
        findings = find(case)
        verdict = self._judge.verdict(case, findings)
        result = self._judge.result(case, findings, verdict, now=0.0)
        if result.suggestions:
            return None
        result.index = 0
        result.input_data = result.custom = result.email_address = ""
        result.local_part = result.canonical = ""
        result.complete_time = None
        if case.duplicate_of is not None:
            result.explanation = ""
        result.duplicate_of = result.syntax_failure_index = None
        return self._encoder.form(result)


def is_plain_local_part(text: str) -> bool:
    """Whether a text is a dot-atom (RFC 5321 4.1.2) that is its own canonical form: no capitals,
    no tag."""
    if len(text) > MAX_LOCAL_PART:
        return False
    if text.isalnum() and text.isascii() and text.islower():  # sooner seen
        return True
    return _PLAIN_LOCAL_PART(text) is not None


def is_short(text: str) -> bool:
    """Whether an input or a custom text is ASCII and no matter of speed."""
    return len(text) <= MAX_PLAIN_CHARACTERS and text.isascii()


def _case(entry: WorkEntry, quality: QualityLevel) -> Case:
    return Case(*entry, attempt=0, quality=quality, done=lambda _: None)


def _of(kept: dict[QualityLevel, dict[str, Any]], quality: QualityLevel) -> dict[str, Any]:
    """The forms for a chunk: none is dropped before all of it are answered."""
    forms = kept.setdefault(quality, {})
    if len(forms) > MAX_FORMS:
        forms.clear()
    return forms
