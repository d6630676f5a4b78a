"""From the flags of `mailvet batches` to requests."""

import argparse
import uuid
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from mailvet.errors import ConfigError
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    callback_pb2,
    result_service_pb2,
    status_pb2,
)

_FLAGS = ("name", "description", "priority")


def update_request(arguments: argparse.Namespace) -> batch_service_pb2.UpdateBatchRequest:
    """Return the request that changes what was given, and nothing else."""
    given = {name: getattr(arguments, name) for name in _FLAGS}
    given = {name: value for name, value in given.items() if value is not None}
    if arguments.label is not None:
        given["labels"] = labels(arguments.label)
    paths = list(given)
    if arguments.callback is not None:
        paths.append("callback")
        if arguments.callback:
            given["callback"] = callback_pb2.Callback(
                url=arguments.callback, secrets=arguments.callback_secret
            )
    if not paths:
        raise ConfigError(
            "`mailvet batches update` needs --name, --description, --priority, --label or"
            " --callback"
        )
    return batch_service_pb2.UpdateBatchRequest(
        batch=batch_pb2.Batch(batch_id=arguments.batch_id, etag=arguments.etag, **given),
        update_mask=FieldMask(paths=paths),
    )


def labels(given: list[str]) -> dict[str, str]:
    """Return labels from `KEY=VALUE`; a bare `=` is none."""
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--label {text!r}: write it as KEY=VALUE")
        if key or value:
            found[key] = value
    return found


def prepare_request(arguments: argparse.Namespace) -> batch_service_pb2.PrepareBatchRequest:
    """Return the request that prepares a batch; what was not said stays as it is."""
    given = {
        "quality": _value(status_pb2.QualityLevel, "QUALITY_LEVEL_", arguments.quality),
        "deduplication": _value(batch_pb2.Deduplication, "DEDUPLICATION_", arguments.dedupe),
        "duplicate_keep": _value(batch_pb2.DuplicateKeep, "DUPLICATE_KEEP_", arguments.keep),
    }
    request = batch_service_pb2.PrepareBatchRequest(
        batch_id=arguments.batch_id,
        etag=arguments.etag,
        phone_column=arguments.phone_column,
        phone_country=arguments.phone_country,
        **given,
    )
    if arguments.remove is not None:
        request.removal.CopyFrom(removal(arguments.remove))
    return request


def removal(text: str) -> batch_pb2.Removal:
    """Return what is removed, of words such as `duplicates,wrong-format`; `nothing` is none."""
    asked = batch_pb2.Removal()
    for word in filter(None, text.split(",")):
        name = word.strip().replace("-", "_")
        if name not in asked.DESCRIPTOR.fields_by_name and name != "nothing":
            known = ", ".join(one.replace("_", "-") for one in asked.DESCRIPTOR.fields_by_name)
            raise ConfigError(f"--remove {word!r}: use {known}, or nothing")
        if name != "nothing":
            setattr(asked, name, True)
    return asked


def reverify_request(arguments: argparse.Namespace) -> result_service_pb2.ReverifyResultsRequest:
    """Return the request for a new batch; safe to repeat."""
    return result_service_pb2.ReverifyResultsRequest(
        batch_id=arguments.batch_id,
        filter=result_filter(arguments.only, arguments.excluded),
        quality=_value(status_pb2.QualityLevel, "QUALITY_LEVEL_", arguments.quality),
        name=arguments.name or "",
        launch=arguments.launch,
        request_id=str(uuid.uuid4()),
    )


def result_filter(only: list[str], excluded: list[str]) -> result_service_pb2.ResultFilter:
    """Return the filter of words such as `risky` or `SERVER_IS_CATCH_ALL`."""
    found = result_service_pb2.ResultFilter()
    for word in only:
        _add(word, found.classifications, found.statuses)
    for word in excluded:
        _add(word, found.exclude_classifications, found.exclude_statuses)
    return found


def _add(word: str, classifications: Any, statuses: Any) -> None:
    name = word.upper().replace("-", "_")
    for enum, prefix, into in (
        (status_pb2.Classification, "CLASSIFICATION_", classifications),
        (status_pb2.EntryStatus, "ENTRY_STATUS_", statuses),
    ):
        if f"{prefix}{name}" in dict(enum.items()):
            into.append(enum.Value(f"{prefix}{name}"))
            return
    raise ConfigError(f"{word!r} is no classification and no status")


def _value(enum: Any, prefix: str, word: str | None) -> Any:
    return enum.Value(prefix + word.upper()) if word else 0
