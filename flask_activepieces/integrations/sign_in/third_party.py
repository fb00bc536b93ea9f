"""Authorization at a third party from inside the app: the user approves there, and returns with a code.

Activepieces never sees the browser. This app sends it to the third party and gets the code; Activepieces exchanges
the code while it saves the connection. `pending` carries what is needed in between.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...api_client.resources.connection_values import CloudOAuth2, OAuth2, OAuth2Kind, Value, value_from_json
from ...api_client.resources.connections import Connection
from ...api_client.resources.pieces import Piece, PieceAuth
from ...crypto.keyring import random_id, sha256_hex
from ...errors import AuthorizationDeclined, InvalidInput, SignatureError
from ...host.interface import Principal
from ...host.workspaces import principal_in
from ...oauth.clients.redirect_uris import display_origin
from ..connections.saver import NewConnection
from ..connections.service import TenantConnections
from ..dependencies import Dependencies
from ..service import Integrations
from ..store import Integration
from . import piece_auth
from .pending import LIFETIME, PendingAuthorization, PendingAuthorizations

log = logging.getLogger(__name__)

#: Flow authors there could print the secret, and choose by a piece where it is sent.
_OPERATOR_PLATFORM_ONLY = (
    "Not available on your own Activepieces. Register an OAuth app there and use PLATFORM_OAUTH2 with its clientId,"
    " or CLOUD_OAUTH2."
)


@dataclass(frozen=True, kw_only=True)
class AuthorizationStart:
    """What a user wants to authorize: a piece, or a connection that stopped working."""

    piece_name: str | None = None
    #: The connection to renew, instead of a piece.
    connection_id: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    #: Which OAuth client to use: that of this app, of the platform, or of Activepieces.
    type: OAuth2Kind = "OAUTH2"
    #: The client id of the platform or of Activepieces; that of this app is configured.
    client_id: str | None = None
    #: What else the piece needs, such as the name of a workspace.
    props: Mapping[str, str] = field(default_factory=dict)
    #: Where the browser goes afterwards.
    next_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuthorizationPreview:
    """What the user sees before they go to the third party."""

    service: str
    #: The third party's address, without a path.
    site: str
    #: None if the connection has no name yet.
    connection_name: str | None
    external_id: str | None
    #: Whether an existing connection is renewed.
    is_renewal: bool


@dataclass(frozen=True, kw_only=True)
class AuthorizationRedirect:
    """Where to send the browser, and what its session must keep until it returns."""

    url: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthorizationResult:
    """The saved connection, and where the browser goes now."""

    connection: Connection
    next_url: str | None


@dataclass(frozen=True, kw_only=True)
class _CheckedStart:
    """An authorization that can start."""

    piece: Piece
    auth: PieceAuth
    client_id: str
    scope: Sequence[str]
    connection: NewConnection

    @property
    def named_connection(self) -> NewConnection:
        """The connection, with the name of the service if it has none."""
        return replace(self.connection, display_name=self.connection.display_name or self.piece.display_name)


@dataclass(frozen=True)
class ThirdPartySignIn:
    """Starts authorizations, and finishes them with a connection."""

    deps: Dependencies
    integrations: Integrations
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
        verifier = secrets.token_urlsafe(48) if checked.auth.pkce else None
        scope = piece_auth.fill_placeholders(" ".join(checked.scope), request.props)
        value = {
            "client_id": checked.client_id,
            "scope": scope,
            # Despite its name, Activepieces sends it as the verifier.
            "code_challenge": verifier,
            "authorization_method": piece_auth.authorization_method(checked.auth),
            "props": dict(request.props) or None,
        }
        if request.type != CloudOAuth2.type:
            value["redirect_url"] = redirect_url
        pending = PendingAuthorization(
            id=random_id(),
            integration_id=integration.id,
            tenant_id=integration.tenant_id,
            user_id=user_id,
            nonce=sha256_hex(nonce),
            exp=self.deps.now() + LIFETIME,
            connection=checked.named_connection,
            type=request.type,
            value=value,
            next_url=request.next_url,
        )
        url = piece_auth.authorization_url(
            checked.auth,
            client_id=checked.client_id,
            redirect_url=redirect_url,
            scope=scope,
            state=self.pending.to_state(pending),
            verifier=verifier,
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
        now = self.deps.now()
        pending = self.pending.from_state(state, nonce=nonce, user_id=principal.user_id, now=now)
        principal = self._member(principal, pending.tenant_id)
        integration = self.integrations.find(pending.integration_id, principal=principal)
        if error is not None or code is None:
            # RFC 6749 §4.1.2.1: an error wins over a code.
            raise AuthorizationDeclined(error or "no_code", error_description, next_url=pending.next_url)
        self.pending.consume(pending)
        new = replace(pending.connection, value=self._value(integration, pending, code))
        saved = self.connections.save(integration, new, user_id=principal.user_id)
        return AuthorizationResult(connection=saved, next_url=pending.next_url)

    def _member(self, principal: Principal, tenant_id: str) -> Principal:
        """The user in the tenant where they started, which may be another than their current one."""
        if principal.tenant_id == tenant_id:
            return principal
        for workspace in self.deps.host.workspaces(principal):
            if workspace.tenant_id == tenant_id:
                member = principal_in(self.deps.host, principal, workspace)
                if member is not None and self.deps.host.allows(member, "edit"):
                    return member
        raise SignatureError("this authorization was started by another user")

    def _check(self, integration: Integration, request: AuthorizationStart) -> _CheckedStart:
        piece_name, display_name = request.piece_name, request.display_name
        if request.connection_id is not None:
            renewed = self.connections.get_renewable(integration, request.connection_id)
            piece_name, display_name = renewed.piece_name, renewed.display_name
        if not piece_name:
            raise InvalidInput({"pieceName": "Send a piece, or the connection to renew as connectionId."})
        client = self.deps.client_factory.client_for(integration, "pieces.get")
        piece = client.pieces.get(piece_name)
        auth = piece_auth.oauth2_auth(piece)
        if auth is None or not auth.auth_url:
            raise InvalidInput({"pieceName": "This piece does not use OAuth2."})
        client_id, scope = self._client_id_and_scope(integration, request, piece_name)
        piece_auth.check_props(auth, request.props)
        connection = NewConnection(
            piece_name=piece_name,
            piece_title=piece.display_name,
            display_name=display_name,
            external_id=request.external_id,
            replaces_id=request.connection_id,
        )
        scope = auth.scope if scope is None else scope
        return _CheckedStart(piece=piece, auth=auth, client_id=client_id, scope=scope, connection=connection)

    def _client_id_and_scope(
        self, integration: Integration, request: AuthorizationStart, piece_name: str
    ) -> tuple[str, Sequence[str] | None]:
        """Which client asks for the authorization, and for what if that is configured."""
        if request.type != OAuth2.type:
            if not request.client_id:
                raise InvalidInput({"clientId": f"Required for {request.type}."})
            return request.client_id, None
        if integration.has_credentials:
            raise InvalidInput({"type": _OPERATOR_PLATFORM_ONLY})
        app = self.deps.settings.third_party_apps.get(piece_name)
        if app is None:
            log.warning("ACTIVEPIECES_THIRD_PARTY_APPS has no app for the piece %s", piece_name)
            raise InvalidInput({"pieceName": "This app has no OAuth client at the third party of this piece."})
        return app.client_id, app.scope

    def _value(self, integration: Integration, pending: PendingAuthorization, code: str) -> Value:
        value = {"type": pending.type, **pending.value, "code": code}
        if pending.type == OAuth2.type:
            app = self.deps.settings.third_party_apps.get(pending.connection.piece_name or "")
            if integration.has_credentials or app is None or app.client_id != value["client_id"]:
                raise SignatureError("the app's OAuth client was changed meanwhile")
            value["client_secret"] = app.client_secret
        return value_from_json(value)
