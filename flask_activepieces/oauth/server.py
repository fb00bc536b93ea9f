"""Authlib's authorization server, told how we look up, prove and answer."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError
from flask import Response
from sqlalchemy import Table, and_, bindparam, select

from ..database import Transaction
from ..models import OAuthClientRow
from ..signing import may_be_id
from . import client_auth, families, refresh_tokens
from .clients import OAuthClient, client_of
from .desk import TokenDesk
from .endpoints import IntrospectionEndpoint, RevocationEndpoint
from .grant_types import CodeGrant, CredentialsGrant, RefreshGrant, S256Challenge
from .requests import MachineRequest

#: RFC 6749 §5.1: no answer of these endpoints may be kept.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthServer(AuthorizationServer):
    """Three grants, revocation and introspection; nothing else is registered, so nothing else exists."""

    def __init__(self, desk: TokenDesk) -> None:
        super().__init__()
        self.desk = desk
        self.register_grant(CodeGrant, [S256Challenge(required=False)])
        self.register_grant(RefreshGrant)
        self.register_grant(CredentialsGrant)
        self.register_endpoint(RevocationEndpoint)
        self.register_endpoint(IntrospectionEndpoint)

    def answer_token(self, request: MachineRequest) -> Response:
        """The answer of the token endpoint."""
        return cast(Response, self.create_token_response(request))

    def answer(self, endpoint: str, request: MachineRequest) -> Response:
        """The answer of the endpoint that is registered under this name."""
        return cast(Response, self.create_endpoint_response(endpoint, request))  # type: ignore[no-untyped-call]

    def create_oauth2_request(self, request: Any) -> Any:
        """The request as the view read it."""
        return request

    def get_token_grant(self, request: Any) -> Any:
        """The grant asked for; RFC 6749 §5.2 has one error for none and another for an unknown one."""
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
        """The proven client; with it, in the same look-up, the family that a refresh token names."""
        credentials = client_auth.read_credentials(request.form, request.authorization)
        token = refresh_tokens.parse(request.form.get("refresh_token", ""))
        client, family = _find(
            request.transaction, credentials.client_id, token.family_id if token else None
        )
        try:
            proven = client_auth.check(credentials, client)
        except OAuth2Error:
            request.failed_attempt()
            raise
        if credentials.method not in methods:
            raise client_auth.refused(
                "This needs a client with a secret.", by_header=credentials.by_header
            )
        request.client, request.family, request.auth_method = proven, family, credentials.method
        return proven

    def handle_response(self, status: int, payload: Any, headers: Any) -> Response:
        """JSON, never stored by anyone."""
        return Response(json.dumps(payload), status, dict(headers) | NO_STORE)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Our own signals tell these things after the commit; Authlib's would tell them before."""


def _find(
    transaction: Transaction, client_id: str, family_id: str | None
) -> tuple[OAuthClient | None, families.Family | None]:
    """The client, and the family of that id if it is this client's."""
    if not may_be_id(client_id):
        return None, None
    statement = _CLIENT if family_id is None else _CLIENT_AND_FAMILY
    wanted = {"wanted_client": client_id, "wanted_family": family_id}
    rows = transaction.rows_at_once(statement, wanted)
    if not rows:
        return None, None
    (row,) = rows
    client = client_of(dict(zip(_CLIENT_COLUMNS, row, strict=False)))
    found = dict(zip(families.FIELDS, row[len(_CLIENT_COLUMNS) :], strict=False))
    return client, families.family_of(found) if found.get("id") is not None else None


_clients: Table = OAuthClientRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact
_CLIENT_COLUMNS = tuple(_clients.c.keys())
_CLIENT = select(*_clients.c).where(_clients.c.client_id == bindparam("wanted_client"))
_CLIENT_AND_FAMILY = (
    _CLIENT.add_columns(*(column.label(f"family_{column.name}") for column in families.COLUMNS))
    .outerjoin(
        families.table,
        and_(
            families.table.c.id == bindparam("wanted_family"),
            families.table.c.client_id == _clients.c.client_id,
        ),
    )
    .outerjoin(families.grants, families.GRANT_OF_FAMILY)
)
