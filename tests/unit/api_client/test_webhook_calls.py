"""POST requests to webhooks, with servers that misbehave."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.errors import CallTimedOut, ConnectionFailed
from flask_activepieces.api_client.response import ApiResponse
from flask_activepieces.api_client.webhook_calls import MAX_RESPONSE_BYTES, WebhookCalls
from tests.support.raw_server import Received, head, raw_server

ENOUGH = Timeout(connect=5, read=5, total=10)
SOON = Timeout(connect=2, read=0.4, total=0.4)


@pytest.fixture
def calls() -> WebhookCalls:
    return WebhookCalls()


def post(calls: WebhookCalls, url: str, timeout: Timeout = ENOUGH) -> ApiResponse:
    return calls.post(f"{url}/api/v1/webhooks/f1", {"X-Mine": "1"}, b'{"id": 1}', timeout=timeout)


def test_a_response_has_status_body_and_headers_in_lower_case(calls: WebhookCalls) -> None:
    with raw_server(lambda request: request.answer(202, {"n": 1}, Retry_After="9")) as server:
        response = post(calls, server.url)

    assert (response.status, response.body) == (202, b'{"n": 1}')
    assert response.headers["retry-after"] == "9"
    (received,) = server.received
    assert (received.method, received.target, received.body) == ("POST", "/api/v1/webhooks/f1", b'{"id": 1}')
    assert received.headers["x-mine"] == "1"


def test_one_connection_serves_many_requests(calls: WebhookCalls) -> None:
    with raw_server(lambda request: request.answer()) as server:
        assert [post(calls, server.url).status for _ in range(3)] == [200] * 3

    assert server.connections == 1


def test_a_redirect_is_not_followed(calls: WebhookCalls) -> None:
    with raw_server(lambda request: request.answer(307, Location="/elsewhere")) as server:
        assert post(calls, server.url).status == 307

    assert len(server.received) == 1


def test_a_name_is_resolved_once_and_the_connection_goes_to_that_address(
    calls: WebhookCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means another address a moment later (DNS rebinding) changes nothing."""
    resolved: list[str] = []

    with raw_server(lambda request: request.answer()) as server, raw_server(Received.answer) as other:
        ports = iter([server.url.rpartition(":")[2], other.url.rpartition(":")[2]])

        def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
            resolved.append(host)
            address = ("127.0.0.1", int(next(ports)))
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert [post(calls, "http://localhost").status for _ in range(2)] == [200, 200]

    assert resolved == ["localhost"]
    assert len(server.received) == 2
    assert other.received == []


def test_a_compressed_body_is_not_unpacked(calls: WebhookCalls) -> None:
    """A few kilobytes can become gigabytes, and more if they are packed twice."""
    bomb = gzip.compress(gzip.compress(bytes(20_000_000)))

    with raw_server(lambda request: request.answer(200, bomb, Content_Encoding="gzip, gzip")) as server:
        tracemalloc.start()
        try:
            response = post(calls, server.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert response.body == bomb[:MAX_RESPONSE_BYTES]
    assert peak < 1_000_000


def test_only_the_beginning_of_a_long_body_is_read(calls: WebhookCalls) -> None:
    def endless(request: Received) -> None:
        request.send(head(200, 10**9) + b"x" * 100_000)

    with raw_server(endless) as server:
        assert post(calls, server.url).body == b"x" * MAX_RESPONSE_BYTES
        assert post(calls, server.url).status == 200

    assert server.connections == 2


def test_a_body_that_ends_with_the_connection_is_read(calls: WebhookCalls) -> None:
    def behave(request: Received) -> None:
        request.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndone")
        request.close()

    with raw_server(behave) as server:
        assert post(calls, server.url).body == b"done"


def drip(data: bytes) -> Callable[[Received], None]:
    def behave(request: Received) -> None:
        for byte in data:
            request.send(bytes([byte]))
            time.sleep(0.05)

    return behave


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        head(200, 5000) + b"y" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000,
    ],
    ids=["many headers", "a long header", "never a final status", "a body", "the size of a chunk"],
)
def test_a_response_that_drips_times_out_as_a_whole(calls: WebhookCalls, data: bytes) -> None:
    """No single wait for a byte is too long, and the whole response would take minutes."""
    with raw_server(drip(data)) as server, pytest.raises(CallTimedOut) as failed:
        post(calls, server.url, SOON)

    assert failed.value.outcome_unknown


def test_tls_is_verified_and_its_responses_time_out_as_a_whole(
    calls: WebhookCalls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    answers = iter([Received.answer, drip(b"HTTP/1.1 200 OK\r\n" * 1000)])

    with raw_server(lambda request: next(answers)(request), tls=tls) as server:
        with pytest.raises(ConnectionFailed, match="not trusted"):
            post(calls, server.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        calls = WebhookCalls()
        assert post(calls, server.url).status == 200
        with pytest.raises(CallTimedOut):
            post(calls, server.url, SOON)


def self_signed(directory: Path) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


def test_a_silent_server_times_out(calls: WebhookCalls) -> None:
    with raw_server(lambda request: time.sleep(5)) as server, pytest.raises(CallTimedOut):
        post(calls, server.url, SOON)


def test_a_slow_response_leaves_the_next_one_its_whole_time(calls: WebhookCalls) -> None:
    def behave(request: Received) -> None:
        time.sleep(0.6)
        request.answer()

    with raw_server(behave) as server:
        statuses = [post(calls, server.url, Timeout(connect=2, read=1, total=2)).status for _ in range(3)]

    assert statuses == [200] * 3
    assert server.connections == 1


@pytest.mark.parametrize("behave", [Received.close, Received.reset])
def test_a_broken_connection_leaves_the_outcome_unknown(
    calls: WebhookCalls, behave: Callable[[Received], None]
) -> None:
    with raw_server(behave) as server, pytest.raises(ConnectionFailed) as failed:
        post(calls, server.url)

    assert failed.value.outcome_unknown


def test_an_idle_connection_is_replaced() -> None:
    calls = WebhookCalls(idle_seconds=0.01)

    with raw_server(lambda request: request.answer()) as server:
        post(calls, server.url)
        time.sleep(0.02)
        post(calls, server.url)

    assert server.connections == 2


def test_a_forked_process_opens_its_own_connections(calls: WebhookCalls) -> None:
    with raw_server(lambda request: request.answer()) as server:
        post(calls, server.url)
        child = os.fork()
        if child == 0:
            os._exit(0 if post(calls, server.url).status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0

    assert server.connections == 2
