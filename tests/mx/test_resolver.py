"""Mail routes by table: what DNS says, and where mail then goes."""

import asyncio
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.mx.answer import AnswerKind, RecordType
from mailvet.mx.reserved import AddressGuard
from mailvet.mx.resolver import Resolver
from mailvet.mx.way import MAX_RECORDS, ResolverLimits
from tests.mx.table import Clock, TableAsk

CASES = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "mail_routes.toml").read_text("utf-8")
)["case"]

GUARD = AddressGuard(["192.0.2.0/24", "2001:db8::/32"])

SHARED_HOST = """
a.test 600 MX 10 mx.op.test
b.test 600 MX 10 mx.op.test
mx.op.test 300 A 192.0.2.1
mx.op.test 300 AAAA 2001:db8::1
"""


def _resolver(ask: TableAsk, clock: Clock | None = None, **limits: int) -> Resolver:
    return Resolver(
        ask,
        GUARD,
        limits=ResolverLimits(**limits),  # type: ignore[arg-type]
        clock=clock or Clock(),
        shuffle=random.Random(1),
    )


def _shown(answer: MxAnswer) -> list[str]:
    return [f"{e.preference} {e.host} {' '.join(e.addresses)}" for e in answer.exchangers]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_a_route_is_what_the_case_says(case: dict[str, Any]) -> None:
    """Each row of `mail_routes.toml` holds: outcome, exchangers, hosts, time kept, cost."""
    ask = TableAsk(case["zone"])
    answer = await _resolver(ask).mail_route("d.test")
    assert case["outcome"] == answer.outcome
    assert case.get("exchangers", []) == _shown(answer)
    assert case.get("hosts", []) == list(answer.hosts)
    assert case.get("ttl_s", answer.ttl_s) == answer.ttl_s
    assert case.get("asked", ask.asked.total()) == ask.asked.total()


async def test_a_domain_is_the_same_in_any_case_and_with_its_final_dot() -> None:
    """Domains are compared without regard to case (RFC 4343)."""
    ask = TableAsk(SHARED_HOST)
    resolver = _resolver(ask)
    assert (await resolver.mail_route("a.test")).hosts == (
        await resolver.mail_route("A.TEST.")
    ).hosts
    assert 1 == ask.asked["a.test", "MX"]


async def test_the_evidence_is_what_dns_said() -> None:
    """Records are kept in presentation form; what is no record as a comment."""
    ask = TableAsk("a.test 600 MX 10 mx.a.test\nmx.a.test 60 CNAME h.test\nh.test 300 A 192.0.2.1")
    answer = await _resolver(ask).mail_route("a.test")
    expected = (
        "a.test. 600 IN MX 10 mx.a.test.",
        "mx.a.test. 60 IN CNAME h.test.",
        "h.test. 300 IN A 192.0.2.1",
        "mx.a.test. 60 IN CNAME h.test.",
        "; mx.a.test. IN AAAA NODATA",
    )
    assert expected == answer.records


async def test_a_thousand_exchangers_are_capped() -> None:
    """Only the twenty best are looked up, and evidence stays short."""
    zone = "\n".join(
        f"d.test 600 MX {n} m{n}.d.test\nm{n}.d.test 600 A 192.0.2.1" for n in range(1000)
    )
    ask = TableAsk(zone)
    answer = await _resolver(ask).mail_route("d.test")
    assert [f"m{n}.d.test" for n in range(20)] == [one.host for one in answer.exchangers]
    assert 20 == len(answer.hosts)
    assert 41 == ask.asked.total()
    assert MAX_RECORDS == len(answer.records)


async def test_addresses_are_capped_for_each_family() -> None:
    """A host with hundreds of addresses gives a few of each family, none of them lost to IPv4."""
    zone = "d.test 600 MX 10 mx.test\n" + "\n".join(
        f"mx.test 600 A 192.0.2.{n}\nmx.test 600 AAAA 2001:db8::{n:x}" for n in range(1, 200)
    )
    [one] = (await _resolver(TableAsk(zone), max_addresses=2).mail_route("d.test")).exchangers
    assert ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2") == one.addresses


async def test_equal_preferences_are_shuffled() -> None:
    """Load spreads over exchangers of the same preference, never across preferences."""
    zone = "\n".join(
        f"d.test 600 MX {10 + n // 4} m{n}.test\nm{n}.test 600 A 192.0.2.1" for n in range(8)
    )
    resolver = _resolver(TableAsk(zone))
    orders = {
        tuple(one.host for one in (await resolver.mail_route("d.test")).exchangers)
        for _ in range(20)
    }
    assert len(orders) > 5
    assert {frozenset(f"m{n}.test" for n in range(4))} == {frozenset(o[:4]) for o in orders}


async def test_domains_share_the_addresses_of_their_exchangers() -> None:
    """A second domain on the same exchanger costs its MX question only."""
    ask = TableAsk(SHARED_HOST)
    resolver = _resolver(ask)
    first = await resolver.mail_route("a.test")
    second = await resolver.mail_route("b.test")
    assert first.route == second.route
    assert 4 == ask.asked.total()


async def test_with_ipv6_off_only_ipv4_is_asked_for() -> None:
    """The AAAA question is saved where there is an IPv4 address."""
    ask = TableAsk(SHARED_HOST)
    answer = await Resolver(ask, GUARD, ipv6=False).mail_route("a.test")
    assert ["10 mx.op.test 192.0.2.1"] == _shown(answer)
    assert 2 == ask.asked.total()


async def test_without_a_way_out_over_ipv6_only_ipv4_is_asked_for() -> None:
    """Nobody could be dialled there; once there is a way, both are asked for."""
    ask = TableAsk(SHARED_HOST)
    ways = iter([False, True])
    resolver = Resolver(ask, GUARD, way_out=lambda: next(ways))
    await resolver.mail_route("a.test")
    assert 2 == ask.asked.total()

    await resolver.mail_route("b.test")
    assert 4 == ask.asked.total()


@pytest.mark.parametrize(
    ("zone", "outcome"),
    [
        ("d.test 60 AAAA 2001:db8::1", MxOutcome.IMPLICIT),
        ("d.test 60 MX 1 mx.test\nmx.test 60 AAAA 2001:db8::1", MxOutcome.EXCHANGERS),
        ("d.test 60 MX 1 mx.test\nmx.test 60 AAAA !TIMEOUT", MxOutcome.TIMEOUT),
        ("d.test 60 MX 1 mx.test\nmx.test 60 NS ns.test", MxOutcome.NO_MAIL),
    ],
)
async def test_with_ipv6_off_a_domain_on_ipv6_alone_is_not_called_mailless(
    zone: str, outcome: MxOutcome
) -> None:
    """That we do not dial IPv6 says nothing about the domain."""
    answer = await Resolver(TableAsk(zone), GUARD, ipv6=False).mail_route("d.test")
    assert outcome is answer.outcome


async def test_an_address_literal_asks_nothing() -> None:
    """A literal is its own exchanger, or none."""
    ask = TableAsk(SHARED_HOST)
    answer = await _resolver(ask).mail_route("[192.0.2.7]")
    assert ["0 [192.0.2.7] 192.0.2.7"] == _shown(answer)
    assert 0 == ask.asked.total()


async def test_answers_are_kept_for_their_time() -> None:
    """After the shorter TTL the addresses are asked again, the MX not yet."""
    ask, clock = TableAsk(SHARED_HOST), Clock()
    resolver = _resolver(ask, clock)
    await resolver.mail_route("a.test")
    clock.now += 299
    assert 1 == (await resolver.mail_route("a.test")).ttl_s
    assert 3 == ask.asked.total()
    clock.now += 1
    assert 300 == (await resolver.mail_route("a.test")).ttl_s
    assert {("a.test", "MX"): 1, ("mx.op.test", "A"): 2, ("mx.op.test", "AAAA"): 2} == ask.asked


async def test_no_is_kept_as_long_as_the_soa_says() -> None:
    """NXDOMAIN is kept for the negative TTL (RFC 2308 5), then asked again."""
    ask, clock = TableAsk("other.test 60 NS ns.test"), Clock()
    resolver = _resolver(ask, clock)
    for wait_s, asked in ((0, 1), (119, 1), (1, 2)):
        clock.now += wait_s
        await resolver.mail_route("gone.test")
        assert asked == ask.asked.total()


async def test_failures_are_kept_for_a_short_time() -> None:
    """A failing domain is not hammered (RFC 9520 3.2), nor given up for long."""
    ask, clock = TableAsk("d.test 600 MX !SERVFAIL"), Clock()
    resolver = _resolver(ask, clock)
    for wait_s, asked in ((0, 1), (29, 1), (1, 2)):
        clock.now += wait_s
        await resolver.mail_route("d.test")
        assert asked == ask.asked.total()


async def test_the_least_recently_used_answers_are_dropped() -> None:
    """Memory is bounded by answers, and a domain in use stays."""
    ask = TableAsk("other.test 60 NS ns.test")
    resolver = _resolver(ask, max_domains=2)
    for name in ("one", "two", "one", "three", "one", "two"):
        await resolver.mail_route(f"{name}.test")
    assert {"one.test": 1, "two.test": 2, "three.test": 1} == {
        name: count for (name, _), count in ask.asked.items()
    }


async def test_a_question_is_asked_once_for_everybody() -> None:
    """A hundred who ask at the same time cost the questions of one."""
    ask = TableAsk(SHARED_HOST)
    resolver = _resolver(ask)
    answers = await asyncio.gather(*(resolver.mail_route("a.test") for _ in range(100)))
    assert {MxOutcome.EXCHANGERS} == {answer.outcome for answer in answers}
    assert 3 == ask.asked.total()


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    """Cancelling the first waiter leaves the shared question to the second."""
    ask = TableAsk(SHARED_HOST)
    ask.gate.clear()
    resolver = _resolver(ask)
    first = asyncio.create_task(resolver.mail_route("a.test"))
    second = asyncio.create_task(resolver.mail_route("a.test"))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    ask.gate.set()
    assert MxOutcome.EXCHANGERS is (await second).outcome
    assert 1 == ask.asked["a.test", "MX"]


async def test_closing_ends_every_question() -> None:
    """Those who wait are told, no task is left, and later questions are not asked."""
    ask = TableAsk(SHARED_HOST)
    ask.gate.clear()
    resolver = _resolver(ask)
    waiting = [asyncio.create_task(resolver.mail_route(f"{n}.test")) for n in "aab"]
    await asyncio.sleep(0)
    await resolver.close()
    assert [MxOutcome.SERVER_FAILURE] * 3 == [(await one).outcome for one in waiting]
    assert {asyncio.current_task()} == asyncio.all_tasks()
    asked = ask.asked.total()
    assert MxOutcome.SERVER_FAILURE is (await resolver.mail_route("c.test")).outcome
    assert asked == ask.asked.total()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(kind, not kind.is_temporary or kind is AnswerKind.REFUSED) for kind in AnswerKind],
)
async def test_dns_is_reachable_when_it_answers(kind: AnswerKind, expected: bool) -> None:
    """Any answer counts, also REFUSED; SERVFAIL and silence do not."""
    ask = TableAsk(f". 60 NS !{kind}")
    assert expected is await _resolver(ask).reachable()
    assert 1 == ask.asked[".", RecordType.NS.name]
