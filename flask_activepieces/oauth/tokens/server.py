"""Authlib's authorization server, with our clients, our storage and our format of answers."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    OAuth2Error,
    TokenEndpoint,
    UnsupportedGrantTypeError,
)
from flask import Response
from sqlalchemy import and_, bindparam, select

from ...crypto.keyring import looks_like_id
from ...errors import ClientDisabled
from ...storage import tables
from ...storage.audit import Audit
from ...storage.database import Database
from ..clients import authentication as client_auth
from ..clients.client import OAuthClient, client_from_row
from . import families
from .client_request import ClientRequest
from .endpoints import IntrospectionEndpoint, RevocationEndpoint
from .families import Family, TokenFamilies
from .grant_types import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    S256Challenge,
)
from .issuer import TokenIssuer

#: RFC 6749 §5.1: no answer of these endpoints may be stored.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthServer(AuthorizationServer):
    """Three grants, revocation and introspection; nothing else is registered, so nothing else exists."""

    def __init__(self, database: Database, token_issuer: TokenIssuer, *, audit: Audit) -> None:
        super().__init__()
        self.database = database
        self.token_issuer = token_issuer
        self.audit = audit
        self.families = TokenFamilies(database, audit=audit)
        self.register_grant(AuthorizationCodeGrant, [S256Challenge(required=False)])
        self.register_grant(RefreshTokenGrant)
        self.register_grant(ClientCredentialsGrant)
        self.revocation = RevocationEndpoint(self)
        self.introspection = IntrospectionEndpoint(self)

    def token_response(self, request: ClientRequest) -> Response:
        """The token endpoint (RFC 6749 §3.2); an `OAuth2Error` for what it refuses."""
        grant = self.get_token_grant(request)
        grant.validate_token_request()
        return self.handle_response(*grant.create_token_response())

    def revocation_response(self, request: ClientRequest) -> Response:
        """The revocation endpoint (RFC 7009 §2)."""
        return self._endpoint_response(self.revocation, request)

    def introspection_response(self, request: ClientRequest) -> Response:
        """The introspection endpoint (RFC 7662 §2)."""
        return self._endpoint_response(self.introspection, request)

    def get_token_grant(self, request: Any) -> Any:
        """The grant asked for; RFC 6749 §5.2 has one error for a missing type and another for an unknown one."""
        if "grant_type" not in request.form:
            raise InvalidRequestError("The parameter grant_type is missing.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            # Authlib would repeat the client's text, which may hold what a description must not.
            raise OAuth2Error(
                error="unsupported_grant_type",
                description="Use authorization_code, refresh_token or client_credentials.",
            ) from None

    def authenticate_client(
        self, request: Any, methods: Collection[str], endpoint: str = "token"
    ) -> OAuthClient:
        """The client that the request's credentials prove; else InvalidClientError."""
        credentials = client_auth.read_credentials(request.form, request.authorization)
        found = self._find(credentials.client_id)
        return self._authenticated(request, credentials, found, methods, endpoint)

    def authenticate_with_family(
        self, request: ClientRequest, methods: Collection[str], family_id: str | None
    ) -> tuple[OAuthClient, Family | None]:
        """The client and, from the same query, its family with this id."""
        credentials = client_auth.read_credentials(request.form, request.authorization)
        found = self._find(credentials.client_id, family_id)
        return self._authenticated(request, credentials, found, methods, "token"), found.family

    def handle_response(self, status: int, payload: Any, headers: Any) -> Response:
        """JSON that no one may store."""
        return Response(json.dumps(payload), status, dict(headers) | NO_STORE)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Our own signals come after the commit; Authlib's would come before it."""

    def _endpoint_response(self, endpoint: TokenEndpoint, request: ClientRequest) -> Response:
        return self.handle_response(*endpoint.create_endpoint_response(request))  # type: ignore[no-untyped-call]

    def _authenticated(
        self,
        request: ClientRequest,
        credentials: client_auth.ClientCredentials,
        found: _Found,
        methods: Collection[str],
        endpoint: str,
    ) -> OAuthClient:
        client = client_auth.authenticate(credentials, found.client)
        if credentials.method not in methods:
            raise client_auth.invalid_client(
                "This endpoint requires a confidential client.", by_header=credentials.by_header
            )
        if client.disabled_at is not None and endpoint == "token":
            # Not invalid_grant: on that word Activepieces marks a connection as broken for good.
            raise ClientDisabled
        request.auth_method = credentials.method
        return client

    def _find(self, client_id: str, family_id: str | None = None) -> _Found:
        if not looks_like_id(client_id):
            return _Found()
        statement = _CLIENT if family_id is None else _CLIENT_AND_FAMILY
        ids = {"wanted_client": client_id, "wanted_family": family_id}
        row = self.database.read(lambda conn: conn.execute(statement, ids).one_or_none())
        if row is None:
            return _Found()
        values = row._asdict()
        family = {name: values.get(f"family_{name}") for name in families.FIELDS}
        return _Found(
            client_from_row(values),
            families.family_from_row(family) if family["id"] is not None else None,
        )


class _Found(NamedTuple):
    client: OAuthClient | None = None
    #: The family that was asked for, if it is this client's.
    family: Family | None = None


_clients = tables.oauth_clients
_CLIENT = select(_clients).where(_clients.c.client_id == bindparam("wanted_client"))
_CLIENT_AND_FAMILY = (
    _CLIENT.select_from(_clients)
    .add_columns(*(column.label(f"family_{column.name}") for column in families.COLUMNS))
    .outerjoin(
        families.table,
        and_(
            families.table.c.id == bindparam("wanted_family"),
            families.table.c.client_id == _clients.c.client_id,
        ),
    )
    .outerjoin(families.grants, families.GRANT_OF_FAMILY)
)
