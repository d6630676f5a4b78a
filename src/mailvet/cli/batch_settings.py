"""From the flags of `mailvet batches` to settings of a batch."""

import argparse

from google.protobuf.field_mask_pb2 import FieldMask

from mailvet.errors import ConfigError
from mailvet.v1 import batch_pb2, batch_service_pb2

_FLAGS = ("name", "description", "priority")


def update_request(arguments: argparse.Namespace) -> batch_service_pb2.UpdateBatchRequest:
    """Return the request that changes what was given, and nothing else."""
    given = {name: getattr(arguments, name) for name in _FLAGS}
    given = {name: value for name, value in given.items() if value is not None}
    if arguments.label is not None:
        given["labels"] = labels(arguments.label)
    if not given:
        raise ConfigError(
            "`mailvet batches update` needs --name, --description, --priority or --label"
        )
    return batch_service_pb2.UpdateBatchRequest(
        batch=batch_pb2.Batch(batch_id=arguments.batch_id, etag=arguments.etag, **given),
        update_mask=FieldMask(paths=list(given)),
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
