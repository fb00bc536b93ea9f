"""Authlib's authorization server, told how we look up, prove and answer."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError
from flask import Response
from sqlalchemy import Table, and_, bindparam, select

from ..database import Transaction
from ..errors import Disabled
from ..models import IntegrationRow, OAuthClientRow
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
        found = _find(
            request.transaction, credentials.client_id, token.family_id if token else None
        )
        try:
            proven = client_auth.check(credentials, found.client)
        except OAuth2Error:
            request.failed_attempt()
            raise
        if credentials.method not in methods:
            raise client_auth.refused(
                "This needs a client with a secret.", by_header=credentials.by_header
            )
        if found.is_off and endpoint == "token":
            # Not invalid_grant: on that word Activepieces gives a connection up for good.
            raise Disabled(str(proven.integration_id), "an administrator switched it off")
        request.client, request.auth_method = proven, credentials.method
        request.family = found.family
        return proven

    def handle_response(self, status: int, payload: Any, headers: Any) -> Response:
        """JSON, never stored by anyone."""
        return Response(json.dumps(payload), status, dict(headers) | NO_STORE)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Our own signals tell these things after the commit; Authlib's would tell them before."""


@dataclass(frozen=True)
class _Found:
    """What one look-up finds of who asks."""

    client: OAuthClient | None = None
    #: The family that was asked for, if it is this client's.
    family: families.Family | None = None
    #: Whether the client was made for an integration that is switched off.
    is_off: bool = False


def _find(transaction: Transaction, client_id: str, family_id: str | None) -> _Found:
    if not may_be_id(client_id):
        return _Found()
    statement = _CLIENT if family_id is None else _CLIENT_AND_FAMILY
    wanted = {"wanted_client": client_id, "wanted_family": family_id}
    rows = transaction.rows_at_once(statement, wanted)
    if not rows:
        return _Found()
    ((enabled, *row),) = rows
    family = dict(zip(families.FIELDS, row[len(_CLIENT_COLUMNS) :], strict=False))
    return _Found(
        client_of(dict(zip(_CLIENT_COLUMNS, row, strict=False))),
        families.family_of(family) if family.get("id") is not None else None,
        # None for a client that has no integration.
        is_off=enabled is not None and not enabled,
    )


_clients: Table = OAuthClientRow.__table__  # type: ignore[assignment]  # FromClause in the stubs, a Table in fact
_integrations: Table = IntegrationRow.__table__  # type: ignore[assignment]
_CLIENT_COLUMNS = tuple(_clients.c.keys())
_CLIENT = (
    select(_integrations.c.enabled, *_clients.c)
    .select_from(_clients)
    .outerjoin(_integrations, _integrations.c.id == _clients.c.integration_id)
    .where(_clients.c.client_id == bindparam("wanted_client"))
)
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
