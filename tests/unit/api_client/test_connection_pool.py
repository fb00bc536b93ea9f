"""HTTP over real sockets, with servers that misbehave."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from flask_activepieces.api_client import ConnectionPool, Retries, Timeout
from flask_activepieces.api_client.errors import CallTimedOut, ConnectionFailed, UnexpectedResponse
from flask_activepieces.api_client.response import ApiResponse
from flask_activepieces.api_client.wire import HttpRequest
from tests.support.raw_server import Received, head, raw_server

SOON = Timeout(connect=2, read=0.2, total=0.5)


def send(
    pool: ConnectionPool,
    url: str,
    *,
    method: str = "GET",
    timeout: Timeout | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> ApiResponse:
    limits = timeout or Timeout(connect=2, read=5, total=5)
    prepared = HttpRequest(method=method, url=url, headers=headers or {}, body=body)
    return pool.send("things.list", prepared, timeout=limits, deadline=time.monotonic() + limits.total)


@pytest.fixture
def pool() -> ConnectionPool:
    return ConnectionPool()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


# --- Responses ------------------------------------------------------------------------------------


def test_a_response_has_status_body_and_headers_in_lower_case(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(201, {"n": 1}, X_Mixed="Yes")) as server:
        response = send(pool, f"{server.url}/things?a=1", method="POST", body=b"{}")

    assert (response.status, response.body) == (201, b'{"n": 1}')
    assert response.headers["x-mixed"] == "Yes"
    assert (server.received[0].target, server.received[0].body) == ("/things?a=1", b"{}")


def test_files_are_sent_as_multipart(pool: ConnectionPool) -> None:
    prepared = HttpRequest(
        method="POST",
        url="",
        headers={},
        form={"scope": "PLATFORM"},
        files={"archive": ("piece.tgz", b"\x1f\x8b", "application/gzip")},
    )

    with raw_server(lambda request: request.answer(201, {})) as server:
        there = replace(prepared, url=server.url)
        pool.send("pieces.install", there, timeout=Timeout(), deadline=time.monotonic() + 5)

    (received,) = server.received
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="scope"\r\n\r\nPLATFORM\r\n' in received.body
    assert b'name="archive"; filename="piece.tgz"' in received.body
    assert b"\r\n\r\n\x1f\x8b\r\n" in received.body


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_response_may_be_compressed(pool: ConnectionPool, encoding: str) -> None:
    compressed = {"gzip": gzip.compress(b"[1]"), "deflate": zlib.compress(b"[1]")}[encoding]

    with raw_server(lambda request: request.answer(200, compressed, Content_Encoding=encoding)) as server:
        assert send(pool, server.url).body == b"[1]"


def test_a_response_may_be_chunked(pool: ConnectionPool) -> None:
    def send_chunks(request: Received) -> None:
        top = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        request.send(top + b"2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")

    with raw_server(send_chunks) as server:
        assert send(pool, server.url).body == b"[1]"


def test_a_connection_is_reused(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        for _ in range(3):
            send(pool, server.url)

    assert server.connections == 1


def test_a_redirect_is_not_followed(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(302, Location="/elsewhere")) as server:
        assert send(pool, server.url).status == 302

    assert len(server.received) == 1


def test_cookies_are_not_stored(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(Set_Cookie="a=b")) as server:
        send(pool, server.url)
        send(pool, server.url)

    assert "cookie" not in server.received[1].headers


def test_a_netrc_does_not_replace_the_credential(
    pool: ConnectionPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with raw_server(lambda request: request.answer()) as server:
        send(pool, server.url, headers={"Authorization": "Bearer ours"})

    assert server.received[0].headers["authorization"] == "Bearer ours"


@pytest.mark.activepieces_network
def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with raw_server(lambda request: request.answer(200, ["proxied"])) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        response = send(ConnectionPool(), "http://ap.example.com/api/v1/flags")

    assert response.body == b'["proxied"]'
    assert proxy.received[0].target == "http://ap.example.com/api/v1/flags"


# --- Failures before the request is sent ----------------------------------------------------------


def test_a_refused_connection_sent_nothing(pool: ConnectionPool) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(pool, closed_port(), method="POST", body=b"{}")

    assert failed.value.detail == "the connection was refused"
    assert not failed.value.outcome_unknown


@pytest.mark.activepieces_network
def test_an_unknown_host_sent_nothing(pool: ConnectionPool) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(pool, "http://activepieces.invalid", method="POST", body=b"{}")

    assert failed.value.detail == "unknown host name"
    assert not failed.value.outcome_unknown


@pytest.mark.activepieces_network
@pytest.mark.parametrize("nowhere", ["http://a..b", "http://ex ample.com", "http://\x00", f"http://{'a' * 300}"])
def test_an_invalid_address_sent_nothing(pool: ConnectionPool, nowhere: str) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(pool, nowhere, method="POST", body=b"{}")

    assert failed.value.detail == "invalid address"
    assert not failed.value.outcome_unknown


def test_a_server_without_tls_is_reported(pool: ConnectionPool) -> None:
    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=(listener,), daemon=True).start()
        with pytest.raises(ConnectionFailed) as failed:
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            send(pool, url, method="POST", body=b"{}")

    assert failed.value.detail == "the secure connection failed"


def test_a_server_with_a_full_backlog_times_out_on_connect(pool: ConnectionPool) -> None:
    """The kernel drops new connections without an error."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(ConnectionFailed) as failed:
            send(pool, f"http://127.0.0.1:{address[1]}", timeout=Timeout(connect=0.1))
        for each in waiting:
            each.close()

    assert failed.value.detail == "no connection within 0.1 seconds"
    assert not failed.value.outcome_unknown


# --- Failures afterwards -------------------------------------------------------------------------


def silent(request: Received) -> None:
    time.sleep(2)


def cut(request: Received) -> None:
    request.send(head(200, 1000) + b'{"data": [')
    request.close()


def reset_in_the_body(request: Received) -> None:
    request.send(head(200, 1000) + b'{"data": [')
    time.sleep(0.05)  # let the first bytes arrive: a reset discards data in transit
    request.reset()


def cut_in_the_headers(request: Received) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    request.close()


@pytest.mark.parametrize(
    ("behave", "detail"),
    [
        (Received.close, "the connection was closed before a response"),
        (Received.reset, "the connection was reset"),
        (cut, "the response was cut off"),
        (reset_in_the_body, "the connection was reset"),
    ],
)
def test_a_broken_connection_leaves_the_outcome_unknown(
    pool: ConnectionPool, behave: Callable[[Received], None], detail: str
) -> None:
    with raw_server(behave) as server, pytest.raises(ConnectionFailed) as failed:
        send(pool, server.url, method="POST", body=b"{}")

    assert failed.value.detail == detail
    assert failed.value.outcome_unknown


def test_an_error_that_is_being_handled_does_not_hide_that_the_request_was_sent(pool: ConnectionPool) -> None:
    """Python adds the handled error to the chain of causes."""
    with raw_server(Received.reset) as server, pytest.raises(ConnectionFailed) as failed:
        try:
            requests.get(closed_port(), timeout=1)
        except requests.ConnectionError:
            send(pool, server.url, method="POST", body=b"{}")

    assert failed.value.outcome_unknown


@pytest.mark.parametrize("rubbish", [b"220 smtp.example.com ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02P"])
def test_another_protocol_is_a_failed_connection(pool: ConnectionPool, rubbish: bytes) -> None:
    def talk(request: Received) -> None:
        request.send(rubbish)
        request.close()

    with raw_server(talk) as server, pytest.raises(ConnectionFailed):
        send(pool, server.url)


def test_invalid_compression_is_an_unexpected_response(pool: ConnectionPool) -> None:
    with (
        raw_server(lambda request: request.answer(200, b"plain", Content_Encoding="gzip")) as server,
        pytest.raises(UnexpectedResponse),
    ):
        send(pool, server.url)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_endless_response_is_not_read_to_the_end(pool: ConnectionPool, compressed: bool) -> None:
    chunk = bytes(1 << 20)

    def answer(request: Received) -> None:
        encoding = "Content-Encoding: gzip\r\n" if compressed else ""
        request.send(f"HTTP/1.1 200 OK\r\n{encoding}Connection: close\r\n\r\n".encode())
        compressor = zlib.compressobj(1, wbits=31)
        for _ in range(70):
            request.send(compressor.compress(chunk) if compressed else chunk)
        request.close()

    with raw_server(answer) as server, pytest.raises(UnexpectedResponse) as failed:
        send(pool, server.url)

    assert failed.value.detail == "the response exceeds 64 MB"


# --- Timeouts --------------------------------------------------------------------------------------


def drip(data: bytes) -> Callable[[Received], None]:
    def behave(request: Received) -> None:
        for byte in data:
            request.send(bytes([byte]))
            time.sleep(0.02)

    return behave


def test_a_silent_server_times_out_after_the_read_timeout(pool: ConnectionPool) -> None:
    start = time.monotonic()

    with raw_server(silent) as server, pytest.raises(CallTimedOut) as failed:
        send(pool, server.url, method="POST", body=b"{}", timeout=SOON)

    assert failed.value.seconds == 0.2
    assert failed.value.outcome_unknown
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b" " * 9,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n",
    ],
    ids=["headers", "size of a chunk"],
)
def test_dripping_headers_time_out_when_they_end(pool: ConnectionPool, data: bytes) -> None:
    """http.client reads whole lines; within a line, only the read timeout of each byte applies."""
    start = time.monotonic()

    with raw_server(drip(data)) as server, pytest.raises(CallTimedOut) as failed:
        send(pool, server.url, timeout=Timeout(connect=2, read=0.2, total=0.3))

    assert failed.value.seconds == 0.3
    assert 0.3 < time.monotonic() - start < 5


def test_a_dripping_body_times_out_at_the_deadline(pool: ConnectionPool) -> None:
    def behave(request: Received) -> None:
        request.send(head(200, 1000))
        drip(b" " * 1000)(request)

    with raw_server(behave) as server, pytest.raises(CallTimedOut) as failed:
        send(pool, server.url, timeout=SOON)

    assert failed.value.seconds == 0.5


def test_a_late_attempt_gets_only_the_remaining_time(pool: ConnectionPool) -> None:
    with raw_server(silent) as server, pytest.raises(CallTimedOut):
        pool.send(
            "things.list",
            HttpRequest(method="GET", url=server.url, headers={}),
            timeout=Timeout(read=30),
            deadline=time.monotonic() + 0.1,
        )


# --- Kept connections --------------------------------------------------------------------


def test_a_connection_closed_by_the_server_is_not_reused(pool: ConnectionPool) -> None:
    """A POST on it would be lost, and could not be sent again."""

    def once(request: Received) -> None:
        request.answer()
        request.close()

    with raw_server(once) as server:
        for _ in range(5):
            assert send(pool, server.url, method="POST", body=b"{}").status == 200
            time.sleep(0.02)

    assert server.connections == 5


def test_an_idle_connection_is_replaced() -> None:
    pool = ConnectionPool(idle_seconds=0.01)

    with raw_server(lambda request: request.answer()) as server:
        send(pool, server.url)
        time.sleep(0.02)
        send(pool, server.url)

    assert server.connections == 2


def test_a_connection_is_not_reused_after_a_timeout(pool: ConnectionPool) -> None:
    answers: Iterator[Callable[[Received], None]] = iter([silent, Received.answer])

    with raw_server(lambda request: next(answers)(request)) as server:
        with pytest.raises(CallTimedOut):
            send(pool, server.url, timeout=SOON)
        assert send(pool, server.url).status == 200

    assert server.connections == 2


def test_many_threads_share_it(pool: ConnectionPool) -> None:
    statuses: list[int] = []

    with raw_server(lambda request: request.answer()) as server:
        threads = [threading.Thread(target=lambda: statuses.append(send(pool, server.url).status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

    assert statuses == [200] * 20


def test_a_forked_process_opens_its_own_connections(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        send(pool, server.url)
        child = os.fork()
        if child == 0:
            os._exit(0 if send(pool, server.url).status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0

    assert server.connections == 2


def test_it_can_be_closed_and_used_again(pool: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        send(pool, server.url)
        pool.close()
        send(pool, server.url)

    assert server.connections == 2


# --- Waits between attempts -----------------------------------------------------------------------


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (9, 4.0)])
def test_backoff_is_random_below_a_doubling_limit(attempt: int, bound: float) -> None:
    assert Retries(random=lambda: 1.0).backoff(attempt) == bound
    assert Retries(random=lambda: 0.5).backoff(attempt) == bound / 2
    assert Retries(random=lambda: 0.0).backoff(attempt, at_least=3) == 3


# --- A session of the host ------------------------------------------------------------------------


def test_a_session_of_the_host_is_used_with_its_adapters_and_headers() -> None:
    session = requests.Session()
    session.headers["X-Host"] = "ours"

    with raw_server(lambda request: request.answer(Set_Cookie="a=b")) as server:
        assert send(ConnectionPool(session), server.url).status == 200

    assert server.received[0].headers["x-host"] == "ours"
    assert not session.cookies


def test_a_redirect_to_an_invalid_address_is_still_a_response(pool: ConnectionPool) -> None:
    """A session of requests would prepare the next request, and fail."""
    with raw_server(lambda request: request.answer(302, Location="http://[")) as server:
        assert send(pool, server.url).status == 302
