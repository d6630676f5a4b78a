"""Putting a world's entries to a whole service, and holding the answers to its expectations."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mailvet.client import connect
from mailvet.model.status import Classification, EntryStatus, QualityLevel, classification_of
from mailvet.serve.run import Service
from mailvet.testbed.world import Expectation
from mailvet.v1 import batch_pb2, batch_service_pb2, result_pb2, result_service_pb2, status_pb2


def read_beside(world: Path, name: str) -> dict[str, Any]:
    """Return the TOML file of that name beside a world; empty when there is none."""
    path = world.parent / name
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


async def verify(
    service: Service, expected: Sequence[Expectation], quality: QualityLevel
) -> list[result_pb2.Result]:
    """Verify the entries in one batch and return their results in the same order."""
    async with connect(service.address) as client:
        batch = await client.create_batch(
            batch_service_pb2.CreateBatchRequest(
                quality=status_pb2.QualityLevel.ValueType(quality),
                entries=[batch_pb2.Entry(input_data=one.address) for one in expected],
                launch=True,
            )
        )
        found: dict[int, result_pb2.Result] = {}
        request = result_service_pb2.StreamResultsRequest(batch_id=batch.batch_id)
        async for frame in client.stream_results(request):
            found |= {result.index: result for result in frame.results}
    return [found[index] for index in range(len(expected))]


def compare(
    expected: Sequence[Expectation],
    found: Sequence[result_pb2.Result],
    quality: QualityLevel = QualityLevel.STANDARD,
) -> None:
    """Hold every status to those that are right; none may be dead that nobody called dead."""
    wrong = [
        f"{one.address}: {_names(one.at(quality))}, not {EntryStatus(result.status).name} "
        f"({result.explanation}). {one.why}"
        for one, result in zip(expected, found, strict=True)
        if EntryStatus(result.status) not in one.at(quality)
    ]
    assert not wrong, "\n".join(wrong)
    for one, result in zip(expected, found, strict=True):
        alive = {classification_of(status) for status in one.at(quality)}
        if Classification.UNDELIVERABLE not in alive:
            assert Classification.UNDELIVERABLE != Classification(result.classification)


def compare_answers(answers: dict[str, Any], found: Sequence[result_pb2.Result]) -> None:
    """Hold further fields of the first answer about each address to what they should be."""
    first = {result.input_data: result for result in reversed(found)}
    given = {
        address: {name: _plain(getattr(first[address], name)) for name in fields}
        for address, fields in answers.items()
    }
    assert answers == given, f"{answers} is not {given}"


def _names(statuses: Iterable[EntryStatus]) -> str:
    return " or ".join(sorted(status.name for status in statuses))


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool) else list(value)
