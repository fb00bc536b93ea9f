"""`DocumentClients`: OAuth clients that are described by documents.

A document is stored as a row of the OAuth clients, which all workers share. When it has expired, one worker fetches
it again. If that fails, the row is used until it is seven days old, because servers fail at times, and that must not
break the connections of users.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, update

from ...clock import Clock
from ...config.urls import origin
from ...errors import Unavailable
from ...messages import Message
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from ...storage.single_flight import SingleFlight
from ..clients.assertions import PublicKeys
from ..clients.client import DOCUMENT, OAuthClient, find_requested
from ..clients.registration import CODE_GRANTS
from .client_urls import ClientUrl, DocumentError, parse_client_url, stored_id
from .document import Document, parse_document, parse_keys
from .fetch import SECONDS, SHORTEST_LIFETIME, Fetcher

#: How old a document may be while it cannot be fetched again.
LONGEST_STALENESS = 7 * 24 * 60 * 60
#: The name of the task that one worker does for all, and its time limit, including database statements.
WORK = "client metadata document"
_WORK_SECONDS = SECONDS + 10

_table = tables.oauth_clients

log = logging.getLogger(__name__)


class DocumentClients:
    """The clients of one app whose id is the URL of a document.

    ``is_on``: whether the app accepts them. ``allow_loopback``: also documents on loopback, for developers.
    """

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        *,
        clock: Clock,
        audit: Audit,
        is_on: Callable[[], bool],
        allow_loopback: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock
        self._audit = audit
        self.is_on = is_on
        self._allow_loopback = allow_loopback
        self._flight = SingleFlight(database, WORK, clock=clock, seconds=_WORK_SECONDS, sleep=sleep)

    def get(self, url: str, *, issuer: str, before_fetch: Callable[[], None] = lambda: None) -> OAuthClient:
        """The client with this URL, from a stored document that has not expired or from a new one.

        `DocumentError` if neither exists. ``before_fetch`` is called before a fetch, and may raise an error.
        """
        client_url = self.parse(url)
        if origin(url) == origin(issuer):
            # Users may be able to upload files there, and the consent page would show the host of the app.
            raise DocumentError(Message("A client cannot have an address of this app."))
        client = self._find(url)
        if client is not None and self._is_current(client):
            return client
        return self._read_or_wait(client_url, client, before_fetch)

    def parse(self, url: str) -> ClientUrl:
        """The parts of the URL; `DocumentError` if it cannot be the id of a client here."""
        return parse_client_url(url, allow_loopback=self._allow_loopback)

    def with_current_keys(self, client: OAuthClient, *, kid: str | None) -> OAuthClient:
        """The client with the current keys of its document; `Unavailable` if they are too old.

        The document is fetched again if it has expired, or lacks the key: the client may have created a new key.
        """
        keys = PublicKeys.from_json(client.jwks) if client.jwks else None
        lacks_key = keys is None or keys.find(kid) is None
        is_due = int(self._clock()) - (client.document_tried_at or 0) >= SHORTEST_LIFETIME
        if is_due and (lacks_key or not self._is_current(client)):
            try:
                return self._read_or_wait(self.parse(client.identifier), client)
            except DocumentError:
                raise Unavailable("metadata document of the client") from None
        if not self._is_usable(client):
            raise Unavailable("metadata document of the client")
        return client

    def _find(self, url: str) -> OAuthClient | None:
        return self._database.read(lambda conn: find_requested(conn, url))

    def _is_current(self, client: OAuthClient) -> bool:
        return self._is_usable(client) and int(self._clock()) < (client.document_expires_at or 0)

    def _is_usable(self, client: OAuthClient) -> bool:
        return int(self._clock()) < (client.document_read_at or 0) + LONGEST_STALENESS

    def _read_or_wait(
        self, url: ClientUrl, known: OAuthClient | None, before_fetch: Callable[[], None] = lambda: None
    ) -> OAuthClient:
        """The client, after this worker or another one has fetched the document."""
        with self._flight.attempt(url.url) as is_ours:
            if is_ours:
                latest = self._find(url.url)
                if latest is None or (known is not None and latest.document_tried_at == known.document_tried_at):
                    before_fetch()
                    return self._read(url, latest)
                if self._is_usable(latest):
                    return latest
        if known is not None and self._is_usable(known):
            return known
        self._flight.wait(url.url)
        client = self._find(url.url)
        if client is None or not self._is_usable(client):
            raise DocumentError(Message("The document could not be read a moment ago."))
        return client

    def _read(self, url: ClientUrl, known: OAuthClient | None) -> OAuthClient:
        now = int(self._clock())
        try:
            document, lifetime = self._fetch(url)
        except DocumentError as error:
            log.warning("The document of the client %r cannot be used: %s", url.url, error.reason)
            if known is None:
                raise
            later = now + SHORTEST_LIFETIME
            this = update(_table).where(_table.c.client_id == known.client_id)
            self._database.write(this.values(document_tried_at=now, document_expires_at=later))
            if not self._is_usable(known):
                raise
            return replace(known, document_tried_at=now, document_expires_at=later)
        return self._store(url, document, now=now, expires_at=now + lifetime)

    def _fetch(self, url: ClientUrl) -> tuple[Document, int]:
        """The document with the keys at its ``jwks_uri``, and how many seconds it may be used."""
        limits = self._fetcher.limits()
        fetched = self._fetcher.fetch(url, limits)
        document, lifetime = parse_document(fetched.body, url), fetched.lifetime
        if document.keys_url is not None:
            fetched_keys = self._fetcher.fetch(self.parse(document.keys_url), limits)
            document = replace(document, keys=parse_keys(fetched_keys.body))
            lifetime = min(lifetime, fetched_keys.lifetime)
        return document, lifetime

    def _store(self, url: ClientUrl, document: Document, *, now: int, expires_at: int) -> OAuthClient:
        described = {
            "name": document.name,
            "redirect_uris": " ".join(dict.fromkeys(document.redirect_uris)),
            "scope": document.scope,
            "jwks": document.keys.to_json() if document.keys else None,
            "document_read_at": now,
            "document_tried_at": now,
            "document_expires_at": expires_at,
        }
        client_id = stored_id(url.url)

        def store(transaction: Transaction) -> OAuthClient:
            this = _table.c.client_id == client_id
            if not transaction.execute_rowcount(update(_table).where(this).values(described)):
                created = described | _new_row(client_id, url.url, now=now)
                transaction.execute(insert(_table), created)
                detail = {"client": document.name, "url": url.url}
                self._audit.record(
                    transaction, Event(name="client.created", at=now, client_id=client_id, detail=detail)
                )
            client = find_requested(transaction.conn, url.url)
            assert client is not None
            return client

        return self._database.run_in_transaction(store)


def _new_row(client_id: str, url: str, *, now: int) -> dict[str, Any]:
    """The columns that do not come from the document."""
    return {
        "client_id": client_id,
        "tenant_id": None,
        "description": "",
        "grant_types": " ".join(CODE_GRANTS),
        "require_pkce": True,
        "remember_consent": False,
        "can_introspect": False,
        "created_at": now,
        "tokens_issued": 0,
        "source": DOCUMENT,
        "document_url": url,
    }
