"""Worlds read from TOML."""

from pathlib import Path

import pytest

from mailvet.model.status import EntryStatus, QualityLevel
from mailvet.testbed.dialogue import Kind
from mailvet.testbed.places import Behaviour, MxRecord
from mailvet.testbed.world import WorldError, load_world, parse_world

HOST = '[[host]]\nname = "mx.a.test"\naddresses = ["127.2.0.1"]\n'


def test_host_domains_get_a_zone_of_their_own() -> None:
    """A domain without a zone has the hosts that take its mail as MX, by preference."""
    world = parse_world(
        '[[host]]\nname = "late.a.test"\naddresses = ["127.2.0.2"]\npreference = 20\n'
        'domains = ["a.test"]\n' + HOST + 'domains = ["a.test"]\n'
    )
    expected = (
        MxRecord(preference=10, host="mx.a.test"),
        MxRecord(preference=20, host="late.a.test"),
    )
    assert [("a.test", expected)] == [(zone.domain, zone.mx) for zone in world.zones]


def test_a_written_zone_wins_over_a_made_up_one() -> None:
    """What the world says about a domain is all that DNS says."""
    world = parse_world(HOST + 'domains = ["a.test"]\n[[zone]]\ndomain = "a.test"\nnull_mx = true')
    assert [(True, ())] == [(zone.null_mx, zone.mx) for zone in world.zones]


def test_a_zone_reads_every_field() -> None:
    """Names become A-labels, ranges are expanded, numbers keep their unit."""
    world = parse_world(
        '[[zone]]\ndomain = "Bücher.test"\nmx = ["5 mx{0..1}.a.test"]\na = ["127.0.0.9"]\n'
        'aaaa = ["::1"]\ntxt = ["v=spf1 -all"]\nbehaviour = "truncate"\nonly = ["MX"]\n'
        "delay_s = 2\nttl_s = 7\n"
    )
    zone = world.zones[0]
    assert ("xn--bcher-kva.test", Behaviour.TRUNCATE) == (zone.domain, zone.behaviour)
    assert ["mx0.a.test", "mx1.a.test"] == [record.host for record in zone.mx]
    assert (("127.0.0.9",), ("::1",), ("v=spf1 -all",)) == (zone.a, zone.aaaa, zone.txt)
    assert (frozenset({"MX"}), 2.0, 7) == (zone.only, zone.delay_s, zone.ttl_s)


def test_mailboxes_are_declared_by_number_and_by_kind() -> None:
    """`users = 2` makes user0 and user1; each kind has its list."""
    world = parse_world(
        HOST + 'mailboxes = { users = 2, full = ["f{0..1}"], disabled = ["User1"] }'
    )
    assert {
        "user0": Kind.KNOWN,
        "user1": Kind.DISABLED,
        "f0": Kind.FULL,
        "f1": Kind.FULL,
    } == world.hosts[0].mailboxes


def test_kinds_are_told_by_domain_and_local_part() -> None:
    """Case and quotes make no other mailbox; another domain is foreign in either spelling."""
    host = parse_world(HOST + 'domains = ["bücher.test"]\nmailboxes = { known = ["jörg"] }').hosts[
        0
    ]
    assert Kind.KNOWN is host.kind_of("Jörg", "xn--bcher-kva.test")
    assert Kind.KNOWN is host.kind_of('"jö\\rg"', "bücher.test")
    assert Kind.UNKNOWN is host.kind_of("anna", "bücher.test")
    assert Kind.FOREIGN is host.kind_of("jörg", "a.test")


def test_expectations_keep_their_order_and_repeat() -> None:
    """Entries come in the order of the file, so a duplicate can follow its original."""
    world = parse_world(
        '[[expect]]\naddresses = ["u{0..1}@a.test"]\nstandard = ["SUCCESS"]\n'
        '[[expect]]\naddresses = ["u0@a.test"]\nstandard = ["DUPLICATE"]\n'
    )
    expected = [
        ("u0@a.test", frozenset({EntryStatus.SUCCESS})),
        ("u1@a.test", frozenset({EntryStatus.SUCCESS})),
        ("u0@a.test", frozenset({EntryStatus.DUPLICATE})),
    ]
    assert expected == list(world.expectations())


def test_a_quality_without_expectation_follows_the_one_below() -> None:
    """EXTREME expects what HIGH does, and HIGH what STANDARD does."""
    world = parse_world(
        '[[expect]]\naddresses = ["u@a.test"]\nhigh = ["SUCCESS"]\n'
        'standard = ["MAILBOX_TEMPORARILY_UNAVAILABLE"]\n'
        '[[expect]]\naddresses = ["v@a.test"]\nstandard = ["SUCCESS", "RELAY_DENIED"]\n'
    )
    later = frozenset({EntryStatus.MAILBOX_TEMPORARILY_UNAVAILABLE})
    now = frozenset({EntryStatus.SUCCESS})
    both = frozenset({EntryStatus.SUCCESS, EntryStatus.RELAY_DENIED})
    assert [later, both] == [s for _, s in world.expectations()]
    assert [now, both] == [s for _, s in world.expectations(QualityLevel.HIGH)]
    assert [now, both] == [s for _, s in world.expectations(QualityLevel.EXTREME)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zone = [", "^not TOML: "),
        ("[[zone]]\n", r"^zone\[0\]\.domain: is missing"),
        ('[[zone]]\ndomain = "a.test"\nmx = ["mx.a.test"]', r"^zone\[0\]\.mx: 'mx.a.test' is not"),
        ('[[zone]]\ndomain = "a.test"\nmx = ["99999 b"]', r"^zone\[0\]\.mx: '99999 b' is not"),
        ('[[zone]]\ndomain = "a.test"\na = ["::1"]', r"^zone\[0\]\.a: '::1' is not an IPv4"),
        ('[[zone]]\ndomain = "a.test"\naaaa = ["x"]', r"^zone\[0\]\.aaaa: 'x' is not an IPv6"),
        ('[[zone]]\ndomain = "a.test"\nbehaviour = "odd"', r"^zone\[0\]\.behaviour: 'odd' is none"),
        ('[[zone]]\ndomain = "a.test"\nonly = ["mx"]', r"^zone\[0\]\.only: 'mx' is none"),
        ('[[zone]]\ndomain = "a.test"\nodd = 1', r"^zone\[0\]\.odd: is not known here"),
        ('[[zone]]\ndomain = "a.com"', "^a.com is no test name"),
        ('[[zone]]\ndomain = ["a.test", "a.test"]', "^zone: a.test is there twice"),
        ('[[host]]\naddresses = ["127.0.0.1"]', r"^host\[0\]\.name: is missing"),
        ('[[host]]\nname = "a.test"', r"^host\[0\]\.addresses: is missing"),
        ('[[host]]\nname = "a.test"\naddresses = ["10.0.0.1"]', "'10.0.0.1' is not a loopback"),
        ('[[host]]\nname = "a.test"\naddresses = ["x"]', "'x' is not a loopback"),
        (HOST + 'personality = "odd"', r"^host\[0\]\.personality: 'odd' is none of bare_550, "),
        (HOST + "options = { odd = 1 }", r"^host\[0\]\.options: 'odd' is no option of plain"),
        (HOST + "options = { full = 1 }", r"^host\[0\]\.options: 'full' must be a str, not 1"),
        (
            HOST + 'personality = "drops"\noptions = { at = "LUNCH" }',
            r"^host\[0\]\.options: 'at' must be one of BANNER, EHLO, MAIL, RCPT",
        ),
        (HOST + "mailboxes = { odd = 1 }", r"^host\[0\]\.mailboxes\.odd: is not known here"),
        (HOST + HOST, "^host: 127.2.0.1 is there twice"),
        ('[[expect]]\naddresses = ["a@b.test"]', r"^expect\[0\]\.standard: is missing"),
        (
            '[[expect]]\naddresses = ["a@b.test"]\nstandard = ["FINE"]',
            r"^expect\[0\]\.standard: 'FINE' is not an EntryStatus",
        ),
        ("odd = 1", "^odd: is not known here"),
    ],
)
def test_a_wrong_world_is_refused_with_the_path_of_the_fault(text: str, message: str) -> None:
    """The message starts with the place in the file and says what is allowed there."""
    with pytest.raises(WorldError, match=message):
        parse_world(text)


def test_a_world_may_ask_for_names_of_the_real_world() -> None:
    """Rules that know providers by name need them; nothing leaves loopback."""
    world = parse_world('any_names = true\n[[zone]]\ndomain = "gmail.com"')
    assert "gmail.com" == world.zones[0].domain


def test_a_world_is_read_from_a_path(tmp_path: Path) -> None:
    """Any TOML file will do."""
    path = tmp_path / "tiny.toml"
    path.write_text('name = "tiny"\n' + HOST, encoding="utf-8")
    assert "tiny" == load_world(path).name


def test_a_missing_world_is_an_os_error() -> None:
    """A name that is neither a shipped world nor a file cannot be read."""
    with pytest.raises(OSError, match="nowhere"):
        load_world("nowhere.toml")
