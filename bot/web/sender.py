"""Who sent a request: the address at the other end, or the one that a trusted proxy names."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# Loopback, private and link-local networks (RFC 6890): no visitor of a site is seen there.
_OURS: tuple[Network, ...] = (
    *map(IPv4Network, ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    IPv4Network("169.254.0.0/16"),
    *map(IPv6Network, ("::1/128", "fc00::/7", "fe80::/10")),
)
_HOME_PREFIX = 64  # bits: the smallest network that an IPv6 provider gives to one household


def sender_of(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> str:
    """The address that a request came from.

    Args:
        peer: the address at the other end of the connection.
        forwarded: the values of `X-Forwarded-For`, in their order.
        trusted: the proxies whose word counts.

    Every proxy adds on the right whom it was called by. So the list is read from its right end,
    one step for each trusted proxy; what stands further left anybody may have written.
    """
    found = _address(peer)
    for hop in reversed(",".join(forwarded).split(",")):
        further = _address(hop)
        if found is None or further is None or not _is_in(found, trusted):
            break
        found = further
    return str(found) if found else peer


def counted_as(sender: str) -> str | None:
    """The key under which a sender's requests are counted; None if they are not.

    An IPv6 household counts as one. An address of this machine or of its own network is not
    counted: behind it stands a proxy that we were not told to trust, and with it all senders.
    """
    found = _address(sender)
    if found is None or _is_in(found, _OURS):
        return None
    if isinstance(found, IPv4Address):
        return str(found)
    return str(IPv6Network((int(found), _HOME_PREFIX), strict=False))


def _address(text: str) -> Address | None:
    """An address as proxies write it: perhaps with a port, perhaps an IPv4 one within IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
