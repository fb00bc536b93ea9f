"""One click: a signed-in user connects the app's own piece in Activepieces without leaving the app.

We are both sides of the authorization here. The user's click is their yes, so a grant is recorded as after the
consent page; a code is made for the integration's own OAuth client, and handed to Activepieces, which redeems it at
our token endpoint *while it answers*. So no transaction is open and no database connection held during that call.

Whatever Activepieces gets, a flow's author can print, the client's secret included. So the client is made for this
one integration, and is worth nothing elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..client.errors import ClaimRefused, NoSuchThing
from ..client.values import OAuth2
from ..clock import Clock
from ..config import Settings
from ..database import Database, Transaction
from ..errors import SetupError
from ..host import Host, Principal, Workspace
from ..oauth import grants, scopes
from ..oauth.clients import OAuthClient
from ..oauth.codes import issue_code
from ..oauth.grants import Grant, Grants
from . import piece_auth
from .connections import NewConnection, TenantConnections
from .gateways import Gateways
from .own_client import OwnClients
from .records import Integration

if TYPE_CHECKING:
    from ..client.connections import Connection
    from ..client.pieces import PieceAuth

#: The field by which a piece learns where its app is.
BASE_URL = "base_url"


@dataclass(frozen=True, kw_only=True)
class _Allowed:
    """What the user's click allowed."""

    client: OAuthClient
    client_secret: str = field(repr=False)
    grant: Grant
    #: Whether there was no grant before the click.
    is_new: bool


class OneClick:
    """Connects users with the app's own piece."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        gateways: Gateways,
        connections: TenantConnections,
        own_clients: OwnClients,
        user_grants: Grants,
        *,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._gateways = gateways
        self._connections = connections
        self._own_clients = own_clients
        self._grants = user_grants
        self._clock = clock

    def connect(
        self, integration: Integration, principal: Principal, *, issuer: str, now: int
    ) -> Connection:
        """The user's connection of the app's piece, made or renewed; ``issuer`` is our own address."""
        auth = self._piece_auth(integration)
        names = self._scope_names(auth)
        redirect = self._redirect_url(integration)
        workspace = self._workspace(integration, principal)
        client, secret = self._own_clients.ready(
            integration, redirect_uri=redirect, scope=scopes.join(names), now=now
        )
        allowed = self._allow(client, secret, principal, workspace, names, now)
        new = NewConnection(
            value=lambda: self._value(allowed, auth, names, redirect, issuer),
            external_id=f"user-{principal.user_id}",
            display_name=f"{principal.display_name} ({workspace.name})",
            for_user=principal.user_id,
        )
        try:
            return self._connections.upsert(integration, new, user_id=principal.user_id, now=now)
        except ClaimRefused as error:
            self._take_back(allowed, now)
            raise self._explained(error, issuer) from error
        except Exception:
            self._take_back(allowed, now)
            raise

    def _piece_auth(self, integration: Integration) -> PieceAuth:
        name = self._settings.piece_name
        if name is None:
            raise SetupError("Set ACTIVEPIECES_PIECE_NAME to the name of the app's own piece.")
        try:
            piece = self._gateways.to(integration, "pieces.get").pieces.get(name)
        except NoSuchThing as error:
            hint = f"the piece {name} is not installed on this Activepieces"
            raise NoSuchThing("pieces.get", hint=hint) from error
        auth = piece_auth.oauth2_of(piece)
        if auth is None:
            raise SetupError(f"The piece {name} does not sign in by OAuth2.")
        return auth

    def _scope_names(self, auth: PieceAuth) -> list[str]:
        names = list(auth.scope) or list(self._settings.scopes)
        unknown = [name for name in names if name not in self._settings.scopes]
        if unknown or not names:
            wanted = unknown[0] if unknown else "at least one"
            raise SetupError(
                f"The piece asks for the scope {wanted}: add it to ACTIVEPIECES_SCOPES."
            )
        return names

    def _redirect_url(self, integration: Integration) -> str:
        """Where Activepieces' users come back to; it is named in the code, and by Activepieces beside it."""
        told = self._gateways.to(integration, "server.info").server.info().redirect_url
        if told:
            return told
        server = self._gateways.base_urls.of(integration.id, integration.base_url)
        return f"{server.removesuffix('/v1').removesuffix('/api')}/redirect"

    def _workspace(self, integration: Integration, principal: Principal) -> Workspace:
        organization_id = integration.organization_id or principal.organization_id
        for workspace in self._host.workspaces(principal):
            place = (workspace.tenant_id, workspace.organization_id)
            if place == (integration.tenant_id, organization_id):
                return workspace
        return Workspace(principal.tenant_id, principal.tenant_id, principal.organization_id)

    def _allow(
        self,
        client: OAuthClient,
        secret: str,
        principal: Principal,
        workspace: Workspace,
        names: Sequence[str],
        now: int,
    ) -> _Allowed:
        def allow(transaction: Transaction) -> _Allowed:
            before = grants.remembered(
                transaction.connection,
                client_id=client.client_id,
                tenant_ids=[workspace.tenant_id],
                user_id=principal.user_id,
            )
            granted = scopes.split(" ".join([*(grant.scope for grant in before), *names]))
            grant = self._grants.allow(transaction, client, principal, workspace, granted, now=now)
            return _Allowed(client=client, client_secret=secret, grant=grant, is_new=not before)

        return self._database.transact(allow)

    def _value(
        self,
        allowed: _Allowed,
        auth: PieceAuth,
        names: Sequence[str],
        redirect: str,
        issuer: str,
    ) -> OAuth2:
        """What Activepieces needs, with a code that is good from now on for a minute."""
        verifier = secrets.token_urlsafe(48)
        code = issue_code(
            self._settings.secret_keys,
            now=int(self._clock()),
            lifetime=self._settings.code_ttl,
            iss=issuer,
            client_id=allowed.client.client_id,
            grant_id=allowed.grant.id,
            user_id=allowed.grant.user_id,
            tenant_id=allowed.grant.tenant_id,
            organization_id=allowed.grant.organization_id,
            redirect_uri=redirect,
            scope=scopes.join(names),
            code_challenge=piece_auth.challenge_of(verifier),
        )
        return OAuth2(
            client_id=allowed.client.client_id,
            client_secret=allowed.client_secret,
            code=code,
            redirect_url=redirect,
            scope=scopes.join(names),
            code_challenge=verifier,
            authorization_method=piece_auth.method_of(auth),
            props={BASE_URL: issuer} if BASE_URL in auth.props else None,
        )

    def _take_back(self, allowed: _Allowed, now: int) -> None:
        """End a grant that was made for nothing: no connection has it."""
        if not allowed.is_new:
            return

        def revoke(transaction: Transaction) -> None:
            if not grants.is_used(transaction.connection, allowed.grant.id, now=now):
                why = "Activepieces did not make the connection"
                self._grants.revoke(transaction, [allowed.grant], now=now, why=why)

        self._database.transact(revoke)

    def _explained(self, error: ClaimRefused, issuer: str) -> ClaimRefused:
        address = f"{issuer}{self._settings.oauth_prefix}/token"
        hint = f"Activepieces could not redeem the code at {address}"
        return ClaimRefused(
            error.call,
            status=error.status,
            code=error.code,
            hint=f"{hint}: {error.hint}"
            if error.hint
            else f"{hint}, which it must be able to reach",
        )
