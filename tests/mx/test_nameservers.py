"""How name servers are written."""

from pathlib import Path

import pytest

from mailvet.mx.nameservers import NameServer, nameservers_from


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:5353", [("127.0.0.1", 5353)]),
        ("192.0.2.1", [("192.0.2.1", 53)]),
        ("192.0.2.1:53, 192.0.2.2:54", [("192.0.2.1", 53), ("192.0.2.2", 54)]),
        ("[::1]:5353", [("::1", 5353)]),
        ("[2001:db8::1]", [("2001:db8::1", 53)]),
        ("2001:db8::1", [("2001:db8::1", 53)]),
    ],
)
def test_servers_are_read_from_text(text: str, expected: list[tuple[str, int]]) -> None:
    """Hosts, ports and brackets are told apart; the port defaults to 53."""
    assert [NameServer(*pair) for pair in expected] == nameservers_from(text)


def test_a_host_name_is_looked_up_by_the_system() -> None:
    """A name such as a container's is resolved once, at the start."""
    [server] = nameservers_from("localhost:5300")
    assert server in (NameServer("127.0.0.1", 5300), NameServer("::1", 5300))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no host"),
        ("127.0.0.1:53,", "names no host"),
        (":53", "names no host"),
        ("127.0.0.1:", "no port from 1 to 65535"),
        ("127.0.0.1:0", "no port from 1 to 65535"),
        ("127.0.0.1:65536", "no port from 1 to 65535"),
        ("127.0.0.1:dns", "no port from 1 to 65535"),
        ("127.0.0.1:-1", "no port from 1 to 65535"),
        ("127.0.0.1:\u0665\u0663", "no port from 1 to 65535"),
        ("[::1", r"is not \[IPV6\]:PORT"),
        ("[::1]53", r"is not \[IPV6\]:PORT"),
        ("::1:zz:5353", r"with a port write \[::1\]:53"),
        ("a..b:53", "neither an IP address nor a name"),
    ],
)
def test_a_mistake_is_named(text: str, problem: str) -> None:
    """Each mistake is refused with what is wrong about it."""
    with pytest.raises(ValueError, match=problem):
        nameservers_from(text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", ["192.0.2.1", "2001:db8::1"]),
        ("# nameserver 192.0.2.9\nsearch example\n  nameserver 192.0.2.1 # x", ["192.0.2.1"]),
        ("nameserver fe80::1%eth0", ["fe80::1%eth0"]),
        ("nameserver\nnameserver nonsense\n", ["127.0.0.1"]),
        ("", ["127.0.0.1"]),
    ],
)
def test_the_system_says_its_servers(tmp_path: Path, lines: str, expected: list[str]) -> None:
    """Without a text the servers of resolv.conf are used, the local one when it names none."""
    path = tmp_path / "resolv.conf"
    path.write_text(lines, "utf-8")
    assert [NameServer(host) for host in expected] == nameservers_from(None, system=path)


def test_a_missing_resolv_conf_means_the_local_server(tmp_path: Path) -> None:
    """resolv.conf(5): without the file the name server of this machine is meant."""
    assert [NameServer("127.0.0.1")] == nameservers_from(None, system=tmp_path / "none")
