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

from ...api_client.errors import CodeExchangeFailed, ResourceNotFound
from ...api_client.resources.connection_values import OAuth2
from ...clock import Clock
from ...config.settings import Settings
from ...errors import NotFound, SetupError
from ...host.interface import Host, Principal, Workspace
from ...oauth import scopes
from ...oauth.authorization.codes import issue_code
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.service import NewCredentials
from ...oauth.grants import Grant, Grants, existing_grants
from ...oauth.tokens.families import Family
from ...storage.database import ConcurrentUpdate, Database, Transaction
from ..client_factory import ClientFactory
from ..connections.saver import NewConnection
from ..connections.service import TenantConnections
from ..store import Integration
from . import integration_client as own_client
from . import piece_auth
from .integration_client import IntegrationClients

if TYPE_CHECKING:
    from ...api_client.resources.connections import Connection
    from ...api_client.resources.pieces import PieceAuth

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
    #: What the user allowed before for other organizations: the connection is theirs no more.
    others: Sequence[Grant]


class OneClick:
    """Connects users with the app's own piece."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        client_factory: ClientFactory,
        connections: TenantConnections,
        integration_clients: IntegrationClients,
        user_grants: Grants,
        *,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._client_factory = client_factory
        self._connections = connections
        self._integration_clients = integration_clients
        self._grants = user_grants
        self._clock = clock

    def connect(
        self, integration: Integration, principal: Principal, *, issuer: str, now: int
    ) -> Connection:
        """The user's connection of the app's piece, made or renewed; ``issuer`` is our own address."""
        workspace = self._workspace(integration, principal)
        auth = self._piece_auth(integration)
        names = self._scope_names(auth)
        redirect = self._redirect_uri(integration)
        allowed = self._allow(integration, principal, workspace, names, redirect, now)
        replaced: list[Family] = []

        def value() -> OAuth2:
            # Now that no other request saves the connection: what is there belongs to the value that goes.
            replaced.extend(self._grants.active_families(allowed.grant))
            return self._value(allowed, auth, names, redirect, issuer)

        new = NewConnection(
            value=value,
            display_name=f"{principal.display_name} ({workspace.name})",
            owner_user_id=principal.user_id,
        )
        try:
            made = self._connections.save(integration, new, user_id=principal.user_id, now=now)
        except CodeExchangeFailed as error:
            self._take_back(allowed)
            raise self._explained(error, issuer) from error
        except Exception:
            self._take_back(allowed)
            raise
        self._end(replaced, allowed.others, now)
        return made

    def _piece_auth(self, integration: Integration) -> PieceAuth:
        name = self._settings.piece_name
        if name is None:
            raise SetupError("Set ACTIVEPIECES_PIECE_NAME to the name of the app's own piece.")
        try:
            piece = self._client_factory.client_for(integration, "pieces.get").pieces.get(name)
        except ResourceNotFound as error:
            hint = f"the piece {name} is not installed on this Activepieces"
            raise ResourceNotFound("pieces.get", detail=hint) from error
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

    def _redirect_uri(self, integration: Integration) -> str:
        server = self._client_factory.base_urls.of(integration.id, integration.base_url)
        told = (
            self._client_factory.client_for(integration, "server.info").server.info().redirect_url
        )
        return own_client.redirect_uri(server, told)

    def _workspace(self, integration: Integration, principal: Principal) -> Workspace:
        """The user's workspace that the integration is for; `NotFound` if they are not in it."""
        own, whole = integration.organization_id, (principal.organization_id, None)
        offered = {
            workspace.organization_id: workspace
            for workspace in self._host.workspaces(principal)
            if workspace.tenant_id == integration.tenant_id
        }
        for organization_id in whole if own is None else (own,):
            if organization_id in offered:
                return offered[organization_id]
        raise NotFound("integration", integration.id)

    def _allow(
        self,
        integration: Integration,
        principal: Principal,
        workspace: Workspace,
        names: Sequence[str],
        redirect: str,
        now: int,
    ) -> _Allowed:
        new = NewCredentials()

        def allow(transaction: Transaction) -> _Allowed:
            client, secret = self._integration_clients.ready(
                transaction,
                integration,
                redirect_uri=redirect,
                scope=scopes.join(names),
                new=new,
                now=now,
            )
            of_tenant = existing_grants(
                transaction.conn,
                client_id=client.client_id,
                tenant_ids=[workspace.tenant_id],
                user_id=principal.user_id,
            )
            organization_id = workspace.organization_id
            before = [grant for grant in of_tenant if grant.organization_id == organization_id]
            others = [grant for grant in of_tenant if grant not in before]
            granted = scopes.split(" ".join([*(grant.scope for grant in before), *names]))
            try:
                grant = self._grants.approve_in(
                    transaction, client, principal, workspace, granted, now=now
                )
            except NotFound:
                raise ConcurrentUpdate from None  # somebody has just deleted the client: make another
            return _Allowed(
                client=client,
                client_secret=secret,
                grant=grant,
                is_new=not before,
                others=others,
            )

        return self._database.run_in_transaction(allow)

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

    def _end(self, replaced: Sequence[Family], others: Sequence[Grant], now: int) -> None:
        """End what Activepieces had for the value before: nothing there uses it any more."""

        def end(transaction: Transaction) -> None:
            self._grants.revoke_families_in(transaction, replaced, now=now)
            reason = "the connection was saved again for another organization"
            self._grants.revoke_in(transaction, others, reason=reason, now=now)

        if replaced or others:
            self._database.run_in_transaction(end)

    def _take_back(self, allowed: _Allowed) -> None:
        """Revoke a grant that was made for nothing: no connection has it."""
        if allowed.is_new:
            reason = "Activepieces did not create the connection"
            self._grants.revoke_if_unused(allowed.grant, reason=reason)

    def _explained(self, error: CodeExchangeFailed, issuer: str) -> CodeExchangeFailed:
        address = f"{issuer}{self._settings.oauth_prefix}/token"
        hint = f"Activepieces could not redeem the code at {address}"
        return CodeExchangeFailed(
            error.operation,
            status=error.status,
            code=error.code,
            detail=f"{hint}: {error.detail}"
            if error.detail
            else f"{hint}, which it must be able to reach",
        )
