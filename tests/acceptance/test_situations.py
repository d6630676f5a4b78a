"""Every situation in a folder of its own: a world, and what must be answered in it.

Each runs against a whole service (gRPC, SQLite, DNS and SMTP over real sockets). The `[[expect]]`
tables of a world list the addresses and the statuses that are right for them. Beside a world there
may be `settings.toml`, settings of the service in that situation, and `answers.toml`, more fields
of the answers: a table for each address.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import connect
from mailvet.config import load
from mailvet.model.status import Classification, EntryStatus, QualityLevel, classification_of
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import Expectation, load_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_pb2, result_service_pb2, status_pb2

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/world.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_a_situation_is_answered_as_it_is(folder: Path, tmp_path: Path) -> None:
    """Every address of the world gets a status that is right for it, at STANDARD and at HIGH."""
    world = load_world(folder / "world.toml")
    expected = world.expected
    answers = _read(folder / "answers.toml")
    waiting = [one for one in expected if one.standard != one.high]
    async with Testbed(world) as bed:
        settings = load(
            {
                "listen": f"unix:{tmp_path}/socket",
                "store": str(tmp_path / "store.db"),
                "resolver": bed.resolver,
                "smtp_port": bed.smtp_port or 25,  # a world without hosts has no port
                "allow_network": bed.allow_networks,
                "helo": "server.mailvet.test",
                "time_scale": 0.05,
                "retry_scale": 0.01,
                "dns_timeout_s": 1,
                "egress_canaries": "",
                "drain_grace_s": 1,
                **_read(folder / "settings.toml"),
            }
        )
        async with Service(settings) as service:
            found = await _verify(service, expected, QualityLevel.STANDARD)
            _compare(expected, found)
            _compare_answers(answers, found)
            if waiting:
                later = await _verify(service, waiting, QualityLevel.HIGH)
                _compare(waiting, later, QualityLevel.HIGH)
        never_data = ("DATA", "VRFY", "EXPN")
        for session in bed.sessions.all:
            verbs = [command.split(b" ", 1)[0].upper().decode() for command in session.commands]
            assert not [verb for verb in verbs if verb in never_data]


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


def _compare(
    expected: tuple[Expectation, ...] | list[Expectation],
    found: list[result_pb2.Result],
    quality: QualityLevel = QualityLevel.STANDARD,
) -> None:
    wrong = {
        f"{one.address} ({one.why})": (sorted(one.at(quality)), EntryStatus(result.status).name)
        for one, result in zip(expected, found, strict=True)
        if EntryStatus(result.status) not in one.at(quality)
    }
    assert {} == wrong
    for one, result in zip(expected, found, strict=True):
        alive = {classification_of(status) for status in one.at(quality)}
        if Classification.UNDELIVERABLE not in alive:
            assert Classification.UNDELIVERABLE != Classification(result.classification)


def _compare_answers(answers: dict[str, Any], found: list[result_pb2.Result]) -> None:
    """Hold further fields of the first answer about each address to what they should be."""
    first = {result.input_data: result for result in reversed(found)}
    given = {
        address: {name: _plain(getattr(first[address], name)) for name in fields}
        for address, fields in answers.items()
    }
    assert answers == given


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | bool) else list(value)


async def _verify(
    service: Service, expected: tuple[Expectation, ...] | list[Expectation], quality: QualityLevel
) -> list[result_pb2.Result]:
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
