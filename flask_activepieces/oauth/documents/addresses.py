"""Which addresses are on the public internet. Others may be reachable from this machine only (CWE-918).

IPv4 addresses are public unless a registry says otherwise. Of the IPv6 addresses, only global unicast is public,
except ranges that embed an IPv4 address or are not routed. The lists are those of IANA's registries of
special-purpose addresses; the module ``ipaddress`` contains them too, but they differ between versions of Python.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            # Azure's metadata and DNS server has a public address.
            "168.63.129.16/32",
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            # Teredo, ORCHID, benchmarks and other protocols
            "2001::/23",
            "2001:db8::/32",
            # 6to4 embeds an IPv4 address.
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
#: RFC 6052 §2.1: on a network without IPv4, the DNS server puts every IPv4 address behind this prefix.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this is the literal of an address on the public internet; False for anything else."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return _is_public_v6(parsed)
    return _is_public_v4(parsed)


def is_loopback(address: str) -> bool:
    """Whether this is the literal of a loopback address."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    return (
        address in _GLOBAL_UNICAST and address.is_global and not any(address in network for network in _NOT_PUBLIC_V6)
    )
