"""CatalogService: what this server is, and what its words mean."""

from collections.abc import Sequence
from functools import cache

import mailvet
from mailvet.batches import limits
from mailvet.model.status import EntryStatus, classification_of
from mailvet.rpc.call import Call
from mailvet.rpc.descriptors import enum_comments
from mailvet.v1 import catalog_service_pb2 as pb

FEATURES = ("batches", "stream_entries", "stream_results", "watch", "verify", "explain", "rules")
"""What clients of several versions may ask for by name; names are only ever added."""


class CatalogService:
    """Answers the methods of mailvet.v1.CatalogService."""

    def __init__(self, features: Sequence[str] = FEATURES) -> None:
        self._features = features

    async def get_server_info(
        self, _request: pb.GetServerInfoRequest, _call: Call[pb.GetServerInfoRequest]
    ) -> pb.GetServerInfoResponse:
        """Return the version, the limits and the features."""
        return pb.GetServerInfoResponse(
            version=mailvet.__version__, limits=_limits(), features=self._features
        )

    async def list_statuses(
        self, _request: pb.ListStatusesRequest, _call: Call[pb.ListStatusesRequest]
    ) -> pb.ListStatusesResponse:
        """Return every status with its meaning."""
        return pb.ListStatusesResponse(statuses=_statuses())


def _limits() -> pb.Limits:
    return pb.Limits(
        max_entries_per_call=limits.MAX_ENTRIES_PER_CALL,
        max_entries_per_frame=limits.MAX_ENTRIES_PER_FRAME,
        max_entries_per_batch=limits.MAX_ENTRIES_PER_BATCH,
        max_message_bytes=limits.MAX_MESSAGE_BYTES,
        max_input_bytes=limits.MAX_INPUT_BYTES,
        max_custom_characters=limits.MAX_CUSTOM_CHARACTERS,
        max_results_per_frame=limits.MAX_RESULTS_PER_FRAME,
    )


@cache
def _statuses() -> list[pb.StatusInfo]:
    """The meanings are the comments of the proto: they are written once."""
    comments = enum_comments("mailvet/v1/status.proto", "EntryStatus")
    return [
        pb.StatusInfo(
            status=status,  # type: ignore[arg-type]  # the numbers are the proto's
            classification=classification_of(status),  # type: ignore[arg-type]
            meaning=comments[status],
        )
        for status in EntryStatus
        if status is not EntryStatus.UNSPECIFIED
    ]
