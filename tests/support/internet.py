"""The internet as a fetch sees it: names, addresses, and one TLS server on loopback behind every address."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from flask import Flask

from flask_activepieces.oauth.documents.connection import Network
from flask_activepieces.oauth.documents.fetch import Fetcher
from flask_activepieces.oauth.documents.service import DocumentClients
from flask_activepieces.state import EXTENSION, get_state

from .certificates import server_context, trusting_context
from .raw_server import RawServer, Received, raw_server

#: A public address, where nothing is contacted.
PUBLIC = "93.184.216.34"
HOST = "client.example"
URL = f"https://{HOST}/metadata.json"


def json_document(received: Received) -> None:
    """Answer with a minimal document."""
    received.answer(200, {"client_id": URL, "redirect_uris": ["https://client.example/callback"]})


@dataclass
class Internet:
    """What the network answers, and what was asked."""

    server: RawServer
    #: The next answers of the resolver; the last one is repeated.
    answers: list[Sequence[str]] = field(default_factory=lambda: [[PUBLIC]])
    unreachable: set[str] = field(default_factory=set)
    looked_up: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)
    #: Seconds that pass without anyone waiting.
    skipped: float = 0

    def network(self) -> Network:
        """The network for a `Fetcher`."""
        return Network(
            check=lambda url: None,
            resolve=self._resolve,
            connect=self._connect,
            tls_context=trusting_context,
            monotonic=lambda: time.monotonic() + self.skipped,
        )

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        if address in self.unreachable:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", urlsplit(self.server.url).port or 0), timeout=seconds)


@contextmanager
def internet(
    behave: Callable[[Received], None] = json_document, *, tls: ssl.SSLContext | None = None
) -> Iterator[Internet]:
    """An internet whose only server behaves like this."""
    with raw_server(behave, tls=tls or server_context(HOST)) as server:
        yield Internet(server)


def connect_to(app: Flask, net: Internet) -> None:
    """Let the app read documents from this internet."""
    state = get_state(app)
    clients = DocumentClients(
        state.database,
        Fetcher(net.network()),
        clock=state.clock,
        audit=state.audit,
        is_on=state.accepts_client_documents,
        allow_loopback=False,
    )
    app.extensions[EXTENSION] = replace(state, document_clients=clients)
