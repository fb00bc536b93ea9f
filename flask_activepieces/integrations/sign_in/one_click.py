"""One click: a signed-in user connects the app's own piece without leaving the app.

This app is on both sides of the authorization. The click is the user's consent, so a grant is stored as after the
consent page; Activepieces gets a code for the integration's OAuth client, and redeems it at our token endpoint
*before it answers*. So no transaction is open and no database connection is held during that call.

Flow authors can print whatever Activepieces gets, the client's secret included. So the client is created for this
integration, and is useless elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...api_client.errors import CodeExchangeFailed, ResourceNotFound
from ...api_client.resources.connection_values import OAuth2
from ...api_client.resources.connections import Connection
from ...api_client.resources.pieces import PieceAuth
from ...errors import NotFound, SetupError
from ...host.interface import Principal, Workspace
from ...oauth import scopes as scope_strings
from ...oauth.authorization.codes import CodeIssuer
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.service import NewCredentials
from ...oauth.grants import Grant, existing_grants
from ...oauth.tokens.families import Family
from ...storage.database import ConcurrentUpdate, Transaction
from ..connections.saver import ConnectionSaver, NewConnection
from ..dependencies import Dependencies
from ..store import Integration
from . import piece_auth
from .integration_client import ensure_client, trusted_redirect_uri

#: The field in which a piece expects the address of its app.
BASE_URL = "base_url"


@dataclass(frozen=True, kw_only=True)
class _AppPiece:
    """How the app's piece authenticates, and where Activepieces receives the code."""

    auth: PieceAuth
    scopes: Sequence[str]
    redirect_uri: str


@dataclass(frozen=True, kw_only=True)
class _Approval:
    """The user's consent, stored."""

    client: OAuthClient
    client_secret: str = field(repr=False)
    grant: Grant
    #: Whether there was no grant before.
    is_new: bool
    #: The user's grants for other organizations, which the connection no longer belongs to.
    other_grants: Sequence[Grant]


@dataclass(frozen=True)
class OneClick:
    """Connects users with the app's own piece."""

    deps: Dependencies
    saver: ConnectionSaver
    code_issuer: CodeIssuer

    def connect(self, integration: Integration, principal: Principal, *, issuer: str) -> Connection:
        """The user's connection of the app's piece, created or renewed. ``issuer`` is this app's address."""
        workspace = self._workspace(integration, principal)
        piece = self._app_piece(integration)
        approval = self._approve(integration, principal, workspace, piece)
        new = NewConnection(
            display_name=f"{principal.display_name} ({workspace.name})", owner_user_id=principal.user_id
        )
        try:
            with self.saver.reserve(integration, new) as reservation:
                # From here on no other request saves the connection: these tokens belong to its old value.
                old_families = self.deps.grants.active_families(approval.grant)
                value = self._value(approval, piece, issuer)
                connection = self.saver.save(reservation, value, user_id=principal.user_id)
        except Exception as error:
            if approval.is_new:
                reason = "Activepieces did not create the connection"
                self.deps.grants.revoke_if_unused(approval.grant, reason=reason)
            if isinstance(error, CodeExchangeFailed):
                raise self._with_token_url(error, issuer) from error
            raise
        self._revoke_old(old_families, approval.other_grants)
        return connection

    def _workspace(self, integration: Integration, principal: Principal) -> Workspace:
        """The user's workspace of the integration; `NotFound` if they have none."""
        workspaces = {
            workspace.organization_id: workspace
            for workspace in self.deps.host.workspaces(principal)
            if workspace.tenant_id == integration.tenant_id
        }
        for organization_id in (
            integration.organization_id or principal.organization_id,
            integration.organization_id,
        ):
            if organization_id in workspaces:
                return workspaces[organization_id]
        raise NotFound("integration", integration.id)

    def _app_piece(self, integration: Integration) -> _AppPiece:
        name = self.deps.settings.piece_name
        if name is None:
            raise SetupError("Set ACTIVEPIECES_PIECE_NAME to the name of the app's own piece.")
        try:
            piece = self.deps.client_factory.client_for(integration, "pieces.get").pieces.get(name)
        except ResourceNotFound as error:
            detail = f"the piece {name} is not installed on this Activepieces"
            raise ResourceNotFound("pieces.get", detail=detail) from error
        auth = piece_auth.oauth2_auth(piece)
        if auth is None:
            raise SetupError(f"The piece {name} does not authenticate with OAuth2.")
        scopes = list(auth.scope) or list(self.deps.settings.scopes)
        unknown = [scope for scope in scopes if scope not in self.deps.settings.scopes]
        if unknown or not scopes:
            missing = unknown[0] if unknown else "at least one"
            raise SetupError(f"The piece asks for the scope {missing}: add it to ACTIVEPIECES_SCOPES.")
        server = self.deps.client_factory.base_urls.for_integration(integration)
        info = self.deps.client_factory.client_for(integration, "server.info").server.info()
        redirect_uri = trusted_redirect_uri(server, info.redirect_url)
        return _AppPiece(auth=auth, scopes=scopes, redirect_uri=redirect_uri)

    def _approve(
        self, integration: Integration, principal: Principal, workspace: Workspace, piece: _AppPiece
    ) -> _Approval:
        new, now = NewCredentials(), self.deps.now()

        def approve(transaction: Transaction) -> _Approval:
            client, secret = ensure_client(
                self.deps,
                transaction,
                integration,
                redirect_uri=piece.redirect_uri,
                scope=scope_strings.join(piece.scopes),
                new=new,
                user_id=principal.user_id,
                now=now,
            )
            grants = existing_grants(
                transaction.conn,
                client_id=client.client_id,
                tenant_ids=[workspace.tenant_id],
                user_id=principal.user_id,
            )
            same = [each for each in grants if each.organization_id == workspace.organization_id]
            scopes = scope_strings.split(" ".join([*(grant.scope for grant in same), *piece.scopes]))
            try:
                grant = self.deps.grants.approve_in(transaction, client, principal, workspace, scopes)
            except NotFound:
                raise ConcurrentUpdate from None  # the client was just deleted: create another
            return _Approval(
                client=client,
                client_secret=secret,
                grant=grant,
                is_new=not same,
                other_grants=[each for each in grants if each not in same],
            )

        return self.deps.database.run_in_transaction(approve)

    def _value(self, approval: _Approval, piece: _AppPiece, issuer: str) -> OAuth2:
        """The value for Activepieces, with a code that is valid from now on."""
        verifier = secrets.token_urlsafe(48)
        code = self.code_issuer.issue(
            approval.grant,
            piece.scopes,
            issuer=issuer,
            redirect_uri=piece.redirect_uri,
            code_challenge=piece_auth.s256_challenge(verifier),
        )
        return OAuth2(
            client_id=approval.client.client_id,
            client_secret=approval.client_secret,
            code=code,
            redirect_url=piece.redirect_uri,
            scope=scope_strings.join(piece.scopes),
            code_challenge=verifier,
            authorization_method=piece_auth.authorization_method(piece.auth),
            props={BASE_URL: issuer} if BASE_URL in piece.auth.props else None,
        )

    def _revoke_old(self, old_families: Sequence[Family], other_grants: Sequence[Grant]) -> None:
        """Revoke the tokens of the connection's old value, which Activepieces no longer uses."""

        def revoke(transaction: Transaction) -> None:
            self.deps.grants.revoke_families_in(transaction, old_families)
            reason = "the connection was saved again for another organization"
            self.deps.grants.revoke_in(transaction, other_grants, reason=reason)

        if old_families or other_grants:
            self.deps.database.run_in_transaction(revoke)

    def _with_token_url(self, error: CodeExchangeFailed, issuer: str) -> CodeExchangeFailed:
        token_url = f"{issuer}{self.deps.settings.oauth_prefix}/token"
        detail = f"Activepieces could not redeem the code at {token_url}"
        detail += f": {error.detail}" if error.detail else ", which it must be able to reach"
        return CodeExchangeFailed(error.operation, status=error.status, code=error.code, detail=detail)
