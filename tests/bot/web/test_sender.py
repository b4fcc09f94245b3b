"""Whose request it is: the connection's address, or the one a trusted proxy names."""

from ipaddress import ip_network

import pytest

from bot.web.sender import counted_as, sender_of

PROXIES = tuple(map(ip_network, ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        pytest.param("203.0.113.7", [], "203.0.113.7", id="no header"),
        pytest.param("203.0.113.7", ["198.51.100.1"], "203.0.113.7", id="a stranger's word"),
        pytest.param("127.0.0.1", ["198.51.100.1"], "198.51.100.1", id="a proxy's word"),
        pytest.param("127.0.0.1", [], "127.0.0.1", id="a silent proxy"),
        pytest.param(
            "127.0.0.1", ["8.8.8.8, 198.51.100.1"], "198.51.100.1", id="what a client made up"
        ),
        pytest.param(
            "127.0.0.1", ["8.8.8.8, 198.51.100.1, 10.1.2.3"], "198.51.100.1", id="two proxies"
        ),
        pytest.param(
            "127.0.0.1", ["8.8.8.8", "198.51.100.1", "10.1.2.3"], "198.51.100.1", id="three headers"
        ),
        pytest.param("127.0.0.1", ["10.1.2.4, 10.1.2.3"], "10.1.2.4", id="proxies only"),
        pytest.param("127.0.0.1", ["198.51.100.1, unknown"], "127.0.0.1", id="unreadable"),
        pytest.param("127.0.0.1", ["<script>, 10.1.2.3"], "10.1.2.3", id="unreadable further on"),
        pytest.param("127.0.0.1", ["", ","], "127.0.0.1", id="empty"),
        pytest.param("127.0.0.1", [" 198.51.100.1:4711 "], "198.51.100.1", id="with a port"),
        pytest.param("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param("127.0.0.1", ["2001:DB8:0::1"], "2001:db8::1", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1", id="IPv4 in IPv6"),
        pytest.param("fd00::1", ["198.51.100.1"], "198.51.100.1", id="IPv6 proxy"),
        pytest.param("", ["198.51.100.1"], "", id="no address at all"),
    ],
)
def test_sender(peer: str, forwarded: list[str], sender: str) -> None:
    """The header is read from its right end, and only as far as trusted proxies wrote it."""
    assert sender == sender_of(peer, forwarded, PROXIES)


def test_nobody_is_trusted_by_default() -> None:
    """Without proxies of ours even this machine's word does not count."""
    assert "127.0.0.1" == sender_of("127.0.0.1", ["198.51.100.1"], ())


def test_long_header_is_no_work() -> None:
    """A header of any length is read only as far as it is believed."""
    forwarded = ["8.8.8.8," * 1000] * 100 + ["198.51.100.1"]

    assert "198.51.100.1" == sender_of("127.0.0.1", forwarded, PROXIES)


@pytest.mark.parametrize(
    ("sender", "key"),
    [
        pytest.param("198.51.100.1", "198.51.100.1", id="IPv4"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6: a household"),
        pytest.param("127.0.0.1", None, id="this machine"),
        pytest.param("::1", None, id="this machine, IPv6"),
        pytest.param("172.17.0.1", None, id="a container's host"),
        pytest.param("192.168.1.5", None, id="own network"),
        pytest.param("fe80::1%eth0", None, id="link-local"),
        pytest.param("", None, id="unknown"),
    ],
)
def test_key_of_the_cap(sender: str, key: str | None) -> None:
    """Addresses of the internet are counted; those behind which everybody stands are not."""
    assert key == counted_as(sender)
