"""CatalogService: what this server is, and what its words mean."""

from collections.abc import Callable, Sequence
from functools import cache

from google.protobuf.duration_pb2 import Duration

import mailvet
from mailvet.batches import limits
from mailvet.lists import Lists, inventory, load_lists
from mailvet.model.quality import COST_UNITS, QualityTerms
from mailvet.model.status import EntryStatus, classification_of
from mailvet.rpc.call import Call
from mailvet.rpc.descriptors import enum_comments
from mailvet.v1 import catalog_service_pb2 as pb

FEATURES = (
    "batches",
    "stream_entries",
    "stream_results",
    "watch",
    "verify",
    "explain",
    "rules",
    "verify_stream",
    "quality_levels",
    "lists",
)
"""What clients of several versions may ask for by name; names are only ever added."""


class CatalogService:
    """Answers the methods of mailvet.v1.CatalogService."""

    def __init__(
        self,
        terms: Sequence[QualityTerms] = (),
        lists: Callable[[], Lists] = load_lists,
        *,
        abuse_contact: str = "",
    ) -> None:
        """`terms` are those of every quality level; `lists()` returns the lists in force."""
        self._abuse_contact = abuse_contact
        self._terms = terms
        self._lists = lists

    async def get_server_info(
        self, _request: pb.GetServerInfoRequest, _call: Call[pb.GetServerInfoRequest]
    ) -> pb.GetServerInfoResponse:
        """Return the version, the limits and the features."""
        return pb.GetServerInfoResponse(
            version=mailvet.__version__,
            limits=_limits(),
            features=FEATURES,
            abuse_contact=self._abuse_contact,
        )

    async def list_statuses(
        self, _request: pb.ListStatusesRequest, _call: Call[pb.ListStatusesRequest]
    ) -> pb.ListStatusesResponse:
        """Return every status with its meaning."""
        return pb.ListStatusesResponse(statuses=_statuses())

    async def list_quality_levels(
        self, _request: pb.ListQualityLevelsRequest, _call: Call[pb.ListQualityLevelsRequest]
    ) -> pb.ListQualityLevelsResponse:
        """Return what each quality level costs and how hard it tries."""
        return pb.ListQualityLevelsResponse(quality_levels=map(_quality_level, self._terms))

    async def list_lists(
        self, _request: pb.ListListsRequest, _call: Call[pb.ListListsRequest]
    ) -> pb.ListListsResponse:
        """Return the data lists in force."""
        found = inventory(self._lists())
        return pb.ListListsResponse(lists=[pb.ListInfo(**one._asdict()) for one in found])


def _quality_level(terms: QualityTerms) -> pb.QualityLevelInfo:
    meanings = enum_comments("mailvet/v1/status.proto", "QualityLevel")
    return pb.QualityLevelInfo(
        quality=terms.quality,  # type: ignore[arg-type]  # the numbers are the proto's
        meaning=meanings[terms.quality],
        cost_units=COST_UNITS[terms.quality],
        max_attempts=1 + len(terms.retry_delays_s),
        retry_delays=[_duration(delay_s) for delay_s in terms.retry_delays_s],
        connect_timeout=_duration(terms.connect_s),
        greeting_timeout=_duration(terms.greeting_s),
        command_timeout=_duration(terms.command_s),
        attempt_timeout=_duration(terms.attempt_s),
    )


def _duration(seconds: float) -> Duration:
    made = Duration()
    made.FromMilliseconds(round(seconds * 1000))
    return made


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
