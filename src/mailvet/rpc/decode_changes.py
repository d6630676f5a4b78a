"""UpdateBatch and PrepareBatch to changed settings: which fields, and what they become."""

from collections.abc import Callable
from typing import Any

from mailvet.batches import limits
from mailvet.batches.prepare import Prepare
from mailvet.callbacks.url import UrlRules
from mailvet.errors import Violations
from mailvet.model.keeping import MAX_RETENTION_S, MIN_RETENTION_S
from mailvet.model.status import Deduplication, QualityLevel
from mailvet.rpc import rules
from mailvet.rpc.decode import removal
from mailvet.rpc.decode_callback import callback
from mailvet.rpc.decode_targeting import check_phones, targeting
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb

Read = Callable[[batch_pb.Batch, UrlRules, Violations], dict[str, Any]]


def spec_changes(request: pb.UpdateBatchRequest, url_rules: UrlRules) -> dict[str, Any]:
    """Return new values of `BatchSpec`; without a mask, of the fields that are set (AIP-134)."""
    wrong = Violations()
    changes: dict[str, Any] = {}
    for path in _paths(request, wrong):
        changes |= _FIELDS[path](request.batch, url_rules, wrong)
    wrong.raise_if_any()
    return changes


def preparing(request: pb.PrepareBatchRequest) -> Prepare:
    """Return what PrepareBatch asks for: new values of `BatchSpec`, and phones to look at."""
    wrong = Violations()
    mode = rules.number(request.deduplication, "deduplication", Deduplication, wrong)
    keeps = batch_pb.DuplicateKeep.values()
    keep = rules.number(request.duplicate_keep, "duplicate_keep", keeps, wrong)
    quality = rules.number(request.quality, "quality", QualityLevel, wrong)
    check_phones(request.phone_column, request.phone_country, "", wrong)
    wrong.raise_if_any()
    changes: dict[str, Any] = {}
    if mode:
        changes["deduplication"] = Deduplication(mode)
    if keep:
        changes["keep_last"] = keep == batch_pb.DUPLICATE_KEEP_LAST
    if quality:
        changes["quality"] = QualityLevel(quality)
    if request.HasField("removal"):
        changes["removal"] = removal(request.removal)
    return Prepare(changes, request.phone_column, request.phone_country)


def _paths(request: pb.UpdateBatchRequest, wrong: Violations) -> list[str]:
    named = list(request.update_mask.paths)
    if not request.batch.batch_id:
        wrong.add("batch.batch_id", "name the batch to change")
    if named == ["*"]:
        return list(_FIELDS)
    if not named:
        is_set = {field.name for field, _ in request.batch.ListFields()}
        named = [path for path in _FIELDS if path in is_set]
        if not named:
            wrong.add("update_mask", f"name what to change, of {_known()}")
    for place, path in enumerate(named):
        if path not in _FIELDS:
            wrong.add(f"update_mask.paths[{place}]", f"cannot be changed; only {_known()} can")
    return [path for path in named if path in _FIELDS]


def _known() -> str:
    return ", ".join(_FIELDS)


def _name(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    rules.check_length(batch.name, "batch.name", limits.MAX_NAME_CHARACTERS, wrong)
    return {"name": batch.name}


def _description(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    most = limits.MAX_DESCRIPTION_CHARACTERS
    rules.check_length(batch.description, "batch.description", most, wrong)
    return {"description": batch.description}


def _labels(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    rules.check_labels(batch.labels, wrong)
    return {"labels": dict(batch.labels)}


def _priority(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    rules.check_range(batch.priority, "batch.priority", 0, limits.MAX_PRIORITY, wrong)
    return {"priority": batch.priority}


def _retention(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    if not batch.HasField("retention"):  # with the mask `*`: as it is
        return {}
    least, most = MIN_RETENTION_S, MAX_RETENTION_S
    return {"retention_s": rules.seconds(batch.retention, "batch.retention", least, most, wrong)}


def _callback(batch: batch_pb.Batch, url_rules: UrlRules, wrong: Violations) -> dict[str, Any]:
    if not batch.HasField("callback"):
        return {"callback": None}
    return {"callback": callback(batch.callback, "batch.callback.", url_rules, wrong)}


def _targeting(batch: batch_pb.Batch, _: UrlRules, wrong: Violations) -> dict[str, Any]:
    return {"targeting": targeting(batch.targeting, "batch.targeting.", wrong)}


_FIELDS: dict[str, Read] = {
    "name": _name,
    "description": _description,
    "labels": _labels,
    "priority": _priority,
    "retention": _retention,
    "callback": _callback,
    "targeting": _targeting,
}
