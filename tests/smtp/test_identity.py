import pytest

from mailvet.smtp.identity import Identity, IdentityPool

ROUTES = [f"mx{number}.test" for number in range(300)]


def pool_of(number: int) -> tuple[list[Identity], IdentityPool]:
    identities = [Identity(helo=f"out{at}.us.test") for at in range(number)]
    return identities, IdentityPool(identities)


@pytest.mark.parametrize(
    "helo", ["us.test", "US-1.test", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"]
)
def test_good_names(helo: str) -> None:
    """A domain name or an address literal can be our name (RFC 5321 4.1.4)."""
    assert helo == Identity(helo=helo).helo


@pytest.mark.parametrize(
    "helo",
    [
        "",
        "us test",
        "us.test\r\nRSET",
        "-us.test",
        "us..test",
        "us_1.test",
        "ü.test",
        "[300.1.1.1]",
        "[2001:db8::1]",
        "a" * 64 + ".test",
        "us.test\n",
    ],
)
def test_bad_names(helo: str) -> None:
    """Anything else is refused with the setting's name."""
    with pytest.raises(ValueError, match="helo"):
        Identity(helo=helo)


@pytest.mark.parametrize("sender", ["", "probe@us.test", "a.b+c@us.test", "a@[192.0.2.1]"])
def test_good_senders(sender: str) -> None:
    """A plain mailbox or the null sender can be our sender."""
    assert sender == Identity(helo="us.test", mail_from=sender).mail_from


@pytest.mark.parametrize(
    "sender",
    [
        "us.test",
        "@us.test",
        "a@",
        "a b@us.test",
        "a@us.test> SIZE=1",
        "a@us.test\n",
        "ü@us.test",
        ".a@us.test",
        "a@b@us.test",
        "x" * 65 + "@us.test",
    ],
)
def test_bad_senders(sender: str) -> None:
    """Anything else is refused with the setting's name."""
    with pytest.raises(ValueError, match="mail_from"):
        Identity(helo="us.test", mail_from=sender)


def test_source_address_is_an_ip_address() -> None:
    """A host name is no source address."""
    assert "::1" == Identity(helo="us.test", source_address="::1").source_address
    with pytest.raises(ValueError, match="source_address"):
        Identity(helo="us.test", source_address="localhost")


@pytest.mark.parametrize("proxy", ["http://p.test:1080", "socks5://p.test", "socks5://p:port", "p"])
def test_bad_proxies(proxy: str) -> None:
    """A proxy needs its scheme, host and port."""
    with pytest.raises(ValueError, match="socks5://HOST:PORT"):
        Identity(helo="us.test", proxy=proxy)


def test_proxy_and_source_address_exclude_each_other() -> None:
    """It is the proxy's own address that exchangers see."""
    with pytest.raises(ValueError, match="exclude"):
        Identity(helo="us.test", proxy="socks5://127.0.0.1:1080", source_address="127.0.0.1")


def test_a_route_keeps_its_identity() -> None:
    """The choice depends on route and identity only, in any process and any order."""
    identities, pool = pool_of(3)
    again = IdentityPool(reversed(identities))
    assert [pool.for_route(each) for each in ROUTES] == [again.for_route(each) for each in ROUTES]
    assert "out0.us.test" == pool.for_route("mx.example").helo


def test_every_identity_gets_a_fair_share() -> None:
    """No identity is left with less than half of an even share of routes."""
    identities, pool = pool_of(3)
    chosen = [pool.for_route(each) for each in ROUTES]
    assert min(chosen.count(each) for each in identities) > len(ROUTES) / 6


def test_only_the_routes_of_an_ill_identity_move() -> None:
    """They move away, and come back when it is well; others never notice."""
    identities, pool = pool_of(3)
    before = {each: pool.for_route(each) for each in ROUTES}
    pool.mark(identities[0], healthy=False)
    during = {each: pool.for_route(each) for each in ROUTES}
    assert identities[0] not in during.values()
    assert {route for route in ROUTES if before[route] == identities[0]} == {
        route for route in ROUTES if before[route] != during[route]
    }
    pool.mark(identities[0], healthy=True)
    assert before == {each: pool.for_route(each) for each in ROUTES}


def test_all_ill_is_as_good_as_all_well() -> None:
    """With nobody left, the usual choice stands."""
    identities, pool = pool_of(2)
    before = pool.for_route("mx.test")
    for each in identities:
        pool.mark(each, healthy=False)
    assert before == pool.for_route("mx.test")


def test_a_pool_is_never_empty() -> None:
    """A pool without identities could answer nobody."""
    with pytest.raises(ValueError, match="at least one"):
        IdentityPool([])
