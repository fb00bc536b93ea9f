"""Authorization at a third party from inside the app: the user approves there, and returns with a code.

Activepieces never sees the browser. This app sends it to the third party and gets the code; Activepieces exchanges
the code while it saves the connection. `pending` carries what is needed in between.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from typing import Any

from ...api_client.resources.connection_values import CloudOAuth2, OAuth2, PlatformOAuth2, Value
from ...api_client.resources.pieces import Piece, PieceAuth
from ...clock import Clock
from ...config.settings import Settings
from ...crypto.keyring import random_id, sha256_hex
from ...errors import AuthorizationDeclined, InvalidInput, SignatureError
from ...host.interface import Principal
from ...oauth.clients.redirect_uris import display_origin
from ..client_factory import ClientFactory
from ..connections.lookup import ConnectionLookup
from ..connections.new_connection import NewConnection
from ..connections.service import TenantConnections
from ..service import Integrations
from ..store import Integration
from . import piece_auth
from .authorization import AuthorizationPreview, AuthorizationRedirect, AuthorizationResult, AuthorizationStart
from .pending import LIFETIME, PendingAuthorization, PendingAuthorizations

log = logging.getLogger(__name__)

#: Flow authors there could print the secret, and choose by a piece where it is sent.
_OPERATOR_PLATFORM_ONLY = (
    "Not available on your own Activepieces. Register an OAuth app there and use PLATFORM_OAUTH2 with its clientId,"
    " or CLOUD_OAUTH2."
)


@dataclass(frozen=True, kw_only=True)
class _CheckedStart:
    """An authorization that can start."""

    piece: Piece
    auth: PieceAuth
    client_id: str
    connection: NewConnection


@dataclass(frozen=True)
class ThirdPartySignIn:
    """Starts authorizations, and finishes them with a connection."""

    settings: Settings
    clock: Clock
    client_factory: ClientFactory
    integrations: Integrations
    lookup: ConnectionLookup
    connections: TenantConnections
    pending: PendingAuthorizations

    def describe(self, integration: Integration, request: AuthorizationStart) -> AuthorizationPreview:
        """What the user is asked; `InvalidInput` if the authorization cannot start."""
        checked = self._check(integration, request)
        name = checked.connection.display_name
        return AuthorizationPreview(
            service=checked.piece.display_name,
            site=display_origin(piece_auth.fill_placeholders(checked.auth.auth_url or "", request.props)),
            # Whoever made the link may have chosen it: no control character reverses the text around it.
            connection_name=name and "".join(filter(str.isprintable, name)),
            external_id=request.external_id,
            is_renewal=request.connection_id is not None,
        )

    def start(
        self,
        integration: Integration,
        request: AuthorizationStart,
        *,
        user_id: str,
        redirect_url: str,
        nonce: str | None = None,
    ) -> AuthorizationRedirect:
        """Where the user authorizes. ``redirect_url`` is this app's callback, as registered at the third party.

        ``nonce`` is what the session has from an authorization in another tab.
        """
        checked = self._check(integration, request)
        nonce = nonce or secrets.token_urlsafe(24)
        pending = PendingAuthorization(
            id=random_id(),
            integration_id=integration.id,
            tenant_id=integration.tenant_id,
            user_id=user_id,
            nonce=sha256_hex(nonce),
            exp=int(self.clock()) + LIFETIME,
            connection=checked.connection,
            type=request.type,
            client_id=checked.client_id,
            redirect_url=redirect_url,
            scope=piece_auth.fill_placeholders(self._scope(checked, request), request.props),
            props=dict(request.props),
            authorization_method=piece_auth.authorization_method(checked.auth),
            next_url=request.next_url,
            verifier=secrets.token_urlsafe(48) if checked.auth.pkce else None,
        )
        url = piece_auth.authorization_url(
            checked.auth,
            client_id=checked.client_id,
            redirect_url=redirect_url,
            scope=pending.scope,
            state=self.pending.to_state(pending),
            verifier=pending.verifier,
            props=request.props,
        )
        return AuthorizationRedirect(url=url, nonce=nonce)

    def finish(
        self,
        state: str,
        *,
        nonce: str | None,
        code: str | None,
        error: str | None = None,
        error_description: str = "",
        principal: Principal,
    ) -> AuthorizationResult:
        """The connection that the user authorized; `AuthorizationDeclined` without a code."""
        now = int(self.clock())
        pending = self.pending.from_state(state, nonce=nonce, principal=principal, now=now)
        integration = self.integrations.find(pending.integration_id, principal=principal)
        if error is not None or code is None:
            # RFC 6749 §4.1.2.1: an error wins over a code.
            raise AuthorizationDeclined(error or "no_code", error_description, next_url=pending.next_url)
        self.pending.consume(pending)
        new = replace(pending.connection, value=self._value(integration, pending, code))
        saved = self.connections.save(integration, new, user_id=principal.user_id)
        return AuthorizationResult(connection=saved, next_url=pending.next_url)

    def _check(self, integration: Integration, request: AuthorizationStart) -> _CheckedStart:
        piece_name, display_name = request.piece_name, request.display_name
        if request.connection_id is not None:
            renewed = self.lookup.get_renewable(integration, request.connection_id)
            piece_name, display_name = renewed.piece_name, renewed.display_name
        if not piece_name:
            raise InvalidInput({"pieceName": "Required, unless connectionId is sent."})
        client = self.client_factory.client_for(integration, "pieces.get")
        piece = client.pieces.get(piece_name)
        auth = piece_auth.oauth2_auth(piece)
        if auth is None or not auth.auth_url:
            raise InvalidInput({"pieceName": "This piece does not use OAuth2."})
        client_id = self._client_id(integration, request, piece_name)
        piece_auth.check_props(auth, request.props)
        connection = NewConnection(
            piece_name=piece_name,
            display_name=display_name,
            external_id=request.external_id,
            replaces_id=request.connection_id,
        )
        return _CheckedStart(piece=piece, auth=auth, client_id=client_id, connection=connection)

    def _client_id(self, integration: Integration, request: AuthorizationStart, piece_name: str) -> str:
        if request.type != OAuth2.type:
            if not request.client_id:
                raise InvalidInput({"clientId": f"Required for {request.type}."})
            return request.client_id
        if integration.has_credentials:
            raise InvalidInput({"type": _OPERATOR_PLATFORM_ONLY})
        if piece_name not in self.settings.third_party_apps:
            log.warning("ACTIVEPIECES_THIRD_PARTY_APPS has no app for the piece %s", piece_name)
            raise InvalidInput({"pieceName": "This app has no OAuth client at the third party of this piece."})
        return self.settings.third_party_apps[piece_name].client_id

    def _scope(self, checked: _CheckedStart, request: AuthorizationStart) -> str:
        name = checked.connection.piece_name or ""
        app = self.settings.third_party_apps.get(name) if request.type == OAuth2.type else None
        return " ".join(checked.auth.scope if app is None or app.scope is None else app.scope)

    def _value(self, integration: Integration, pending: PendingAuthorization, code: str) -> Value:
        common: dict[str, Any] = {
            "client_id": pending.client_id,
            "code": code,
            "scope": pending.scope,
            # Despite its name, Activepieces sends it as the verifier.
            "code_challenge": pending.verifier,
            "authorization_method": pending.authorization_method,
            "props": dict(pending.props) or None,
        }
        if pending.type == CloudOAuth2.type:
            return CloudOAuth2(**common)
        if pending.type == PlatformOAuth2.type:
            return PlatformOAuth2(**common, redirect_url=pending.redirect_url)
        app = self.settings.third_party_apps.get(pending.connection.piece_name or "")
        if integration.has_credentials or app is None or app.client_id != pending.client_id:
            raise SignatureError("the app's OAuth client was changed meanwhile")
        return OAuth2(**common, redirect_url=pending.redirect_url, client_secret=app.client_secret)
