"""What a world is: its zones, its mail hosts, and what a verifier should say of its addresses.

A world is one TOML file. In every list of names, mailboxes and addresses `{0..9}` stands for the
numbers from 0 to 9, so that a few lines can stand for thousands of addresses.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from mailvet.model.status import EntryStatus, QualityLevel
from mailvet.testbed.dialogue import Kind
from mailvet.testbed.personalities import CLOSED, PERSONALITIES, make_personality
from mailvet.testbed.places import DEFAULT_EXTENSIONS, Behaviour, Host, MxRecord, Zone, a_label
from mailvet.testbed.tables import Table, WorldError

__all__ = ["Expectation", "World", "WorldError", "load_world", "parse_world"]

WORLDS = Path(__file__).parent / "worlds"
"""Where the worlds that ship with the package are."""

RESERVED_NAMES = ("test", "example", "invalid")
"""Top-level names that never exist outside (RFC 2606 2, RFC 6761 6)."""

QUERY_TYPES = ("A", "AAAA", "CNAME", "MX", "TXT")
"""The types a zone can hold, and so those that its behaviour can be limited to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What may be answered for one entry, in the order entries should be sent."""

    address: str
    standard: frozenset[EntryStatus]
    high: frozenset[EntryStatus]
    extreme: frozenset[EntryStatus]
    why: str = ""
    """One sentence for people."""

    def at(self, quality: QualityLevel) -> frozenset[EntryStatus]:
        """The statuses that are right at this quality level."""
        if quality is QualityLevel.HIGH:
            return self.high
        return self.extreme if quality is QualityLevel.EXTREME else self.standard


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A small mail internet."""

    name: str
    description: str
    zones: tuple[Zone, ...]
    """Zones as written, and one for every host domain that has none of its own."""
    hosts: tuple[Host, ...]
    expected: tuple[Expectation, ...] = ()

    def expectations(
        self, quality: QualityLevel = QualityLevel.STANDARD
    ) -> Iterator[tuple[str, frozenset[EntryStatus]]]:
        """Yield every entry and the statuses that are right for it, in sending order."""
        for expectation in self.expected:
            yield expectation.address, expectation.at(quality)


def load_world(source: str | Path) -> World:
    """Read a world from a TOML file, or the shipped world of that name (`demo`).

    Raises `WorldError` naming the path inside the file, or `OSError` when it cannot be read.
    """
    shipped = WORLDS / f"{source}.toml"
    path = shipped if "/" not in str(source) and shipped.is_file() else Path(source)
    return parse_world(path.read_text(encoding="utf-8"))


def parse_world(text: str) -> World:
    """Read a world from the text of a TOML file; raises `WorldError`."""
    try:
        top = Table(tomllib.loads(text), "")
    except tomllib.TOMLDecodeError as error:
        raise WorldError("", f"not TOML: {error}") from error
    hosts = tuple(_host(table) for table in top.tables("host"))
    written = tuple(zone for table in top.tables("zone") for zone in _zones(table))
    world = World(
        name=top.get("name", str, ""),
        description=top.get("description", str, ""),
        zones=(*written, *_zones_of_hosts(hosts, {zone.domain for zone in written})),
        hosts=hosts,
        expected=tuple(entry for table in top.tables("expect") for entry in _expected(table)),
    )
    any_name = top.get("any_names", bool, default=False)
    top.refuse_unknown()
    _refuse_twice("zone", [zone.domain for zone in written])
    _refuse_twice("host", [address for host in hosts for address in host.addresses])
    if not any_name:
        _refuse_real_names(world)
    return world


def _zones(table: Table) -> Iterator[Zone]:
    domains = table.texts("domain")
    if not domains:
        raise WorldError(table.at("domain"), "is missing; it must be a text")
    cname = table.get("cname", str, "")
    zone = Zone(
        domain="",
        mx=tuple(_mx(text, table.at("mx")) for text in table.texts("mx")),
        null_mx=table.get("null_mx", bool, default=False),
        a=_addresses(table, "a", 4),
        aaaa=_addresses(table, "aaaa", 6),
        cname=a_label(cname) or None,
        txt=table.texts("txt"),
        behaviour=_choice(table, "behaviour", Behaviour.ANSWER),
        only=_query_types(table),
        delay_s=table.get("delay_s", float, 0.0),
        ttl_s=table.get("ttl_s", int, 300),
    )
    table.refuse_unknown()
    for domain in domains:
        yield replace(zone, domain=a_label(domain))


def _mx(text: str, path: str) -> MxRecord:
    preference, _, host = text.partition(" ")
    if not (preference.isdigit() and host.strip() and int(preference) < 65536):
        raise WorldError(path, f'{text!r} is not an MX record; write "10 mx.name.test"')
    return MxRecord(preference=int(preference), host=a_label(host.strip()))


def _choice(table: Table, key: str, default: Behaviour) -> Behaviour:
    word = table.get(key, str, default.value)
    if word not in set(Behaviour):
        raise WorldError(table.at(key), f"{word!r} is none of {', '.join(Behaviour)}")
    return Behaviour(word)


def _query_types(table: Table) -> frozenset[str]:
    types = table.texts("only")
    for name in types:
        if name not in QUERY_TYPES:
            raise WorldError(table.at("only"), f"{name!r} is none of {', '.join(QUERY_TYPES)}")
    return frozenset(types)


def _addresses(table: Table, key: str, version: int) -> tuple[str, ...]:
    texts = table.texts(key)
    for text in texts:
        try:
            right = ip_address(text).version == version
        except ValueError:
            right = False
        if not right:
            raise WorldError(table.at(key), f"{text!r} is not an IPv{version} address")
    return texts


def _host(table: Table) -> Host:
    host = Host(
        name=a_label(table.need("name", str)),
        addresses=_loopback(table),
        personality=table.get("personality", str, "plain"),
        options=table.table("options").rest(),
        preference=table.get("preference", int, 10),
        domains=frozenset(a_label(domain) for domain in table.texts("domains")),
        mailboxes=_mailboxes(table.table("mailboxes")),
        extensions=table.texts("extensions") or DEFAULT_EXTENSIONS,
    )
    table.refuse_unknown()
    if host.personality != CLOSED:
        _check_personality(host, table)
    return host


def _loopback(table: Table) -> tuple[str, ...]:
    texts = table.texts("addresses")
    if not texts:
        raise WorldError(table.at("addresses"), 'is missing; write ["127.1.0.1"]')
    for text in texts:
        try:
            loopback = ip_address(text).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise WorldError(table.at("addresses"), f"{text!r} is not a loopback address")
    return texts


def _check_personality(host: Host, table: Table) -> None:
    if host.personality not in PERSONALITIES:
        known = ", ".join(sorted([*PERSONALITIES, CLOSED]))
        raise WorldError(table.at("personality"), f"{host.personality!r} is none of {known}")
    try:
        make_personality(host.personality, host.options)
    except (TypeError, ValueError) as error:
        raise WorldError(table.at("options"), str(error)) from error


def _mailboxes(table: Table) -> dict[str, Kind]:
    kinds = (kind for kind in Kind if kind not in (Kind.UNKNOWN, Kind.FOREIGN))
    found: dict[str, Kind] = {}
    for kind in kinds:
        for local_part in table.texts(kind.value):
            found[local_part.lower()] = kind
    for number in range(table.get("users", int, 0)):
        found.setdefault(f"user{number}", Kind.KNOWN)
    table.refuse_unknown()
    return found


def _zones_of_hosts(hosts: tuple[Host, ...], taken: set[str]) -> Iterator[Zone]:
    records: dict[str, list[MxRecord]] = {}
    for host in hosts:
        for domain in host.domains - taken:
            records.setdefault(domain, []).append(
                MxRecord(preference=host.preference, host=host.name)
            )
    for domain in sorted(records):
        yield Zone(domain=domain, mx=tuple(sorted(records[domain], key=lambda mx: mx.preference)))


def _expected(table: Table) -> Iterator[Expectation]:
    standard = _statuses(table, "standard")
    if not standard:
        raise WorldError(table.at("standard"), "is missing; it must list statuses")
    high = _statuses(table, "high") or standard
    extreme = _statuses(table, "extreme") or high
    why = table.get("why", str, "")
    addresses = table.texts("addresses")
    table.refuse_unknown()
    for address in addresses:
        yield Expectation(address=address, standard=standard, high=high, extreme=extreme, why=why)


def _statuses(table: Table, key: str) -> frozenset[EntryStatus]:
    names = table.texts(key)
    for name in names:
        if name not in EntryStatus.__members__:
            raise WorldError(table.at(key), f"{name!r} is not an EntryStatus")
    return frozenset(EntryStatus[name] for name in names)


def _refuse_twice(path: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise WorldError(path, f"{name} is there twice")
        seen.add(name)


def _refuse_real_names(world: World) -> None:
    """Raise for a name that could exist outside, unless the world says `any_names = true`."""
    names = [zone.domain for zone in world.zones] + [host.name for host in world.hosts]
    for name in names:
        if name.rpartition(".")[2] not in RESERVED_NAMES:
            raise WorldError(
                "", f"{name} is no test name; end it in .test, .example or .invalid (RFC 2606)"
            )
