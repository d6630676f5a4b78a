"""The rule for one field: what is wrong with it, what its limit is, and the way out.

Each function notes what is wrong and returns something harmless; the caller raises at the end.
"""

from collections.abc import Iterable, Mapping

from google.protobuf.duration_pb2 import Duration

from mailvet.batches import limits
from mailvet.errors import Violations
from mailvet.v1 import batch_service_pb2 as batch_service_pb
from mailvet.v1 import result_pb2 as result_pb
from mailvet.v1 import result_service_pb2 as result_service_pb
from mailvet.v1 import verification_service_pb2 as verification_pb

MAX_INT32 = 2**31 - 1

_VIEWS = frozenset(result_pb.ResultView.values())


def view(given: int, wrong: Violations) -> int:
    """Return how much of a result is sent."""
    return number(given, "view", _VIEWS, wrong)


def heartbeat(
    request: (
        batch_service_pb.WatchBatchRequest
        | result_service_pb.StreamResultsRequest
        | result_service_pb.ExportResultsRequest
        | verification_pb.ExplainEmailRequest
    ),
    least_s: float,
    wrong: Violations,
) -> float:
    """Return the seconds after which a quiet stream says something."""
    if not request.HasField("heartbeat_interval"):
        return limits.DEFAULT_HEARTBEAT_S
    return seconds(
        request.heartbeat_interval, "heartbeat_interval", least_s, limits.MAX_HEARTBEAT_S, wrong
    )


def seconds(given: Duration, path: str, least: float, most: float, wrong: Violations) -> float:
    """Return a Duration in seconds."""
    total = given.seconds + given.nanos / 1e9
    check_range(total, path, least, most, wrong, " s")
    return total


def page_size(given: int, wrong: Violations) -> int:
    """Return a page size: 0 is the default, too much is cut down, less is an error (AIP-158)."""
    if given < 0:
        wrong.add("page_size", f"{given} is negative; use 0 for {limits.DEFAULT_PAGE_SIZE}")
    return min(given, limits.MAX_PAGE_SIZE) or limits.DEFAULT_PAGE_SIZE


def check_request_id(text: str, wrong: Violations) -> None:
    """Check an idempotency key."""
    check_length(text, "request_id", limits.MAX_REQUEST_ID_CHARACTERS, wrong)
    if not (text.isascii() and text.isprintable()):
        wrong.add("request_id", "use printable ASCII characters only, such as a UUID")


def check_labels(labels: Mapping[str, str], wrong: Violations) -> None:
    """Check the labels of a batch."""
    given = dict(labels)
    if len(given) > limits.MAX_LABELS:
        wrong.add("labels", f"{len(given)} labels, at most {limits.MAX_LABELS}; send fewer")
    for key, value in sorted(given.items())[: limits.MAX_LABELS]:
        path = f"labels[{key[: limits.MAX_LABEL_KEY_CHARACTERS]}]"
        if not key:
            wrong.add(path, "a label needs a key")
        check_length(key, path, limits.MAX_LABEL_KEY_CHARACTERS, wrong)
        check_length(value, path, limits.MAX_LABEL_VALUE_CHARACTERS, wrong)


def check_length(text: str, path: str, most: int, wrong: Violations) -> None:
    """Check the length of a text in characters."""
    if len(text) > most:
        wrong.add(path, f"{len(text)} characters, at most {most}; shorten it")


def check_range(
    number: float, path: str, least: float, most: float, wrong: Violations, unit: str = ""
) -> None:
    """Check that a number, in `unit`, is in range."""
    if not least <= number <= most:
        shown, low, high = map(_plain, (number, least, most))
        wrong.add(path, f"{shown}{unit} is out of range; use {low} to {high}{unit}")


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"


def number(given: int, path: str, known: Iterable[int], wrong: Violations) -> int:
    """Return a known number of an enum.

    An enum is open on the wire: any number may come, only ours mean something.
    """
    if given not in set(known):
        wrong.add(path, f"{given} is no value of this field; describe it by reflection")
        return 0
    return given


def numbers(
    given: Iterable[int], path: str, known: Iterable[int], wrong: Violations
) -> frozenset[int]:
    """Return the known numbers of a repeated enum."""
    wanted = set(known) - {0}
    given = list(given)
    for place, value in enumerate(given):
        if value not in wanted:
            wrong.add(f"{path}[{place}]", f"{value} is no value of this field; leave it out")
    return frozenset(given) & wanted
