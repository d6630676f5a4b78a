"""The answers about real programs, which are those that the testbed's hosts get.

A world here is expectations only: its hosts and zones are in `postfix/` and `nsd/`.
"""

from pathlib import Path

import pytest

from mailvet.config import load
from mailvet.model.status import QualityLevel
from mailvet.serve.run import Service
from mailvet.testbed.world import load_world
from tests.acceptance.situations import compare, read_beside, verify
from tests.real.programs import Internet

WORLDS = sorted((Path(__file__).parent / "worlds").glob("*/world.toml"))

pytestmark = pytest.mark.real


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.parent.name)
async def test_real_programs_are_answered_for(
    path: Path, internet: Internet, tmp_path: Path
) -> None:
    """Every address gets a status that is right for it, at STANDARD and at HIGH."""
    expected = load_world(path).expected
    waiting = [one for one in expected if one.standard != one.high]
    settings = load(
        {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": internet.resolver,
            "smtp_port": internet.smtp_port,
            "allow_network": "127.0.0.0/8",
            "helo": "server.mailvet.test",
            "time_scale": 0.5,
            "retry_scale": 0.05,
            "egress_canaries": "",
            "drain_grace_s": 1,
            **read_beside(path, "settings.toml"),
        }
    )
    async with Service(settings) as service:
        compare(expected, await verify(service, expected, QualityLevel.STANDARD))
        if waiting:
            found = await verify(service, waiting, QualityLevel.HIGH)
            compare(waiting, found, QualityLevel.HIGH)
