"""HTTP over real sockets: what a server may do to us, and what it may not."""

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
    http: ConnectionPool,
    url: str,
    *,
    method: str = "GET",
    timeout: Timeout | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> ApiResponse:
    patience = timeout or Timeout(connect=2, read=5, total=5)
    outgoing = HttpRequest(method=method, url=url, headers=headers or {}, body=body)
    return http.send(
        "things.list", outgoing, timeout=patience, deadline=time.monotonic() + patience.total
    )


@pytest.fixture
def http() -> ConnectionPool:
    return ConnectionPool()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


# --- Answers --------------------------------------------------------------------------------------


def test_an_answer_comes_whole_with_its_headers_in_lower_case(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(201, {"n": 1}, X_Mixed="Yes")) as server:
        answer = send(http, f"{server.url}/things?a=1", method="POST", body=b"{}")

    assert (answer.status, answer.body) == (201, b'{"n": 1}')
    assert answer.headers["x-mixed"] == "Yes"
    assert (server.received[0].target, server.received[0].body) == ("/things?a=1", b"{}")


def test_files_go_as_a_form_of_several_parts(http: ConnectionPool) -> None:
    outgoing = HttpRequest(
        method="POST",
        url="",
        headers={},
        form={"scope": "PLATFORM"},
        files={"archive": ("piece.tgz", b"\x1f\x8b", "application/gzip")},
    )

    with raw_server(lambda request: request.answer(201, {})) as server:
        there = replace(outgoing, url=server.url)
        http.send("pieces.install", there, timeout=Timeout(), deadline=time.monotonic() + 5)

    (received,) = server.received
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="scope"\r\n\r\nPLATFORM\r\n' in received.body
    assert b'name="archive"; filename="piece.tgz"' in received.body
    assert b"\r\n\r\n\x1f\x8b\r\n" in received.body


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_an_answer_may_be_packed(http: ConnectionPool, packing: str) -> None:
    packed = {"gzip": gzip.compress(b"[1]"), "deflate": zlib.compress(b"[1]")}[packing]

    with raw_server(
        lambda request: request.answer(200, packed, Content_Encoding=packing)
    ) as server:
        assert send(http, server.url).body == b"[1]"


def test_an_answer_may_come_in_chunks(http: ConnectionPool) -> None:
    def in_chunks(request: Received) -> None:
        top = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        request.send(top + b"2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")

    with raw_server(in_chunks) as server:
        assert send(http, server.url).body == b"[1]"


def test_a_connection_is_used_again(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        for _ in range(3):
            send(http, server.url)

    assert server.connections == 1


def test_a_redirect_is_not_followed(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(302, Location="/elsewhere")) as server:
        assert send(http, server.url).status == 302

    assert len(server.received) == 1


def test_no_cookie_is_kept(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer(Set_Cookie="a=b")) as server:
        send(http, server.url)
        send(http, server.url)

    assert "cookie" not in server.received[1].headers


def test_a_netrc_does_not_replace_the_credential(
    http: ConnectionPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with raw_server(lambda request: request.answer()) as server:
        send(http, server.url, headers={"Authorization": "Bearer ours"})

    assert server.received[0].headers["authorization"] == "Bearer ours"


@pytest.mark.activepieces_network
def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with raw_server(lambda request: request.answer(200, ["proxied"])) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        answer = send(ConnectionPool(), "http://ap.example.com/api/v1/flags")

    assert answer.body == b'["proxied"]'
    assert proxy.received[0].target == "http://ap.example.com/api/v1/flags"


# --- Trouble before anything is sent --------------------------------------------------------------


def test_a_refused_connection_sent_nothing(http: ConnectionPool) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(http, closed_port(), method="POST", body=b"{}")

    assert failed.value.detail == "the connection was refused"
    assert not failed.value.outcome_unknown


@pytest.mark.activepieces_network
def test_an_unknown_host_sent_nothing(http: ConnectionPool) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(http, "http://activepieces.invalid", method="POST", body=b"{}")

    assert failed.value.detail == "unknown host name"
    assert not failed.value.outcome_unknown


@pytest.mark.activepieces_network
@pytest.mark.parametrize(
    "nowhere", ["http://a..b", "http://ex ample.com", "http://\x00", f"http://{'a' * 300}"]
)
def test_an_address_that_cannot_be_sent_nothing(http: ConnectionPool, nowhere: str) -> None:
    with pytest.raises(ConnectionFailed) as failed:
        send(http, nowhere, method="POST", body=b"{}")

    assert failed.value.detail == "invalid address"
    assert not failed.value.outcome_unknown


def test_a_server_without_tls_is_reported(http: ConnectionPool) -> None:
    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=(listener,), daemon=True).start()
        with pytest.raises(ConnectionFailed) as failed:
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            send(http, url, method="POST", body=b"{}")

    assert failed.value.detail == "the secure connection failed"


def test_a_server_that_takes_no_connections_is_out_of_reach(http: ConnectionPool) -> None:
    """Its queue is full: the kernel lets nobody in, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(ConnectionFailed) as failed:
            send(http, f"http://127.0.0.1:{address[1]}", timeout=Timeout(connect=0.1))
        for each in waiting:
            each.close()

    assert failed.value.detail == "no connection within 0.1 seconds"
    assert not failed.value.outcome_unknown


# --- Trouble afterwards ---------------------------------------------------------------------------


def silent(request: Received) -> None:
    time.sleep(2)


def cut(request: Received) -> None:
    request.send(head(200, 1000) + b'{"data": [')
    request.close()


def reset_in_the_body(request: Received) -> None:
    request.send(head(200, 1000) + b'{"data": [')
    time.sleep(0.05)  # let the first bytes arrive: a reset overtakes what is on its way
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
def test_a_connection_that_ends_too_early_leaves_the_outcome_open(
    http: ConnectionPool, behave: Callable[[Received], None], detail: str
) -> None:
    with raw_server(behave) as server, pytest.raises(ConnectionFailed) as failed:
        send(http, server.url, method="POST", body=b"{}")

    assert failed.value.detail == detail
    assert failed.value.outcome_unknown


@pytest.mark.parametrize(
    "rubbish", [b"220 smtp.example.com ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02P"]
)
def test_another_protocol_is_no_answer(http: ConnectionPool, rubbish: bytes) -> None:
    def talk(request: Received) -> None:
        request.send(rubbish)
        request.close()

    with raw_server(talk) as server, pytest.raises(ConnectionFailed):
        send(http, server.url)


def test_what_cannot_be_unpacked_is_not_activepieces(http: ConnectionPool) -> None:
    with (
        raw_server(
            lambda request: request.answer(200, b"plain", Content_Encoding="gzip")
        ) as server,
        pytest.raises(UnexpectedResponse),
    ):
        send(http, server.url)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_without_end_is_not_read_to_its_end(http: ConnectionPool, packed: bool) -> None:
    chunk = bytes(1 << 20)

    def answer(request: Received) -> None:
        packing = "Content-Encoding: gzip\r\n" if packed else ""
        request.send(f"HTTP/1.1 200 OK\r\n{packing}Connection: close\r\n\r\n".encode())
        packer = zlib.compressobj(1, wbits=31)
        for _ in range(70):
            request.send(packer.compress(chunk) if packed else chunk)
        request.close()

    with raw_server(answer) as server, pytest.raises(UnexpectedResponse) as failed:
        send(http, server.url)

    assert failed.value.detail == "the response exceeds 64 MB"


# --- Time -----------------------------------------------------------------------------------------


def drip(data: bytes) -> Callable[[Received], None]:
    def behave(request: Received) -> None:
        for byte in data:
            request.send(bytes([byte]))
            time.sleep(0.05)

    return behave


def test_a_silent_server_is_given_up_and_the_timeout_named(http: ConnectionPool) -> None:
    begun = time.monotonic()

    with raw_server(silent) as server, pytest.raises(CallTimedOut) as failed:
        send(http, server.url, method="POST", body=b"{}", timeout=SOON)

    assert failed.value.seconds == 0.2
    assert failed.value.outcome_unknown
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b" " * 9,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \r\n",
    ],
    ids=["headers", "size of a chunk"],
)
def test_headers_that_drip_beyond_the_deadline_time_out_at_their_end(
    http: ConnectionPool, data: bytes
) -> None:
    """http.client reads lines to their end: within one, only the read timeout of each byte holds."""
    begun = time.monotonic()

    with raw_server(drip(data)) as server, pytest.raises(CallTimedOut) as failed:
        send(http, server.url, timeout=Timeout(connect=2, read=0.2, total=0.3))

    assert failed.value.seconds == 0.3
    assert 0.3 < time.monotonic() - begun < 5


def test_a_body_that_drips_is_given_up_at_the_deadline(http: ConnectionPool) -> None:
    def behave(request: Received) -> None:
        request.send(head(200, 1000))
        drip(b" " * 1000)(request)

    with raw_server(behave) as server, pytest.raises(CallTimedOut) as failed:
        send(http, server.url, timeout=SOON)

    assert failed.value.seconds == 0.5


def test_what_the_deadline_leaves_is_all_that_a_late_attempt_gets(http: ConnectionPool) -> None:
    with raw_server(silent) as server, pytest.raises(CallTimedOut):
        http.send(
            "things.list",
            HttpRequest(method="GET", url=server.url, headers={}),
            timeout=Timeout(read=30),
            deadline=time.monotonic() + 0.1,
        )


# --- Connections that are kept --------------------------------------------------------------------


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(http: ConnectionPool) -> None:
    """A POST on it would be lost, and could not be sent again."""

    def once(request: Received) -> None:
        request.answer()
        request.close()

    with raw_server(once) as server:
        for _ in range(5):
            assert send(http, server.url, method="POST", body=b"{}").status == 200
            time.sleep(0.02)

    assert server.connections == 5


def test_a_connection_that_was_idle_for_long_is_opened_anew() -> None:
    http = ConnectionPool(idle_seconds=0.01)

    with raw_server(lambda request: request.answer()) as server:
        send(http, server.url)
        time.sleep(0.02)
        send(http, server.url)

    assert server.connections == 2


def test_a_broken_answer_leaves_no_connection_behind(http: ConnectionPool) -> None:
    answers: Iterator[Callable[[Received], None]] = iter([silent, Received.answer])

    with raw_server(lambda request: next(answers)(request)) as server:
        with pytest.raises(CallTimedOut):
            send(http, server.url, timeout=SOON)
        assert send(http, server.url).status == 200

    assert server.connections == 2


def test_many_threads_share_it(http: ConnectionPool) -> None:
    statuses: list[int] = []

    with raw_server(lambda request: request.answer()) as server:
        threads = [
            threading.Thread(target=lambda: statuses.append(send(http, server.url).status))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

    assert statuses == [200] * 20


def test_a_forked_process_opens_connections_of_its_own(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        send(http, server.url)
        child = os.fork()
        if child == 0:
            os._exit(0 if send(http, server.url).status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0

    assert server.connections == 2


def test_it_can_be_closed_and_used_again(http: ConnectionPool) -> None:
    with raw_server(lambda request: request.answer()) as server:
        send(http, server.url)
        http.close()
        send(http, server.url)

    assert server.connections == 2


# --- Waits between attempts -----------------------------------------------------------------------


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (9, 4.0)])
def test_waits_are_any_part_of_a_bound_that_doubles(attempt: int, bound: float) -> None:
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


def test_a_redirect_to_an_invalid_address_is_still_a_response(http: ConnectionPool) -> None:
    """A session of requests would prepare the next request, and fail."""
    with raw_server(lambda request: request.answer(302, Location="http://[")) as server:
        assert send(http, server.url).status == 302
