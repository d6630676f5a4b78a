"""The demo world agrees with itself: its expectations fit its hosts and zones."""

import pytest

from mailvet.model.status import EntryStatus
from mailvet.testbed.dialogue import Kind
from mailvet.testbed.personalities import CLOSED, PERSONALITIES
from mailvet.testbed.places import Behaviour, a_label
from mailvet.testbed.world import World, load_world

KINDS = {
    EntryStatus.SUCCESS: {Kind.KNOWN},
    EntryStatus.MAILBOX_DOES_NOT_EXIST: {Kind.UNKNOWN},
    EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE: {Kind.FULL, Kind.FULL_FOR_NOW},
    EntryStatus.MAILBOX_IS_DISABLED: {Kind.DISABLED},
    EntryStatus.SMTP_DIALOG_ERROR: {Kind.UNKNOWN},
    EntryStatus.SERVER_DOES_NOT_SUPPORT_INTERNATIONAL_MAILBOXES: {Kind.UNKNOWN},
}
"""What the mailbox must be at its host for a status that is the only one expected."""


@pytest.fixture(scope="module")
def demo() -> World:
    """The shipped demo."""
    return load_world("demo")


def kinds_of(world: World, address: str) -> set[Kind]:
    """What an address is at each host that takes mail for its domain."""
    local_part, _, domain = address.rpartition("@")
    return {
        host.kind_of(local_part, domain)
        for host in world.hosts
        if host.personality != CLOSED and a_label(domain) in host.domains
    }


@pytest.mark.parametrize("status", KINDS)
def test_expected_mailboxes_are_what_their_status_says(demo: World, status: EntryStatus) -> None:
    """A known mailbox is accepted, an unknown one is not, at every exchanger alike."""
    addresses = [one.address for one in demo.expected if one.standard == {status}]
    wrong = {address: kinds_of(demo, address) for address in addresses}
    assert {} == {address: kinds for address, kinds in wrong.items() if not kinds <= KINDS[status]}
    assert addresses


def test_every_expected_domain_is_somewhere(demo: World) -> None:
    """A domain has a zone, unless not existing is the point or syntax stops before DNS."""
    zones = {zone.domain for zone in demo.zones}
    before_dns = range(EntryStatus.AT_SIGN_NOT_FOUND, EntryStatus.DUPLICATE)
    lost = {
        one.address
        for one in demo.expected
        if not one.standard & {*before_dns, EntryStatus.DOMAIN_DOES_NOT_EXIST}
        and a_label(one.address.rpartition("@")[2]) not in zones
    }
    assert set() == lost


def test_every_host_and_zone_is_asked_about(demo: World) -> None:
    """Nothing stands in the demo that no entry reaches."""
    asked = {a_label(one.address.rpartition("@")[2]) for one in demo.expected}
    idle = {host.name for host in demo.hosts if host.domains and not host.domains & asked}
    targets = {record.host for zone in demo.zones for record in zone.mx}
    aliases = {zone.cname for zone in demo.zones}
    unasked = {zone.domain for zone in demo.zones} - asked - targets - aliases
    assert (set(), set()) == (idle, unasked)


def test_the_demo_has_every_personality_and_enough_entries(demo: World) -> None:
    """The shipped demo shows all there is, on more than a thousand entries."""
    assert {*PERSONALITIES, CLOSED} == {host.personality for host in demo.hosts}
    assert set(Behaviour) == {zone.behaviour for zone in demo.zones}
    assert 1000 <= len(demo.expected)


def test_the_demo_keeps_slow_things_few(demo: World) -> None:
    """At most three entries for each status that takes a whole deadline to learn."""
    slow = {
        EntryStatus.DNS_QUERY_TIMEOUT,
        EntryStatus.SMTP_CONNECTION_TIMEOUT,
        EntryStatus.MAILBOX_VALIDATION_TIMEOUT,
        EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT,
    }
    statuses = [status for _, allowed in demo.expectations() for status in allowed]
    assert all(statuses.count(status) <= 3 for status in slow)
