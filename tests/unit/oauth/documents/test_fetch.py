"""Fetching a document from a stranger's URL: what is sent, what is accepted, and for how long it may be used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from email.message import Message

import pytest

from flask_activepieces.oauth.documents.client_urls import DocumentError, parse_client_url
from flask_activepieces.oauth.documents.connection import Limits, Network
from flask_activepieces.oauth.documents.fetch import (
    DEFAULT_LIFETIME,
    LONGEST_LIFETIME,
    MAX_BYTES,
    SHORTEST_LIFETIME,
    Fetched,
    Fetcher,
    lifetime,
)
from tests.support.internet import HOST, PUBLIC, URL, Internet, internet
from tests.support.raw_server import Received, raw_server


def fetch(net: Internet, url: str = URL, *, limits: Limits | None = None) -> Fetched:
    fetcher = Fetcher(net.network())
    return fetcher.fetch(parse_client_url(url, allow_loopback=False), limits or fetcher.limits())


def test_a_document_is_fetched_from_the_address_that_was_checked() -> None:
    with internet() as net:
        fetched = fetch(net)

    assert json.loads(fetched.body)["client_id"] == URL
    assert net.looked_up == [HOST]
    assert net.connected == [(PUBLIC, 443)]


def test_the_request_says_what_it_wants_and_nothing_else() -> None:
    with internet() as net:
        fetch(net)

    (request,) = net.server.received
    assert (request.method, request.target, request.body) == ("GET", "/metadata.json", b"")
    assert request.headers == {
        "host": HOST,
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "flask-activepieces",
        "connection": "close",
    }


def test_the_next_address_is_tried_if_one_does_not_answer() -> None:
    with internet() as net:
        net.answers = [["2606:2800:220:1::1", PUBLIC]]
        net.unreachable = {"2606:2800:220:1::1"}
        fetch(net)

    assert net.connected == [("2606:2800:220:1::1", 443), (PUBLIC, 443)]


def test_few_addresses_are_tried() -> None:
    addresses = [f"93.184.216.{number}" for number in range(1, 50)]
    with internet() as net:
        net.answers, net.unreachable = [addresses], set(addresses)
        with pytest.raises(DocumentError, match="connection failed"):
            fetch(net)

    assert len(net.connected) == 3


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/x.oauth+json"])
def test_json_content_types_are_accepted(kind: str) -> None:
    with internet(lambda received: received.answer(200, {}, kind=kind)) as net:
        assert fetch(net).body == b"{}"


def test_a_document_may_be_chunked() -> None:
    def behave(received: Received) -> None:
        received.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        received.send(b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")

    with internet(behave) as net:
        assert fetch(net).body == b"{}"


def test_a_document_may_have_no_length() -> None:
    def behave(received: Received) -> None:
        received.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
        received.close()

    with internet(behave) as net:
        assert fetch(net).body == b"{}"


def test_a_document_of_exactly_five_kilobytes_is_accepted() -> None:
    with internet(lambda received: received.answer(200, b" " * MAX_BYTES)) as net:
        assert len(fetch(net).body) == MAX_BYTES


def test_a_developer_may_serve_a_document_on_this_machine() -> None:
    """With the setting for that: without TLS, on any port, with the real network."""
    with raw_server(lambda received: received.answer(200, {})) as server:
        fetcher = Fetcher()
        url = parse_client_url(f"{server.url}/client.json", allow_loopback=True)

        assert fetcher.fetch(url, fetcher.limits()).body == b"{}"


def test_a_name_of_this_machine_must_lead_to_this_machine() -> None:
    network = Network(resolve=lambda host, port: [PUBLIC])
    fetcher = Fetcher(network)
    url = parse_client_url("http://localhost:8000/client.json", allow_loopback=True)

    with pytest.raises(DocumentError, match="not on the public internet"):
        fetcher.fetch(url, fetcher.limits())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], DEFAULT_LIFETIME),
        (["max-age=3600"], 3600),
        (["public, max-age=600"], 600),
        (["MAX-AGE=600"], 600),
        (['max-age="600"'], 600),
        (["max-age=600, s-maxage=900"], 900),
        (["max-age=0"], SHORTEST_LIFETIME),
        (["max-age=1"], SHORTEST_LIFETIME),
        (["no-store"], SHORTEST_LIFETIME),
        (["no-cache, max-age=3600"], SHORTEST_LIFETIME),
        (["max-age=3600", "no-store"], SHORTEST_LIFETIME),
        (["max-age=31536000, immutable"], LONGEST_LIFETIME),
        (["max-age=999999999999999999"], DEFAULT_LIFETIME),
        (["max-age=-1"], DEFAULT_LIFETIME),
        (["max-age=a"], DEFAULT_LIFETIME),
        (["max-age"], DEFAULT_LIFETIME),
        (["max-age=600, max-age=999"], 600),
        (["private"], DEFAULT_LIFETIME),
        ([", ,;x=y"], DEFAULT_LIFETIME),
    ],
)
def test_the_cache_control_of_the_server_counts_within_bounds(headers: Sequence[str], seconds: int) -> None:
    message = Message()
    for header in headers:
        message["Cache-Control"] = header

    assert lifetime(message) == seconds


@pytest.mark.parametrize(
    ("age", "seconds"), [("600", 3000), ("0", 3600), ("99999", SHORTEST_LIFETIME), ("-5", 3600), ("x", 3600)]
)
def test_the_time_in_other_caches_counts(age: str, seconds: int) -> None:
    """RFC 9111 §5.1."""
    message = Message()
    message["Cache-Control"], message["Age"] = "max-age=3600", age

    assert lifetime(message) == seconds
