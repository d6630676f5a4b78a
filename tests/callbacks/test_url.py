"""Which URLs may be called, for what they say by themselves."""

import re

import pytest

from mailvet.callbacks.url import UrlRules, read_url

STRICT = UrlRules()
LOOSE = UrlRules(http=True)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("https://a.example", "a.example", 443, "a.example", "/"),
        ("https://a.example/x?y=z&y", "a.example", 443, "a.example", "/x?y=z&y"),
        ("https://A.Example:8443/%20", "a.example", 8443, "A.Example:8443", "/%20"),
        ("https://192.0.2.1/", "192.0.2.1", 443, "192.0.2.1", "/"),
        ("https://[2001:DB8::1]/", "2001:db8::1", 443, "[2001:DB8::1]", "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, None, "/"),
        ("https://a_b.example./", "a_b.example", 443, None, "/"),
    ],
)
def test_a_url_has_parts(url: str, host: str, port: int, authority: str | None, path: str) -> None:
    """The host as it is looked up, the rest as it is sent."""
    target = read_url(url, STRICT)
    assert (True, host, port, path) == (target.tls, target.host, target.port, target.path)
    assert authority in (None, target.authority)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "scheme"),
        ("a.example/x", "scheme"),
        ("http://a.example/", "use https"),
        ("ftp://a.example/", "use https"),
        ("file:///etc/passwd", "use https"),
        ("gopher://a.example/", "use https"),
        ("https://user@a.example/", "user name"),
        ("https://user:pw@a.example/", "user name"),
        ("https://:@a.example/", "user name"),
        ("https://a.example/#x", "fragment"),
        ("https:///x", "host name"),
        ("https://a.example:22/", "port 22"),
        ("https://a.example:99999/", "no URL"),
        ("https://2130706433/", "2130706433"),
        ("https://0x7f.1/", "0x7f.1"),
        ("https://0177.0.0.1/", "0177.0.0.1"),
        ("https://127.1/", "127.1"),
        ("https://[::1/", "no URL"),
        ("https://[::x]/", "no URL"),
        ("https://b\u00fccher.example/", "ASCII"),
        ("https://a.example/\r\nX: y", "ASCII"),
        ("https://a.example/ x", "ASCII"),
        ("https://a.example\\@b.example/", "ASCII"),
        ("https://-a.example/", "host name"),
        ("https://" + "a" * 64 + ".example/", "host name"),
        ("https://a.example/" + "x" * 2000, "at most 2000"),
    ],
)
def test_what_must_not_be_called_is_refused(url: str, told: str) -> None:
    """With the way out."""
    with pytest.raises(ValueError, match=re.escape(told)):
        read_url(url, STRICT)


def test_an_operator_opens_http_and_every_port() -> None:
    """For tests; the other rules stay."""
    target = read_url("http://a.example:8080/x", LOOSE)
    assert (False, 8080) == (target.tls, target.port)
    assert 80 == read_url("http://a.example/", LOOSE).port
    with pytest.raises(ValueError, match="use https"):
        read_url("ftp://a.example/", LOOSE)


@pytest.mark.parametrize(
    ("host", "is_address"), [("a.example", False), ("192.0.2.1", True), ("[2001:db8::1]", True)]
)
def test_addresses_are_told_from_names(host: str, is_address: bool) -> None:
    """Nobody looks an address up."""
    assert is_address is read_url(f"https://{host}/", STRICT).is_address
