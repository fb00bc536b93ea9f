"""OAuth clients, how they are read from the database, and how they are shown as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from sqlalchemy import Connection, select

from ...clock import as_iso
from ...crypto.keyring import looks_like_id, sha256_hex
from ...host.ids import checked_id
from ...storage import tables
from .. import scopes
from ..documents.client_urls import host_of, looks_like_client_url, stored_id
from . import redirect_uris as redirects
from .registration import CLIENT_CREDENTIALS, Registration, row_values

table = tables.oauth_clients

#: The source of a client: an operator or admin registered it, its id is the URL of a document, or it registered
#: itself (RFC 7591).
OPERATOR, DOCUMENT, DYNAMIC = "operator", "document", "dynamic"

#: With this prefix, secret scanners can recognize leaked secrets.
SECRET_PREFIX = "fas_"  # noqa: S105  # a prefix, not a secret


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    """An OAuth client. It contains hashes of its secrets, which its ``repr`` does not show."""

    #: Its id in our tables. See `identifier`.
    client_id: str
    #: None: users of every tenant may grant it access.
    tenant_id: str | None
    name: str
    description: str
    redirect_uris: tuple[str, ...]
    scope: str
    grant_types: tuple[str, ...]
    require_pkce: bool
    remember_consent: bool
    can_introspect: bool
    #: The integration that it was created for. Users do not see such a client, and admins cannot change it.
    integration_id: str | None
    created_at: int
    #: How many tokens it got with the client-credentials grant.
    tokens_issued: int
    last_issued_at: int | None
    #: When it was suspended; since then, it gets no tokens.
    disabled_at: int | None
    secret_hash: str | None = field(repr=False)
    previous_secret_hash: str | None = field(repr=False)
    #: The https URL of its logo. A client that no one vouches for has none: a logo is easily borrowed.
    logo_uri: str | None = None
    #: `OPERATOR`, `DOCUMENT` or `DYNAMIC`.
    source: str = OPERATOR
    #: When a user last approved it, if it registered itself.
    approved_at: int | None = None
    document_url: str | None = None
    #: When its document was last fetched, when that was last attempted, and when the document expires.
    document_read_at: int | None = None
    document_tried_at: int | None = None
    document_expires_at: int | None = None
    #: Its public keys, as JSON, if it authenticates with a key.
    jwks: str | None = field(default=None, repr=False)
    registration_token_hash: str | None = field(default=None, repr=False)

    @property
    def identifier(self) -> str:
        """Its ``client_id`` in requests and tokens."""
        return self.document_url or self.client_id

    @property
    def is_self_registered(self) -> bool:
        """Whether no operator or admin registered it."""
        return self.source != OPERATOR

    @property
    def registered_by(self) -> Literal["app", "workspace"] | None:
        """Who vouches for it: the app, or an administrator of its tenant; None if it registered itself."""
        if self.is_self_registered:
            return None
        return "app" if self.tenant_id is None or self.integration_id is not None else "workspace"

    @property
    def host(self) -> str | None:
        """The host of its document; nothing else about its origin is verified."""
        return host_of(self.document_url) if self.document_url else None

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that a policy must allow: that of its document, or all hosts of its redirect URIs."""
        return frozenset(
            map(redirects.host_or_scheme, [self.document_url] if self.document_url else self.redirect_uris)
        )

    @property
    def is_on_device(self) -> bool:
        """Whether every redirect URI leads to the user's own device, where other programs could impersonate it."""
        return bool(self.redirect_uris) and all(map(redirects.is_on_device, self.redirect_uris))

    @property
    def has_secret(self) -> bool:
        """Whether it authenticates with a secret."""
        return self.secret_hash is not None

    @property
    def is_confidential(self) -> bool:
        """Whether it can authenticate, with a secret or a private key (RFC 6749 §2.1)."""
        return self.has_secret or self.jwks is not None

    def allowed_scope(self, known_scopes: Iterable[str]) -> str:
        """The scopes that it may request. A client that registered itself and named none may request all scopes."""
        if not self.is_self_registered:
            return self.scope
        known = list(known_scopes)
        return scopes.join([name for name in scopes.split(self.scope) if name in known] or known)

    @property
    def secret_version(self) -> str:
        """A value that changes with the secret, and reveals neither the secret nor its hash."""
        return sha256_hex(self.secret_hash or "")

    @property
    def registration_version(self) -> str:
        """Changes with what was decided about it."""
        return sha256_hex(json.dumps(row_values(self.registration()), sort_keys=True))

    def accepts_redirect(self, uri: str) -> bool:
        """Whether the URI is registered (RFC 9700 §4.1.3)."""
        return redirects.matches(uri, self.redirect_uris, public=not self.is_confidential)

    def is_available_to(self, tenant_id: str) -> bool:
        """Whether users of this tenant may grant it access."""
        return self.tenant_id is None or self.tenant_id == tenant_id

    def registration(self) -> Registration:
        """Its current registration: the basis for an update."""
        return Registration(
            name=self.name,
            description=self.description,
            logo_uri=self.logo_uri or "",
            redirect_uris=self.redirect_uris,
            scope=self.scope,
            tenant_id=self.tenant_id,
            public=not self.is_confidential,
            require_pkce=self.require_pkce,
            remember_consent=self.remember_consent,
            client_credentials=CLIENT_CREDENTIALS in self.grant_types,
            can_introspect=self.can_introspect,
        )


_FIELDS = tuple(column.name for column in fields(OAuthClient))


def client_from_row(values: Mapping[str, Any]) -> OAuthClient:
    """The client in a row of the table."""
    # During the registration, columns are missing.
    columns = {name: values[name] for name in _FIELDS if name in values}
    lists = {name: tuple(values[name].split()) for name in ("redirect_uris", "grant_types")}
    return OAuthClient(**columns | lists)


def find_by_id(conn: Connection, client_id: str) -> OAuthClient | None:
    """The client with this id, of any tenant."""
    if not looks_like_id(client_id):
        return None
    row = conn.execute(select(table).where(table.c.client_id == client_id)).one_or_none()
    return None if row is None else client_from_row(row._asdict())


def find_by_ids(conn: Connection, client_ids: Iterable[str]) -> dict[str, OAuthClient]:
    """The clients with these ids, of any tenant."""
    rows = conn.execute(select(table).where(table.c.client_id.in_(client_ids)))
    return {row.client_id: client_from_row(row._asdict()) for row in rows}


def find_requested(conn: Connection, identifier: str) -> OAuthClient | None:
    """The client with this `OAuthClient.identifier`."""
    client = find_by_id(conn, stored_client_id(identifier))
    return client if client is not None and client.identifier == identifier else None


def stored_client_id(identifier: str) -> str:
    """The id in our tables of the client that has this ``client_id`` in requests."""
    is_url = not looks_like_id(identifier) and looks_like_client_url(identifier)
    return stored_id(identifier) if is_url else identifier


def list_for_tenant(conn: Connection, tenant_id: str) -> list[OAuthClient]:
    """The tenant's clients, by name."""
    tenant = checked_id("tenant_id", tenant_id)
    statement = select(table).where(table.c.tenant_id == tenant).order_by(table.c.name)
    return [client_from_row(row._asdict()) for row in conn.execute(statement)]


def names_of(conn: Connection, client_ids: Sequence[str]) -> dict[str, str]:
    """The names of these clients, of any tenant, by id; without those that were deleted."""
    statement = select(table.c.client_id, table.c.name).where(table.c.client_id.in_(client_ids))
    return {row.client_id: row.name for row in conn.execute(statement)}


def client_to_json(client: OAuthClient, secret: str | None = None) -> dict[str, Any]:
    """The client for the API and the command line, with the names of RFC 7591; with its secret only if it is new."""
    client_json: dict[str, Any] = {
        "client_id": client.client_id,
        "tenant_id": client.tenant_id,
        "name": client.name,
        "description": client.description,
        "logo_uri": client.logo_uri,
        "public": not client.is_confidential,
        "redirect_uris": list(client.redirect_uris),
        "scope": client.scope,
        "grant_types": list(client.grant_types),
        "require_pkce": client.require_pkce,
        "remember_consent": client.remember_consent,
        "can_introspect": client.can_introspect,
        "integration_id": client.integration_id,
        "created_at": as_iso(client.created_at),
        "tokens_issued": client.tokens_issued,
        "last_issued_at": as_iso(client.last_issued_at) if client.last_issued_at else None,
        "disabled_at": as_iso(client.disabled_at) if client.disabled_at else None,
        "source": client.source,
        "document_url": client.document_url,
    }
    return client_json | ({"client_secret": secret} if secret is not None else {})
