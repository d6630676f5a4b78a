"""Override rules and classification schemes: protobuf to values, every wrong field named at once.

Which patterns are good, `verdict.override` knows.
"""

from collections.abc import Sequence

from mailvet.batches import limits
from mailvet.errors import Violations
from mailvet.model.ruling import OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import Classification, EntryStatus
from mailvet.rpc import rules as fields
from mailvet.v1 import rules_pb2 as pb
from mailvet.verdict.override import fault_in

_SAY_THEMSELVES = (EntryStatus.DUPLICATE, EntryStatus.OVERRIDE_MATCH)


def overrides(
    given: Sequence[pb.OverrideRule], path: str, wrong: Violations
) -> tuple[OverrideRule, ...]:
    """Return the override rules of a request; `path` is their field."""
    if len(given) > limits.MAX_RULES:
        wrong.add(path, f"{len(given)} rules, at most {limits.MAX_RULES}; send fewer")
        return ()
    return tuple(_override(rule, f"{path}[{place}].", wrong) for place, rule in enumerate(given))


def _override(rule: pb.OverrideRule, path: str, wrong: Violations) -> OverrideRule:
    fault = fault_in(rule.pattern)
    if fault is not None:
        wrong.add(f"{path}pattern", fault)
    if not rule.classification:
        wrong.add(f"{path}classification", "say what to do with the addresses that match")
    number = fields.number(rule.classification, f"{path}classification", Classification, wrong)
    _check_text(rule.note, f"{path}note", limits.MAX_NOTE_CHARACTERS, wrong)
    return OverrideRule(rule.pattern, Classification(number), rule.note)


def tenant_rules(given: pb.Rules, wrong: Violations) -> TenantRules:
    """Return the rules of UpdateRules."""
    return TenantRules(
        overrides=overrides(given.overrides, "rules.overrides", wrong),
        scheme=_scheme(given.scheme, wrong),
    )


def _scheme(given: Sequence[pb.SchemeRow], wrong: Violations) -> tuple[SchemeRow, ...]:
    rows: dict[EntryStatus, SchemeRow] = {}
    for place, one in enumerate(given[: len(EntryStatus)]):
        path = f"rules.scheme[{place}]."
        row = _scheme_row(one, path, wrong)
        if row.status in rows:
            wrong.add(f"{path}status", f"{row.status.name} has a row already; merge them")
        rows[row.status] = row
    if len(given) > len(EntryStatus):
        wrong.add("rules.scheme", f"{len(given)} rows; each status needs one at most")
    return tuple(rows.values())


def _scheme_row(row: pb.SchemeRow, path: str, wrong: Violations) -> SchemeRow:
    if not row.status:
        wrong.add(f"{path}status", "say which status the row is about")
    status = EntryStatus(fields.number(row.status, f"{path}status", EntryStatus, wrong))
    number = fields.number(row.classification, f"{path}classification", Classification, wrong)
    if number and status in _SAY_THEMSELVES:
        wrong.add(
            f"{path}classification", f"{status.name} says itself what it means; give a label only"
        )
    if not number and not row.label:
        wrong.add(path.rstrip("."), "give the status a classification, a label or both")
    _check_text(row.label, f"{path}label", limits.MAX_SCHEME_LABEL_CHARACTERS, wrong)
    return SchemeRow(status, Classification(number), row.label)


def _check_text(text: str, path: str, most: int, wrong: Violations) -> None:
    fields.check_length(text, path, most, wrong)
    if not text.isprintable():
        wrong.add(path, "use printable characters only")
