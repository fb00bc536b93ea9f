"""Signing in at a third party from inside the app: its user allows there what a piece needs, and brings back a code.

Activepieces never sees the browser. We send it to the third party and take the code that it brings back, and
Activepieces exchanges the code while it saves the connection. What we must remember meanwhile is `pending`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...api_client.resources.connection_values import (
    CloudOAuth2,
    OAuth2,
    OAuth2Kind,
    PlatformOAuth2,
    Value,
)
from ...config.settings import Settings
from ...crypto.keyring import random_id, sha256_hex
from ...errors import AuthorizationDeclined, InvalidInput, SignatureError
from ...host.interface import Principal
from ...oauth.clients.redirect_uris import origin_of
from ..client_factory import ClientFactory
from ..connections.saver import NewConnection
from ..connections.service import TenantConnections
from ..service import Integrations
from ..store import Integration
from . import piece_auth
from .pending import LIFETIME, PendingAuthorization, PendingAuthorizations

if TYPE_CHECKING:
    from ...api_client.resources.connections import Connection
    from ...api_client.resources.pieces import Piece, PieceAuth

log = logging.getLogger(__name__)

#: Whoever writes flows there can print the secret, and a piece of theirs says where it is sent.
_NOT_ON_THEIR_PLATFORM = (
    "the app's own registration is not given to another's Activepieces: register an app there and use PLATFORM_OAUTH2"
    " with its clientId, or CLOUD_OAUTH2"
)


@dataclass(frozen=True, kw_only=True)
class AuthorizationStart:
    """What a user wants to sign in for: a piece, or a connection that stopped working."""

    piece_name: str | None = None
    #: A connection to be renewed, in place of a piece.
    connection_id: str | None = None
    display_name: str | None = None
    external_id: str | None = None
    #: Whose registration at the third party is used: the app's, the platform's, or that of Activepieces.
    type: OAuth2Kind = "OAUTH2"
    #: The platform's, or Activepieces', client id; the app's own is in the configuration.
    client_id: str | None = None
    #: What the piece asks for beside the sign-in, such as the name of a workspace.
    props: Mapping[str, str] = field(default_factory=dict)
    #: Where the browser goes in the end: it is given back then.
    next_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What a user is asked before they are sent to a third party."""

    service: str
    #: The address of the third party, without a path.
    site: str
    #: What the connection is called; None if that is not known yet.
    connection_name: str | None
    external_id: str | None
    #: Whether a connection is renewed that is there.
    is_renewal: bool


@dataclass(frozen=True, kw_only=True)
class AuthorizationRedirect:
    """Where to send the browser, and what its session must keep until it comes back."""

    url: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthorizationResult:
    """The connection that was made, and where the browser goes now."""

    connection: Connection
    next_url: str | None


class ThirdPartySignIn:
    """Begins authorizations, and ends them with a connection."""

    def __init__(
        self,
        settings: Settings,
        client_factory: ClientFactory,
        integrations: Integrations,
        connections: TenantConnections,
        pending: PendingAuthorizations,
    ) -> None:
        self._apps = settings.third_party_apps
        self._client_factory = client_factory
        self._integrations = integrations
        self._connections = connections
        self._pending = pending

    def describe(self, integration: Integration, wanted: AuthorizationStart) -> SignIn:
        """What the user is to be asked; `InvalidInput` if it cannot be begun."""
        piece_name, display_name = self._target(integration, wanted)
        piece, auth = self._piece(integration, piece_name)
        self._client_id(integration, wanted, piece_name)
        piece_auth.check_props(auth, wanted.props)
        return SignIn(
            service=piece.display_name,
            site=origin_of(piece_auth.filled(auth.auth_url or "", wanted.props)),
            # Whoever made the link may have chosen it: nothing in it turns the text around it the other way.
            connection_name=display_name and "".join(filter(str.isprintable, display_name)),
            external_id=wanted.external_id,
            is_renewal=wanted.connection_id is not None,
        )

    def start(
        self,
        integration: Integration,
        wanted: AuthorizationStart,
        *,
        user_id: str,
        redirect_url: str,
        nonce: str | None = None,
        now: int,
    ) -> AuthorizationRedirect:
        """Where the user signs in; ``redirect_url`` is our callback, as it is registered there.

        ``nonce`` is what the session keeps already, of a sign-in that goes on in another tab.
        """
        piece_name, display_name = self._target(integration, wanted)
        _, auth = self._piece(integration, piece_name)
        client_id = self._client_id(integration, wanted, piece_name)
        piece_auth.check_props(auth, wanted.props)
        nonce = nonce or secrets.token_urlsafe(24)
        pending = PendingAuthorization(
            id=random_id(),
            integration_id=integration.id,
            tenant_id=integration.tenant_id,
            user_id=user_id,
            nonce=sha256_hex(nonce),
            exp=now + LIFETIME,
            type=wanted.type,
            piece_name=piece_name,
            display_name=display_name,
            external_id=wanted.external_id,
            connection_id=wanted.connection_id,
            client_id=client_id,
            redirect_url=redirect_url,
            scope=piece_auth.filled(" ".join(self._scope(wanted, piece_name, auth)), wanted.props),
            props=dict(wanted.props),
            authorization_method=piece_auth.method_of(auth),
            next_url=wanted.next_url,
            verifier=secrets.token_urlsafe(48) if auth.pkce else None,
        )
        url = piece_auth.authorization_url(
            auth,
            client_id=client_id,
            redirect_url=redirect_url,
            scope=pending.scope,
            state=self._pending.locked(pending),
            verifier=pending.verifier,
            props=wanted.props,
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
        now: int,
    ) -> AuthorizationResult:
        """The connection that the user's sign-in is worth; `AuthorizationDeclined` when there was none to be had."""
        pending = self._pending.unlocked(state, nonce=nonce, principal=principal, now=now)
        integration = self._integrations.find(pending.integration_id, principal=principal)
        if error is not None or code is None:
            # RFC 6749 §4.1.2.1, whatever else comes with it; a third party that says nothing at all is no better.
            raise AuthorizationDeclined(
                error or "no_code", error_description, next_url=pending.next_url
            )
        self._pending.use_up(pending)
        new = NewConnection(
            value=self._value(integration, pending, code),
            piece_name=pending.piece_name,
            display_name=pending.display_name,
            external_id=pending.external_id,
            replaces_id=pending.connection_id,
        )
        made = self._connections.save(integration, new, user_id=principal.user_id, now=now)
        return AuthorizationResult(connection=made, next_url=pending.next_url)

    def _target(
        self, integration: Integration, wanted: AuthorizationStart
    ) -> tuple[str, str | None]:
        """The piece, and what its connection is called."""
        if wanted.connection_id is not None:
            broken = self._connections.get_renewable(integration, wanted.connection_id)
            return broken.piece_name, broken.display_name
        if not wanted.piece_name:
            raise InvalidInput({"pieceName": "is required, or the id of a connection"})
        return wanted.piece_name, wanted.display_name

    def _piece(self, integration: Integration, piece_name: str) -> tuple[Piece, PieceAuth]:
        piece = self._client_factory.client_for(integration, "pieces.get").pieces.get(piece_name)
        auth = piece_auth.oauth2_of(piece)
        if auth is None or not auth.auth_url:
            raise InvalidInput({"pieceName": "this piece does not sign in by OAuth2"})
        return piece, auth

    def _client_id(
        self, integration: Integration, wanted: AuthorizationStart, piece_name: str
    ) -> str:
        if wanted.type != OAuth2.type:
            if not wanted.client_id:
                raise InvalidInput({"clientId": f"is required for {wanted.type}"})
            return wanted.client_id
        if integration.has_credentials:
            raise InvalidInput({"type": _NOT_ON_THEIR_PLATFORM})
        if piece_name not in self._apps:
            log.warning("ACTIVEPIECES_THIRD_PARTY_APPS has no app for the piece %s", piece_name)
            raise InvalidInput(
                {"pieceName": "this app has no registration at the third party of this piece"}
            )
        return self._apps[piece_name].client_id

    def _scope(self, wanted: AuthorizationStart, piece_name: str, auth: PieceAuth) -> Sequence[str]:
        app = self._apps.get(piece_name) if wanted.type == OAuth2.type else None
        return auth.scope if app is None or app.scope is None else app.scope

    def _value(self, integration: Integration, pending: PendingAuthorization, code: str) -> Value:
        shared: dict[str, Any] = {
            "client_id": pending.client_id,
            "code": code,
            "scope": pending.scope,
            # The name misleads: Activepieces sends it as the verifier.
            "code_challenge": pending.verifier,
            "authorization_method": pending.authorization_method,
            "props": dict(pending.props) or None,
        }
        if pending.type == CloudOAuth2.type:
            return CloudOAuth2(**shared)
        if pending.type == PlatformOAuth2.type:
            return PlatformOAuth2(**shared, redirect_url=pending.redirect_url)
        app = self._apps.get(pending.piece_name)
        if integration.has_credentials or app is None or app.client_id != pending.client_id:
            raise SignatureError("the app's registration was changed meanwhile")
        return OAuth2(**shared, redirect_url=pending.redirect_url, client_secret=app.client_secret)
