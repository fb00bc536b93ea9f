"""Attacks with the URL of a document (CWE-918): each one tries to reach, to hold up or to fill this machine."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from flask_activepieces.oauth.documents.client_urls import DocumentError, parse_client_url
from flask_activepieces.oauth.documents.connection import Limits, Network
from flask_activepieces.oauth.documents.fetch import MAX_BYTES, Fetcher
from tests.support.certificates import server_context, trusting_context
from tests.support.internet import HOST, PUBLIC, URL, Internet, internet
from tests.support.raw_server import Received, head
from tests.unit.oauth.documents.test_addresses import NOT_PUBLIC

CLIENT_URL = parse_client_url(URL, allow_loopback=False)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def refusal(net: Internet, *, seconds: float | None = None) -> str:
    """Why the document is refused."""
    fetcher = Fetcher(net.network())
    limits = fetcher.limits()
    if seconds is not None:
        limits = Limits(deadline=limits.network.monotonic() + seconds, network=limits.network)
    with pytest.raises(DocumentError) as caught:
        fetcher.fetch(CLIENT_URL, limits)
    return str(caught.value)


def refused(behave: Callable[[Received], None], *, seconds: float | None = None) -> str:
    with internet(behave) as net:
        return refusal(net, seconds=seconds)


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_to_a_private_address_is_not_contacted(address: str) -> None:
    with internet() as net:
        net.answers = [[address]]

        assert "not on the public internet" in refusal(net)

    assert net.connected == []


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC] * 9 + ["::1"], []])
def test_every_answer_must_be_public(answers: list[str]) -> None:
    """A second record would otherwise be used when the first address does not answer."""
    with internet() as net:
        net.answers = [answers]

        assert "not on the public internet" in refusal(net)

    assert net.connected == []


def test_a_name_that_changes_its_address_after_the_check_is_looked_up_once() -> None:
    """DNS rebinding."""
    with internet() as net:
        net.answers = [[PUBLIC], ["127.0.0.1"]]
        fetcher = Fetcher(net.network())
        fetcher.fetch(CLIENT_URL, fetcher.limits())

    assert net.looked_up == [HOST]
    assert net.connected == [(PUBLIC, 443)]


def test_a_name_without_an_address_is_refused() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror("unknown")

    fetcher = Fetcher(Network(check=lambda url: None, resolve=resolve))

    with pytest.raises(DocumentError, match="host name is unknown"):
        fetcher.fetch(CLIENT_URL, fetcher.limits())


def test_no_proxy_resolves_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with internet() as net:
        for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        fetcher = Fetcher(net.network())
        fetcher.fetch(CLIENT_URL, fetcher.limits())

    assert net.connected == [(PUBLIC, 443)]


def test_a_test_of_an_app_does_not_call_other_machines() -> None:
    fetcher = Fetcher()

    with pytest.raises(RuntimeError, match="would call a client metadata document at https://client.example"):
        fetcher.fetch(CLIENT_URL, fetcher.limits())


# --- Certificates ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tls",
    [
        server_context("other.example"),
        server_context("client.example.other.example"),
        server_context(HOST, is_expired=True),
        server_context(HOST, is_trusted=False),
    ],
    ids=["of another host", "of a longer name", "expired", "self-signed"],
)
def test_a_server_without_the_certificate_of_the_host_is_not_believed(tls: ssl.SSLContext) -> None:
    with internet(tls=tls) as net:
        assert "certificate" in refusal(net)

    assert net.server.received == []


def test_a_server_without_tls_gets_no_request() -> None:
    """Such as a Redis or a metadata service that answers on port 443."""
    with plain_server(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        assert "certificate" in at_port(port)


# --- Redirects and statuses -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    location = "http://169.254.169.254/latest/meta-data/"
    with internet(lambda received: received.answer(status, {}, Location=location)) as net:
        assert f"has the status {status} instead" in refusal(net)

    assert len(net.looked_up) == len(net.connected) == len(net.server.received) == 1


@pytest.mark.parametrize("header", ["Refresh", "Content-Location", "Link", "Alt-Svc"])
def test_no_other_header_leads_elsewhere(header: str) -> None:
    with internet(lambda received: received.answer(200, {}, **{header: "http://127.0.0.1/"})) as net:
        fetcher = Fetcher(net.network())
        fetcher.fetch(CLIENT_URL, fetcher.limits())

    assert len(net.connected) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 418, 429, 500, 503])
def test_only_status_200_is_a_document(status: int) -> None:
    assert f"status {status} instead of 200" in refused(lambda received: received.answer(status, {"client_id": URL}))


# --- Time -----------------------------------------------------------------------------------------


def test_headers_that_drip_end_at_the_deadline() -> None:
    assert "within 5 seconds" in _refused_after(dripping(OK + b"X: " + b"y" * 1000))


def test_a_body_that_drips_ends_at_the_deadline() -> None:
    assert "within 5 seconds" in _refused_after(dripping(b" " * 1000, after=OK + b"Content-Length: 5000\r\n\r\n"))


def test_chunks_that_drip_end_at_the_deadline() -> None:
    start = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    assert "within 5 seconds" in _refused_after(dripping(b"1\r\n \r\n" * 200, after=start))


def _refused_after(behave: Callable[[Internet, Received], None]) -> str:
    """Why a server is refused that lets seconds pass in the fetch, in which no one waits."""
    nets: list[Internet] = []
    with internet(lambda received: behave(nets[0], received)) as net:
        nets.append(net)
        return refusal(net)


def dripping(data: bytes, *, after: bytes = b"") -> Callable[[Internet, Received], None]:
    """One byte a second, and never all of them."""

    def behave(net: Internet, received: Received) -> None:
        received.send(after)
        for position in range(len(data)):
            net.skipped += 1
            received.send(data[position : position + 1])

    return behave


def test_a_silent_server_is_left_at_the_deadline() -> None:
    assert "within 5 seconds" in refused(lambda received: None, seconds=0.2)


def test_a_server_that_stops_in_the_middle_is_left_at_the_deadline() -> None:
    assert "within 5 seconds" in refused(lambda received: received.send(OK), seconds=0.2)


def test_a_silent_handshake_ends_at_the_deadline() -> None:
    with plain_server(b"") as port:
        assert "within 5 seconds" in at_port(port, seconds=0.2)


def test_a_slow_resolver_is_not_waited_for() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(30)
        return [PUBLIC]

    network = Network(check=lambda url: None, resolve=resolve)
    limits = Limits(deadline=network.monotonic() + 0.1, network=network)
    try:
        with pytest.raises(DocumentError, match="within 5 seconds"):
            Fetcher(network).fetch(CLIENT_URL, limits)
    finally:
        over.set()


def test_an_address_that_does_not_answer_leaves_time_for_the_others() -> None:
    given: list[float] = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        given.append(seconds)
        raise TimeoutError

    network = Network(check=lambda url: None, resolve=lambda host, port: [PUBLIC] * 3, connect=connect)
    fetcher = Fetcher(network)
    with pytest.raises(DocumentError, match="within 5 seconds"):
        fetcher.fetch(CLIENT_URL, fetcher.limits())

    assert len(given) == 3
    assert given[0] < 2


# --- Size -----------------------------------------------------------------------------------------


def test_a_document_with_one_byte_too_many_is_refused() -> None:
    assert "more than 5120 bytes" in refused(lambda received: received.answer(200, b" " * (MAX_BYTES + 1)))


def test_a_length_of_gigabytes_is_refused_before_the_body() -> None:
    assert "more than" in refused(lambda received: received.send(head(200, 1 << 40)))


@pytest.mark.parametrize("start", [b"", b"Transfer-Encoding: chunked\r\n"], ids=["no length", "chunked"])
def test_a_body_without_an_end_is_refused(start: bytes) -> None:
    chunk = b"400\r\n" + b" " * 0x400 + b"\r\n" if start else b" " * 1024

    assert "more than" in refused(endless(OK + start + b"\r\n", chunk))


def test_headers_without_an_end_are_refused() -> None:
    for line in (b"X: y\r\n", b"X: " + b"y" * 1000 + b"\r\n", b"y" * 1000):
        assert _is_refused_for_size(refused(endless(OK, line)))


def test_interim_responses_without_an_end_are_refused() -> None:
    assert _is_refused_for_size(refused(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")))


def test_chunk_extensions_and_trailers_without_an_end_are_refused() -> None:
    start = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    assert _is_refused_for_size(refused(endless(start + b"1;", b"x" * 1000)))
    assert _is_refused_for_size(refused(endless(start + b"0\r\n", b"X: y\r\n")))


def _is_refused_for_size(reason: str) -> bool:
    return "too large" in reason or "not HTTP" in reason


def endless(start: bytes, part: bytes) -> Callable[[Received], None]:
    """A server that sends until the client hangs up."""

    def behave(received: Received) -> None:
        received.connection.sendall(start)
        while True:
            received.connection.sendall(part)

    return behave


BOMB = b" " * (50 << 20)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("GZIP", gzip.compress),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("br", lambda data: b"x"),
        ("zstd", lambda data: b"x"),
        ("identity, gzip", gzip.compress),
    ],
)
def test_a_compressed_document_is_not_unpacked(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    """Fifty megabytes of blanks are fifty kilobytes of gzip, and fewer of gzip twice."""
    body = compress(BOMB[: 1 << 20])

    assert "not be compressed" in refused(lambda received: received.answer(200, body, Content_Encoding=encoding))


def test_a_compressed_transfer_is_not_unpacked() -> None:
    body = gzip.compress(b"{}")
    start = OK + b"Transfer-Encoding: gzip, chunked\r\nContent-Length: %d\r\n\r\n" % len(body)

    def behave(received: Received) -> None:
        received.send(start + body)
        received.close()

    with internet(behave) as net:
        fetcher = Fetcher(net.network())
        assert fetcher.fetch(CLIENT_URL, fetcher.limits()).body == body  # and this is not JSON


# --- Content --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "text/html; charset=utf-8",
        "text/plain",
        "text/json",
        "application/javascript",
        "application/xml",
        "application/octet-stream",
        "multipart/form-data",
        "image/svg+xml",
        "application/jsonp",
        "application/+json",
        "text/html+json",
        "json",
        "",
    ],
)
def test_another_content_type_is_refused(kind: str) -> None:
    """A page of a site that shows what its users uploaded is not a document of that site."""
    body = json.dumps({"client_id": URL}).encode()

    assert "content type" in refused(lambda received: received.answer(200, body, kind=kind))


def test_a_missing_content_type_is_refused() -> None:
    assert "content type" in refused(
        lambda received: received.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    )


@pytest.mark.parametrize(
    "response",
    [
        b"{}",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"-ERR unknown command\r\n",
        b"220 mail ESMTP\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\r\n\r\n",
        b"\x00\xff" * 100,
        b"",
    ],
)
def test_what_is_not_http_is_refused(response: bytes) -> None:
    def behave(received: Received) -> None:
        received.send(response)
        received.close()

    reason = refused(behave)

    assert "not HTTP" in reason or "status" in reason or "content type" in reason


def test_a_connection_that_is_reset_is_an_error() -> None:
    assert "connection failed" in refused(lambda received: received.reset())


# --- Servers without TLS --------------------------------------------------------------------------


@contextmanager
def plain_server(greeting: bytes) -> Iterator[int]:
    """A server that says something at once, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            connection, _ = listener.accept()
            held.append(connection)
            connection.sendall(greeting)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(5)
        for connection in held:
            connection.close()


def at_port(port: int, *, seconds: float = 5) -> str:
    """Why the server at this port of the host is refused."""
    network = Network(
        check=lambda url: None,
        resolve=lambda host, _: [PUBLIC],
        connect=lambda address, _, timeout: socket.create_connection(("127.0.0.1", port), timeout=timeout),
        tls_context=trusting_context,
    )
    limits = Limits(deadline=network.monotonic() + seconds, network=network)
    with pytest.raises(DocumentError) as caught:
        Fetcher(network).fetch(CLIENT_URL, limits)
    return str(caught.value)
