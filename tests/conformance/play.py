"""Plays a scenario with a driver, and holds what was seen against what the scenario expects."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from mailvet.v1 import result_service_pb2
from tests import validators
from tests.conformance.house import House, Stage
from tests.conformance.matching import differences, filled
from tests.conformance.process import Driver
from tests.conformance.scenario import Scenario, Step

PATIENCE_MS = 30_000
WARM = 10
"""After a tenth of it what a client holds on to has filled."""


async def play(scenario: Scenario, driver: Driver, house: House, folder: Path) -> dict[str, float]:
    """Play a scenario; returns the figures of the step that weighs the client, if there is one.

    Raises `AssertionError` with everything that is other than expected.
    """
    figures: dict[str, float] = {}
    for name, text in scenario.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    batch = f"{scenario.name}-{driver.language.name}".replace("_", "-")
    words = {"batch": batch, "folder": str(folder), **driver.hello}
    stage = await house.stage(filled(scenario.server, words), scenario.settings)
    words |= {"target": stage.target, **stage.words}
    connect = {"do": "connect", "target": stage.target, "patience_ms": PATIENCE_MS}
    await _carry_out(Step(connect | filled(scenario.connect, words), ok={}), driver, stage, words)
    for step in scenario.steps:
        figures |= await _carry_out(step, driver, stage, words)
    for method, messages in filled(scenario.heard, words).items():
        _heard(method, messages, stage)
    return figures


def _heard(method: str, expected: list[Any], stage: Stage) -> None:
    heard = [one for one in stage.heard() if one.method == method]
    said = [one.said(before) for before, one in zip([None, *heard], heard, strict=False)]
    assert len(expected) == len(said), f"{method} was called with {said}"
    for number, (one, message) in enumerate(zip(expected, said, strict=True)):
        least_ms = one.pop("after_ms", 0)
        wrong = list(differences(one, message, first=said[0], at=f"{method}[{number}]"))
        assert not wrong, "\n".join(wrong)
        assert message["after_ms"] >= least_ms, f"{method}[{number}] came too early"


async def _carry_out(
    step: Step, driver: Driver, stage: Stage, words: dict[str, str]
) -> dict[str, float]:
    seen = _Seen(step, driver, stage)
    began = time.monotonic()
    command = filled(step.command, words)
    try:
        async with asyncio.timeout(step.within_s):
            async for said in driver.do(command):
                seen.note(said, words["batch"])
            await seen.faults_are_over()
    except TimeoutError:
        await driver.kill()
        raise AssertionError(
            f"{command}: no end after {step.within_s} s and {len(seen.saw)} observations; "
            f"{driver.errors()}{stage.log()}"
        ) from None
    seconds = time.monotonic() - began
    assert seconds * 1000 >= step.at_least_ms, "it did not wait"
    seen.judge(words)
    return {"seconds": seconds, **seen.weights()} if step.memory_mib is not None else {}


class _Seen:
    """What comes of one command."""

    def __init__(self, step: Step, driver: Driver, stage: Stage) -> None:
        self.saw: list[dict[str, Any]] = []
        self._step = step
        self._driver = driver
        self._stage = stage
        self._end: dict[str, Any] = {}
        self._reached = 0
        self._faults = list(step.faults)
        self._inflicted: asyncio.Task[None] | None = None
        self._warm_mib = self._most_mib = 0.0

    def note(self, said: dict[str, Any], batch_id: str) -> None:
        """Take one observation, and do to the server what is due by then."""
        if "saw" not in said:
            self._end = said
            return
        saw = said["saw"]
        self.saw.append(saw)
        self._reached = _reached(saw, self._reached)
        if self._step.memory_mib is not None:
            self._weigh(self._step.results or self._step.acks or 0)
        busy = self._inflicted is not None and not self._inflicted.done()
        if self._faults and not busy and self._reached >= self._faults[0].after:
            fault = self._faults.pop(0)
            self._raise_if_failed()
            self._inflicted = asyncio.ensure_future(self._stage.inflict(fault.do, batch_id))

    def _weigh(self, whole: int) -> None:
        if self._reached * WARM >= whole:
            self._most_mib = max(self._most_mib, self._driver.resident_mib())
            self._warm_mib = self._warm_mib or self._most_mib

    def weights(self) -> dict[str, float]:
        """What was read, and the driver's memory after a tenth of it and at most, in MiB."""
        return {"results": self._reached, "warm": self._warm_mib, "most": self._most_mib}

    def _raise_if_failed(self) -> None:
        if self._inflicted is not None:
            self._inflicted.result()

    async def faults_are_over(self) -> None:
        """Wait until the server is as it was; holds that every fault came about."""
        if self._inflicted is not None:
            await self._inflicted
        assert [] == self._faults, f"after {self._reached} there was an end: {self._end}"

    def judge(self, words: dict[str, str]) -> None:
        """Hold what was seen against what was expected."""
        step = self._step
        expected = {"ok": step.ok or {}} if step.error is None else {"error": step.error}
        wrong = list(differences(filled(expected, words), self._end))
        if step.see is not None:
            wrong += differences(filled(step.see, words), self.saw, at="saw")
        if step.results is not None and not wrong:
            wrong += _incomplete(self.saw, step.results)
        if step.acks is not None:
            wrong += _counts([saw["acked"] for saw in self.saw], step.acks)
        if step.progress is not None:
            heard = [saw["progress"] for saw in self.saw if "progress" in saw]
            wrong += _counts(heard, step.progress)
        for path, text in filled(step.wrote, words).items():
            written = Path(path).read_text("utf-8")
            wrong += differences(text, written, at=path)
        if step.memory_mib is not None and self._most_mib - self._warm_mib > step.memory_mib:
            wrong.append(f"{self._warm_mib} MiB became {self._most_mib}")
        assert not wrong, "\n".join([str(step.command), *wrong, self._driver.errors()])


def _reached(saw: dict[str, Any], before: int) -> int:
    """How far a command is, as faults count it: results, entries, bytes, or frames."""
    if "acked" in saw:
        return int(saw["acked"])
    if "reply" in saw:
        return int(saw["reply"].get("size_bytes", 0))
    if "exported" in saw:
        return int(saw["exported"][1])
    if "indexes" in saw:
        return before + len(saw["indexes"])
    if "frame" in saw:
        return before + (len(saw["frame"].get("results", ())) or ("progress" in saw["frame"]))
    return before + ("result" in saw)


def _incomplete(saw: list[dict[str, Any]], count: int) -> Iterator[str]:
    if saw and "frame" in saw[0]:
        kind = result_service_pb2.StreamResultsResponse
        validators.complete([ParseDict(one["frame"], kind()) for one in saw], count)
        return
    told = [index for one in saw for index in one.get("indexes", ())]
    told += [one["result"].get("index", 0) for one in saw if "result" in one]
    if count != len(told):
        yield f"{len(told)} results of {count}"
    if set(range(count)) != set(told):
        yield f"{len(set(told))} entries of {count} have a result"


def _counts(heard: list[Any], last: Any) -> Iterator[str]:
    if sorted(heard) != heard:
        yield f"a count was taken back: {heard}"
    if heard[-1:] != [last]:
        yield f"the last count is {heard[-1:]} where {last} is expected"
