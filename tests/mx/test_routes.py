"""Resolver and transport together, against a name server of the testbed."""

import random

import pytest

from mailvet.model.route import MxOutcome
from mailvet.mx.nameservers import nameservers_from
from mailvet.mx.reserved import AddressGuard
from mailvet.mx.resolver import Resolver
from mailvet.mx.transport import DnsTransport
from mailvet.testbed.nameserver import NameServer as WorldServer
from mailvet.testbed.world import parse_world
from tests.mx.wire import TRY_S

WORLD = """
name = "routes"

[[zone]]
domain = "d.test"
mx = ["10 mx.d.test", "20 old.d.test"]
behaviour = "truncate"
only = ["MX"]

[[zone]]
domain = "mx.d.test"
a = ["127.1.0.1"]
aaaa = ["::1"]

[[zone]]
domain = "old.d.test"
cname = "mx.d.test"

[[zone]]
domain = "null.test"
null_mx = true

[[zone]]
domain = "fails.test"
behaviour = "servfail"

[[zone]]
domain = "forged.test"
behaviour = "wrong_id"
"""


async def _route(domain: str, try_s: float = 3.0) -> tuple[MxOutcome, int]:
    """The outcome, and how many questions it took."""
    server = WorldServer(parse_world(WORLD))
    await server.start()
    ask = DnsTransport(nameservers_from(server.endpoint), timeout_s=9, try_timeout_s=try_s)
    resolver = Resolver(ask, AddressGuard(["127.0.0.0/8", "::1/128"]), shuffle=random.Random(1))
    answer = await resolver.mail_route(domain)
    await resolver.close()
    await server.stop()
    return answer.outcome, server.queries.total()


@pytest.mark.parametrize(
    ("domain", "outcome", "asked"),
    [
        ("d.test", MxOutcome.EXCHANGERS, 6),
        ("mx.d.test", MxOutcome.IMPLICIT, 3),
        ("null.test", MxOutcome.NULL_MX, 1),
        ("gone.test", MxOutcome.NO_DOMAIN, 1),
        ("fails.test", MxOutcome.SERVER_FAILURE, 1),
    ],
)
async def test_routes_are_found_over_the_wire(domain: str, outcome: MxOutcome, asked: int) -> None:
    """The resolver on the transport finds what a name server of the testbed serves."""
    assert (outcome, asked) == await _route(domain)


async def test_answers_under_another_id_are_silence() -> None:
    """A forger or a broken middlebox can delay an answer, but not give one."""
    assert (MxOutcome.TIMEOUT, 3) == await _route("forged.test", TRY_S)
