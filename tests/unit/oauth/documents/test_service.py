"""Reading a document while another worker reads it, or after it has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from flask_activepieces.errors import Unavailable
from flask_activepieces.messages import Message
from flask_activepieces.oauth.clients.client import OAuthClient
from flask_activepieces.oauth.documents.client_urls import ClientUrl, DocumentError
from flask_activepieces.oauth.documents.connection import Limits
from flask_activepieces.oauth.documents.fetch import Fetched, Fetcher
from flask_activepieces.oauth.documents.service import WORK, DocumentClients
from flask_activepieces.storage import tables
from flask_activepieces.storage.audit import Audit
from flask_activepieces.storage.database import Database
from flask_activepieces.storage.single_flight import SingleFlight
from tests.support.clock import StoppedClock

URL = "https://client.example/metadata.json"
ISSUER = "https://app.example.com"


class Documents(Fetcher):
    """A fetcher that knows one document, which can change or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "Robin"
        self.fails = False
        self.fetches = 0

    def fetch(self, url: ClientUrl, limits: Limits) -> Fetched:
        self.fetches += 1
        if self.fails:
            raise DocumentError(Message("It fails."))
        claims = {"client_id": URL, "client_name": self.name, "redirect_uris": ["https://client.example/callback"]}
        return Fetched(json.dumps(claims).encode(), 600)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path / 'documents.sqlite'}")
    tables.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def documents() -> Documents:
    return Documents()


@pytest.fixture
def clients(database: Database, documents: Documents, clock: StoppedClock) -> DocumentClients:
    return service(database, documents, clock)


@pytest.fixture
def other_worker(database: Database, clock: StoppedClock) -> SingleFlight:
    """What another worker uses to read the same document."""
    return SingleFlight(database, WORK, clock=clock, seconds=15)


def service(
    database: Database, documents: Documents, clock: StoppedClock, *, sleep: Callable[[float], None] = time.sleep
) -> DocumentClients:
    return DocumentClients(
        database, documents, clock=clock, audit=Audit(None), is_on=lambda: True, allow_loopback=False, sleep=sleep
    )


def get(clients: DocumentClients, **options: Any) -> OAuthClient:
    return clients.get(URL, issuer=ISSUER, **options)


def test_the_old_document_is_used_while_another_worker_reads_the_new_one(
    clients: DocumentClients, documents: Documents, clock: StoppedClock, other_worker: SingleFlight
) -> None:
    get(clients)
    documents.name = "Robin 2"
    clock.advance(600)

    with other_worker.attempt(URL):
        assert get(clients).name == "Robin"
    assert documents.fetches == 1
    assert get(clients).name == "Robin 2"


def test_a_first_request_waits_for_the_other_worker(
    database: Database, documents: Documents, clients: DocumentClients, clock: StoppedClock
) -> None:
    other_worker = SingleFlight(database, WORK, clock=clock, seconds=15).attempt(URL)
    other_worker.__enter__()

    def finish(_: float) -> None:
        # Meanwhile the other worker has read the document.
        other_worker.__exit__(None, None, None)
        get(clients)

    waiting = service(database, documents, clock, sleep=finish)

    assert get(waiting).name == "Robin"
    assert documents.fetches == 1


def test_a_first_request_fails_with_the_other_worker(
    database: Database, documents: Documents, clock: StoppedClock
) -> None:
    """Otherwise all that wait would fetch one after the other."""
    other_worker = SingleFlight(database, WORK, clock=clock, seconds=15).attempt(URL)
    other_worker.__enter__()

    def fail(_: float) -> None:
        other_worker.__exit__(None, None, None)

    waiting = service(database, documents, clock, sleep=fail)

    with pytest.raises(DocumentError, match="a moment ago"):
        get(waiting)

    assert documents.fetches == 0


def test_what_another_worker_has_just_read_is_not_read_again(
    database: Database, documents: Documents, clients: DocumentClients, clock: StoppedClock
) -> None:
    known = get(clients)
    clock.advance(600)
    documents.name = "Robin 2"
    get(service(database, documents, clock))

    # This worker looked before the other one had finished.
    assert clients.with_current_keys(known, kid="k").name == "Robin 2"
    assert documents.fetches == 2


def test_permission_is_asked_before_each_fetch(clients: DocumentClients, documents: Documents) -> None:
    def refuse() -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        get(clients, before_fetch=refuse)
    assert documents.fetches == 0

    get(clients)
    assert get(clients, before_fetch=refuse).name == "Robin"


def test_keys_that_cannot_be_read_are_unavailable(
    clients: DocumentClients, documents: Documents, clock: StoppedClock
) -> None:
    known = get(clients)
    documents.fails = True
    clock.advance(days=7)

    for _ in range(2):
        with pytest.raises(Unavailable):
            clients.with_current_keys(known, kid="k")
        known = OAuthClient(**{**vars(known), "document_tried_at": int(clock.now)})
    assert documents.fetches == 2, "once, and not again at once"
