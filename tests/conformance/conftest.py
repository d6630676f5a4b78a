"""The servers and the drivers, kept for all scenarios; each driver starts when it is needed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.conformance.house import House
from tests.conformance.process import Driver, languages

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(name="run", scope="session")
def _run() -> Iterator[Run]:
    """Runs a coroutine on the loop that the servers and the drivers live on."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(name="house", scope="session")
def _house(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The servers."""
    house = House(tmp_path_factory.mktemp("house"))
    run(house.__aenter__())
    yield house
    run(house.__aexit__())


@pytest.fixture(name="driver_of", scope="session")
def _driver_of(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Returns a language's driver, started anew when the last scenario ended it."""
    folder = tmp_path_factory.mktemp("drivers")
    drivers: dict[str, Driver] = {}

    def driver_of(name: str) -> Driver:
        if name not in drivers or not drivers[name].alive:
            drivers[name] = Driver(languages()[name], folder)
            run(drivers[name].start())
        return drivers[name]

    yield driver_of
    for driver in drivers.values():
        if driver.alive:
            run(driver.stop())
