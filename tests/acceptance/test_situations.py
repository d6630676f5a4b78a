"""Every situation in a folder of its own: a world, and what must be answered in it.

Each runs against a whole service (gRPC, SQLite, DNS and SMTP over real sockets). The `[[expect]]`
tables of a world list the addresses and the statuses that are right for them. Beside a world there
may be `settings.toml`, settings of the service in that situation, and `answers.toml`, more fields
of the answers: a table for each address.
"""

from pathlib import Path

import pytest

from mailvet.config import load
from mailvet.model.status import EntryStatus, QualityLevel
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.personalities import CLOSED, PERSONALITIES
from mailvet.testbed.places import Behaviour
from mailvet.testbed.world import load_world
from tests.acceptance.situations import compare, compare_answers, read_beside, verify

NO_SITUATION = {
    EntryStatus.UNSPECIFIED: "is no answer",
    EntryStatus.UNHANDLED_EXCEPTION: "is a fault of ours, and no world is ours",
    EntryStatus.OVERRIDE_MATCH: "comes from a caller's rules, not from a world",
    EntryStatus.DOMAIN_OPTED_OUT: "comes from an operator's list (tests/serve/test_harvest.py)",
    EntryStatus.UNKNOWN_USER_LIMIT: "comes from what a tenant asked before (the same)",
    EntryStatus.MAILBOX_IS_DEA: "needs a list of single mailboxes",
    EntryStatus.MAIL_EXCHANGER_IS_HONEYPOT: "needs a list of spam traps",
}
NEVER_SAID = {b"DATA", b"VRFY", b"EXPN"}
WORLDS = sorted(Path(__file__).parent.glob("*/world.toml"))


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.parent.name)
async def test_a_situation_is_answered_as_it_is(path: Path, tmp_path: Path) -> None:
    """Every address of the world gets a status that is right for it, at STANDARD and at HIGH."""
    world = load_world(path)
    expected = world.expected
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
                **read_beside(path, "settings.toml"),
            }
        )
        async with Service(settings) as service:
            found = await verify(service, expected, QualityLevel.STANDARD)
            compare(expected, found)
            compare_answers(read_beside(path, "answers.toml"), found)
            if waiting:
                found = await verify(service, waiting, QualityLevel.HIGH)
                compare(waiting, found, QualityLevel.HIGH)
        for session in bed.sessions.all:
            verbs = {command.split(b" ", 1)[0].upper() for command in session.commands}
            assert set() == verbs & NEVER_SAID
            assert [] == session.faults


def test_every_status_has_a_situation() -> None:
    """Each status is expected somewhere, but for those that no world can bring about."""
    expected = [one for path in WORLDS for one in load_world(path).expected]
    met = {status for one in expected for status in one.standard | one.high}
    assert set(EntryStatus) - met == set(NO_SITUATION)


def test_every_behaviour_has_a_situation() -> None:
    """Each personality of the testbed's hosts and each behaviour of its zones is met somewhere."""
    worlds = [load_world(path) for path in WORLDS]
    assert {*PERSONALITIES, CLOSED} == {host.personality for one in worlds for host in one.hosts}
    assert set(Behaviour) == {zone.behaviour for one in worlds for zone in one.zones}
