"""Values to protobuf: results for the store, batches and progress for the wire."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from mailvet.batches.watch import Standing
from mailvet.model.batch import Batch, Removal, ResultRow
from mailvet.model.result import Evidence, ListHit, Result, RiskPoint, SmtpEvidence
from mailvet.model.targeting import Targeting
from mailvet.rpc.frames import field_tag, framed, varint
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import callback_pb2 as callback_pb
from mailvet.v1 import result_pb2 as result_pb
from mailvet.v1 import targeting_pb2 as targeting_pb

Count = TypeVar("Count")

MAX_REPLY_CHARACTERS = 512
"""A reply's sense is in its first lines; a host may send 64 KiB to whoever reads it."""

_EVIDENCE_TAG = field_tag(result_pb.Result.EVIDENCE_FIELD_NUMBER)


def encode_result(result: Result) -> ResultRow:
    """Return the row the store keeps: the bytes of every view, written once, spliced ever after.

    Whatever a host or a list put into the result, this returns: control characters in their
    words are escaped, what is no Unicode text (lone surrogates) is replaced.
    """
    try:
        return _row(result)
    except UnicodeEncodeError:
        return _row(_clean(result))


def _row(result: Result) -> ResultRow:
    basic = _basic(result).SerializeToString()
    evidence = result.evidence
    return ResultRow(
        result.index,
        result.status,
        result.classification,
        framed(basic + _more(result).SerializeToString() + _risk_points(result.risk_points)),
        len(basic),
        b"" if evidence is None else _evidence(evidence),
    )


def _basic(result: Result) -> result_pb.Result:
    """Fields 1 to 15."""
    return result_pb.Result(
        index=result.index,
        input_data=result.input_data,
        custom=result.custom,
        status=result.status,  # type: ignore[arg-type]  # the numbers are the proto's
        classification=result.classification,  # type: ignore[arg-type]
        risk_score=result.risk_score,
        email_address=result.email_address,
        category=result.category,  # type: ignore[arg-type]
        duplicate_of=result.duplicate_of,
        complete_time=timestamp(result.complete_time),
        suggestions=result.suggestions,
        syntax_failure_index=result.syntax_failure_index,
        explanation=printable(result.explanation),
        custom_classification=result.custom_classification,
    )


def _more(result: Result) -> result_pb.Result:
    """Fields from 16 on, without risk points and evidence."""
    return result_pb.Result(
        local_part=result.local_part,
        domain=result.domain,
        ascii_domain=result.ascii_domain,
        canonical=result.canonical,
        tag=result.tag,
        has_international_mailbox_name=result.has_international_mailbox_name,
        has_international_domain_name=result.has_international_domain_name,
        provider_type=result.provider_type,  # type: ignore[arg-type]
        mail_provider=result.mail_provider,
        mx_hosts=result.mx_hosts,
        mx_valid=result.mx_valid,  # type: ignore[arg-type]
        is_disposable=result.is_disposable,
        is_free=result.is_free,
        is_masked=result.is_masked,
        local_part_type=result.local_part_type,  # type: ignore[arg-type]
        is_role_account=result.is_role_account,
        can_connect=result.can_connect,  # type: ignore[arg-type]
        is_deliverable=result.is_deliverable,  # type: ignore[arg-type]
        is_catch_all=result.is_catch_all,  # type: ignore[arg-type]
        has_full_inbox=result.has_full_inbox,  # type: ignore[arg-type]
        is_disabled=result.is_disabled,  # type: ignore[arg-type]
        attempts=result.attempts,
        quality=result.quality,  # type: ignore[arg-type]
        warnings=result.warnings,
        from_cache=result.from_cache,
        cache_age=duration(result.cache_age),
    )


# Many entries share these parts, and a message may be written in parts: each once is enough.
@lru_cache(maxsize=4096)
def _risk_points(points: tuple[RiskPoint, ...]) -> bytes:
    return result_pb.Result(
        risk_points=[result_pb.RiskPoint(name=point.name, points=point.points) for point in points]
    ).SerializeToString()


@lru_cache(maxsize=4096)
def _domain_evidence(
    dns_records: tuple[str, ...], made_up: SmtpEvidence | None, list_hits: tuple[ListHit, ...]
) -> bytes:
    return result_pb.Evidence(
        dns_records=map(printable, dns_records),
        made_up_mailbox=smtp_evidence(made_up),
        list_hits=map(_hit, list_hits),
    ).SerializeToString()


def _hit(hit: ListHit) -> result_pb.ListHit:
    return result_pb.ListHit(list=hit.list, row=hit.row, source=hit.source, date=hit.date)


def _evidence(evidence: Evidence) -> bytes:
    """The field `evidence` of a Result."""
    own = result_pb.Evidence(
        mailbox=smtp_evidence(evidence.mailbox), findings=evidence.findings
    ).SerializeToString()
    shared = _domain_evidence(evidence.dns_records, evidence.made_up_mailbox, evidence.list_hits)
    return _EVIDENCE_TAG + varint(len(own) + len(shared)) + own + shared


@lru_cache(maxsize=4096)  # lists have the same roles again and again
def role_evidence(role: ListHit) -> bytes:
    """Return the field `evidence` with nothing but the role that a mailbox names."""
    return evidence_field(result_pb.Evidence(list_hits=[_hit(role)]))


def evidence_field(evidence: result_pb.Evidence) -> bytes:
    """Return the field `evidence` of a Result; parts of it that follow each other are merged."""
    encoded = evidence.SerializeToString()
    return _EVIDENCE_TAG + varint(len(encoded)) + encoded


def smtp_evidence(seen: SmtpEvidence | None) -> result_pb.SmtpEvidence | None:
    """Return one observation of a dialogue, its text printable and cut."""
    if seen is None:
        return None
    return result_pb.SmtpEvidence(
        stage=seen.stage,
        host=seen.host,
        address=seen.address,
        code=seen.code,
        enhanced_code=seen.enhanced_code,
        text=printable(seen.text[:MAX_REPLY_CHARACTERS]),
        trouble=seen.trouble,
        meaning=seen.meaning,
        rule=seen.rule,
    )


def printable(text: str) -> str:
    """Return `text` with control, bidi and other invisible characters escaped (CWE-117)."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _clean(result: Result) -> Result:
    return replace(result, **_unicode_fields(result))


def _unicode_fields(value: Any) -> dict[str, Any]:
    return {field.name: _unicode(getattr(value, field.name)) for field in fields(value)}


def _unicode(value: Any) -> Any:
    if type(value) is str:
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, tuple):
        return tuple(_unicode(item) for item in value)
    if isinstance(value, Evidence | SmtpEvidence):
        return replace(value, **_unicode_fields(value))
    return value


def timestamp(seconds: float | None) -> Timestamp | None:
    """Return seconds since the epoch as a Timestamp to the microsecond; None stays None."""
    if seconds is None:
        return None
    return Timestamp(seconds=math.floor(seconds), nanos=nanos_of(seconds))


def nanos_of(seconds: float) -> int:
    """Return what is beyond whole seconds, in nanoseconds, to the microsecond."""
    return int((seconds - math.floor(seconds)) * 1_000_000) * 1000


def duration(seconds: float | None) -> Duration | None:
    """Return seconds as a Duration to the millisecond; None stays None."""
    if seconds is None:
        return None
    whole = math.floor(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1000) * 1_000_000)


def encode_batch(standing: Standing) -> batch_pb.Batch:
    """Return a batch with its progress."""
    batch, spec = standing.batch, standing.batch.spec
    return batch_pb.Batch(
        batch_id=batch.batch_id,
        name=spec.name,
        description=spec.description,
        labels=spec.labels,
        state=batch.state,  # type: ignore[arg-type]
        quality=spec.quality,  # type: ignore[arg-type]
        priority=spec.priority,
        deduplication=spec.deduplication,  # type: ignore[arg-type]
        duplicate_keep=(
            batch_pb.DUPLICATE_KEEP_LAST if spec.keep_last else batch_pb.DUPLICATE_KEEP_FIRST
        ),
        entry_count=batch.entry_count,
        create_time=timestamp(batch.create_time),
        launch_time=timestamp(batch.launch_time),
        end_time=timestamp(batch.end_time),
        progress=encode_progress(standing),
        rule_count=len(spec.rules),
        etag=batch.etag,
        targeting=_targeting(spec.targeting),
        retention=duration(spec.retention_s),
        expire_time=timestamp(batch.expire_time),
        stored_bytes=standing.progress.stored_bytes,
        callback=_callback(batch),
        max_age=duration(spec.max_age_s or None),
        max_shared_age=duration(spec.max_shared_age_s or None),
        removal=_removal(spec.removal),
        removed_count=batch.removed_count,
        creator=spec.creator,
        bare_domains=spec.bare_domains,
    )


def _callback(batch: Batch) -> callback_pb.Callback | None:
    """What was asked for, but for the secrets, and how it stands."""
    asked, calls = batch.spec.callback, batch.calls
    if asked is None:
        return None
    return callback_pb.Callback(
        url=asked.url,
        format=asked.format,  # type: ignore[arg-type]
        attempt_count=calls.attempts,
        last_attempt_time=timestamp(calls.last_time),
        last_outcome=calls.outcome,
        delivered=calls.delivered,
        next_attempt_time=timestamp(calls.next_time),
    )


def _removal(removal: Removal) -> batch_pb.Removal | None:
    if not removal:
        return None
    return batch_pb.Removal(
        duplicates=Removal.DUPLICATES in removal,
        wrong_format=Removal.WRONG_FORMAT in removal,
        wrong_phone=Removal.WRONG_PHONE in removal,
    )


def _targeting(meant: Targeting) -> targeting_pb.Targeting | None:
    if not any(meant):
        return None
    return targeting_pb.Targeting(
        country=meant.country,
        audience=meant.audience,  # type: ignore[arg-type]
        market_industry=meant.market_industry,  # type: ignore[arg-type]
        objective=meant.objective,  # type: ignore[arg-type]
    )


def encode_progress(standing: Standing) -> batch_pb.Progress:
    """Return how the work stands."""
    progress = standing.progress
    return batch_pb.Progress(
        entry_count=progress.entry_count,
        result_count=progress.result_count,
        waiting_count=progress.waiting_count,
        active_count=progress.active_count,
        removed_count=progress.removed_count,
        classifications=_counts(
            progress.classifications,
            lambda number, count: batch_pb.ClassificationCount(classification=number, count=count),
        ),
        statuses=_counts(
            progress.statuses,
            lambda number, count: batch_pb.StatusCount(status=number, count=count),
        ),
        rate=round(standing.rate, 2),
        remaining_time=duration(standing.remaining_s),
        next_attempt_time=timestamp(progress.next_attempt_at),
        hindrances=[
            batch_pb.Hindrance(kind=kind, detail=detail) for kind, detail in standing.hindrances
        ],
    )


def _counts(counts: Mapping[int, int], make: Callable[[Any, int], Count]) -> list[Count]:
    """The counts that are shown, largest first; 0 is the number of things without a word."""
    shown = [(number, count) for number, count in counts.items() if number and count]
    return [make(number, count) for number, count in sorted(shown, key=lambda item: -item[1])]
