"""Clients that register themselves, if the app allows it (RFC 7591, RFC 7592).

Anyone can register a client. So nothing about it is verified, and the consent page says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from ...clock import Clock
from ...config.scopes import Scope
from ...crypto.keyring import NO_HASH, constant_time_equal, sha256_hex
from ...storage import tables
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .authentication import SECRET_METHODS
from .client import DYNAMIC, OAuthClient, client_from_row, find_by_id
from .metadata import ClientMetadata, parse_metadata
from .redirect_uris import display_origin
from .registration import CODE_GRANTS, MAX_NAME
from .service import NewCredentials

#: RFC 7591 §2: the first one is the default.
METHODS = (*SECRET_METHODS, "none")
#: With this prefix, secret scanners can recognize leaked tokens.
TOKEN_PREFIX = "frt_"  # noqa: S105  # a prefix, not a token

_table = tables.oauth_clients


@dataclass(frozen=True, kw_only=True)
class DynamicRegistration:
    """A new client with its secrets, which are shown only once."""

    client: OAuthClient
    #: None for a public client.
    secret: str | None = field(repr=False)
    token: str = field(repr=False)


class DynamicClients:
    """The clients of one app that register themselves."""

    def __init__(self, database: Database, *, clock: Clock, audit: Audit, known_scopes: Mapping[str, Scope]) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._known_scopes = known_scopes

    def register(self, claims: Mapping[str, Any]) -> DynamicRegistration:
        """Register a client with this metadata; `InvalidMetadata` if the metadata is invalid."""
        metadata = parse_metadata(claims, methods=METHODS, default_method=METHODS[0])
        credentials, token = NewCredentials(), TOKEN_PREFIX + secrets.token_hex(32)
        secret = None if metadata.method == "none" else credentials.secret
        row = self._row(metadata) | {
            "client_id": credentials.client_id,
            "secret_hash": None if secret is None else sha256_hex(secret),
            "previous_secret_hash": None,
            "registration_token_hash": sha256_hex(token),
        }
        client = client_from_row(row)

        def store(transaction: Transaction) -> None:
            # It exists already if the commit was not confirmed and the transaction runs again.
            if find_by_id(transaction.conn, client.client_id) is None:
                transaction.execute(insert(_table), row)
                self._audit.record(transaction, _created(client))

        self._database.run_in_transaction(store)
        return DynamicRegistration(client=client, secret=secret, token=token)

    def find(self, client_id: str, token: str) -> OAuthClient | None:
        """The client with this id, if this is its registration token. Failures take the same time for each reason."""
        client = self._database.read(lambda conn: find_by_id(conn, client_id))
        expected = (client and client.registration_token_hash) or NO_HASH
        is_valid = constant_time_equal(sha256_hex(token), expected)
        return client if is_valid and client is not None else None

    def describe(self, client: OAuthClient) -> dict[str, Any]:
        """The metadata of the client as it was registered (RFC 7591 §3.2.1), without secrets."""
        return {
            "client_id": client.client_id,
            "client_id_issued_at": client.created_at,
            "client_name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "grant_types": list(client.grant_types),
            "response_types": ["code"],
            "token_endpoint_auth_method": METHODS[0] if client.has_secret else "none",
            "scope": client.allowed_scope(self._known_scopes),
        }

    def _row(self, metadata: ClientMetadata) -> dict[str, Any]:
        return {
            "tenant_id": None,
            "name": metadata.name or display_origin(metadata.redirect_uris[0])[:MAX_NAME],
            "description": "",
            "redirect_uris": " ".join(dict.fromkeys(metadata.redirect_uris)),
            "scope": metadata.scope,
            "grant_types": " ".join(CODE_GRANTS),
            "require_pkce": True,
            "remember_consent": False,
            "can_introspect": False,
            "integration_id": None,
            "created_at": int(self._clock()),
            "tokens_issued": 0,
            "last_issued_at": None,
            "disabled_at": None,
            "source": DYNAMIC,
        }


def _created(client: OAuthClient) -> Event:
    detail = {"client": client.name}
    return Event(name="client.created", at=client.created_at, client_id=client.client_id, detail=detail)
