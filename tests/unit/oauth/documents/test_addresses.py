"""Which addresses are public: every other one may lead to what only this machine can reach (CWE-918)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from flask_activepieces.oauth.documents.addresses import is_loopback, is_public

PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:2800:220:1:248:1893:25c8:1946",
    "2a00:1450:4001:82f::200e",
    "64:ff9b::5db8:d822",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)
    assert not is_loopback(address)


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  # not bound to
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::5db8:d822",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "2606:2800:220:1::1%eth0",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_a_private_or_special_network_is_not_public(address: str) -> None:
    ip_address(address)  # it is one

    assert not is_public(address)


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "client.example", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "1.2.3.4:443"],
)
def test_what_is_no_address_literal_is_not_public(text: str) -> None:
    assert not is_public(text)
    assert not is_loopback(text)


@pytest.mark.parametrize(
    ("address", "expected"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("10.0.0.1", False)]
)
def test_loopback_is_this_machine_only(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
