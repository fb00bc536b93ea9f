"""`Activepieces`, the Flask extension. Its ``init_app`` is the table of contents of the package."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

from flask import Flask, request, request_started
from flask_sqlalchemy import SQLAlchemy
from werkzeug.exceptions import SecurityError

from .cli import activepieces_cli
from .clock import Clock
from .config.settings import Settings
from .delivery.services import build_delivery
from .doctor.setup_check import check_setup
from .errors import SetupError
from .host.flask_login import TENANT_CHOICES
from .host.interface import Host, NavigationItem
from .integrations.connections.health import ConnectionHealth
from .integrations.connections.service import TenantConnections
from .integrations.embedding.builder import Embedding
from .integrations.mcp import TenantMcp
from .integrations.project import TenantFlows, TenantProjects
from .integrations.service import Integrations
from .integrations.services import TenantServices
from .integrations.sign_in.one_click import OneClick
from .integrations.sign_in.third_party import ThirdPartySignIn
from .integrations.tenant_removal import RemovedTenant
from .mcp.call_log import CallLog
from .mcp.call_overview import CallOverview
from .mcp.server import McpServer
from .oauth.authorization.codes import CodeIssuer
from .oauth.authorization.pending_requests import PendingRequests
from .oauth.client_policies import ClientPolicies
from .oauth.clients.dynamic import DynamicClients
from .oauth.clients.overview import ClientOverview
from .oauth.clients.service import OAuthClients
from .oauth.connected_agents import ConnectedAgents
from .oauth.connected_apps import ConnectedApps
from .oauth.documents.fetch import Fetcher
from .oauth.documents.service import DocumentClients
from .oauth.grants import Grants
from .oauth.personal_tokens import PersonalTokens
from .oauth.revocations import RevocationCheck
from .oauth.tokens.issuer import TokenIssuer
from .oauth.tokens.server import OAuthServer
from .pieces.declarations import Piece, Trigger
from .pieces.declaring.decorators import Declarations
from .pieces.idempotency import ActionCalls
from .pieces.manifest import Addresses
from .pieces.registry import PieceRegistry
from .state import EXTENSION, State, get_state
from .storage.audit import Audit
from .storage.audit_log import AuditLog
from .storage.database import Database
from .storage.failure_limit import FailureLimiter
from .storage.host_database import host_database
from .storage.rate_limit import make_rate_limiter
from .web.automation.area.visit import area_navigation
from .web.blueprint import build_blueprint, routes
from .web.csrf import exempt_from_csrf
from .web.piece.definition import define_piece


class Activepieces:
    """The extension. It stores nothing of an app, so one object may serve several apps.

    ``host`` answers who is signed in and what they may do: a `FlaskLoginHost`, or a `Host` of your own. ``piece`` is
    what the app shows in Activepieces; its actions and triggers are declared with `action`, `trigger` and `options`.
    ``bind_key`` names the Flask-SQLAlchemy bind that our tables live in; ``clock`` is for tests.
    """

    def __init__(
        self,
        host: Host | None = None,
        *,
        piece: Piece | None = None,
        bind_key: str | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._host = host
        self._piece = piece
        self._bind_key = bind_key
        self._clock = clock
        self._declarations = declarations = Declarations(_emit)
        #: See `Declarations`.
        self.action = declarations.action
        self.trigger = declarations.trigger
        self.options = declarations.options
        self.account = declarations.account
        self.on = declarations.on

    def init_app(self, app: Flask) -> None:
        """Read the configuration, add our tables to the app's metadata, and register routes and commands."""
        if EXTENSION in app.extensions:
            raise SetupError("flask-activepieces is set up on this app already.")
        if self._host is None:
            raise SetupError(
                "Activepieces() needs a host, which knows the users and their tenants: Activepieces(host)."
                f" {TENANT_CHOICES} Without Flask-Login, write a subclass of Host."
            )
        if not isinstance(self._host, Host):
            raise SetupError(
                f"Activepieces(host) needs an object of a Host class, not {self._host!r}. {TENANT_CHOICES}"
            )
        settings = Settings.from_app_config(app.config)
        if self._piece is not None:
            settings = replace(
                settings,
                piece_name=settings.piece_name or self._piece.name,
                app_name=settings.app_name or self._piece.title,
            )
        db = _flask_sqlalchemy(app)
        with app.app_context():
            database = host_database(db, settings, bind_key=self._bind_key)
        app.extensions[EXTENSION] = self._build_state(app, db, settings, database)
        app.register_blueprint(build_blueprint(settings))
        _at_first_request(app, partial(exempt_from_csrf, routes=routes(settings)))
        _at_first_request(app, check_setup)
        app.cli.add_command(activepieces_cli)

    def _build_state(self, app: Flask, db: SQLAlchemy, settings: Settings, database: Database) -> State:
        """All services of the app."""
        host = self._host
        assert host is not None, "init_app has checked it"
        audit = Audit(sender=app)
        oauth_clients = OAuthClients(database, clock=self._clock, audit=audit, known_scopes=settings.scopes)
        grants = Grants(database, clock=self._clock, audit=audit)
        piece = PieceRegistry(
            partial(define_piece, app, self._piece, self._declarations),
            Addresses.from_settings(settings),
            title=None if self._piece is None else self._piece.title,
        )
        rate_limiter = make_rate_limiter(app.extensions, redis_url=settings.redis_url)
        document_clients = DocumentClients(
            database,
            Fetcher(),
            clock=self._clock,
            audit=audit,
            is_on=partial(_accepts_client_documents, app),
            allow_loopback=settings.client_documents_on_loopback,
        )
        return State(
            settings=settings,
            host=host,
            clock=self._clock,
            rebuild=partial(self._build_state, app, db),
            database=database,
            audit=audit,
            audit_log=AuditLog(database),
            # Activepieces and agents → app: the OAuth server
            oauth_clients=oauth_clients,
            client_overview=ClientOverview(database, clock=self._clock),
            grants=grants,
            personal_tokens=PersonalTokens(database, clock=self._clock, audit=audit, known_scopes=settings.scopes),
            connected_apps=ConnectedApps(database, clock=self._clock),
            connected_agents=ConnectedAgents(database, clock=self._clock),
            pending_requests=PendingRequests(keys=settings.secret_keys, clock=self._clock),
            code_issuer=CodeIssuer.from_settings(settings, clock=self._clock),
            document_clients=document_clients,
            client_policies=ClientPolicies(database, clock=self._clock, audit=audit, grants=grants),
            dynamic_clients=DynamicClients(database, clock=self._clock, audit=audit, known_scopes=settings.scopes),
            server=OAuthServer(
                database, TokenIssuer.from_settings(settings), audit=audit, document_clients=document_clients
            ),
            revocations=RevocationCheck(database, max_staleness=settings.revocation_max_staleness),
            failure_limiter=FailureLimiter(rate_limiter),
            rate_limiter=rate_limiter,
            # app → Activepieces: integrations, connections, projects, flows, MCP servers, sign-in
            tenants=TenantServices(
                settings, database, host, clock=self._clock, audit=audit, oauth_clients=oauth_clients, grants=grants
            ),
            # The app's own piece, and its events
            piece=piece,
            action_calls=ActionCalls(database, clock=self._clock),
            mcp=McpServer(piece.definition, partial(_version, host)),
            tool_calls=CallLog(database, audit=audit, clock=self._clock),
            call_overview=CallOverview(database, clock=self._clock),
            delivery=build_delivery(
                settings,
                database,
                db.session,
                clock=self._clock,
                audit=audit,
                triggers=piece.triggers,
                is_active=partial(_is_active, app, host),
                dumps=partial(_dumps, app),
            ),
        )

    @property
    def integrations(self) -> Integrations:
        """Sets up, finds, updates and removes integrations of the current app's tenants."""
        return get_state().tenants.integrations

    @property
    def connections(self) -> TenantConnections:
        """Lists, saves, updates, deletes and replaces connections."""
        return get_state().tenants.connections

    @property
    def one_click(self) -> OneClick:
        """Connects users with the app's own piece."""
        return get_state().tenants.one_click

    @property
    def third_party(self) -> ThirdPartySignIn:
        """Starts and finishes authorizations at third parties."""
        return get_state().tenants.third_party

    @property
    def connection_health(self) -> ConnectionHealth:
        """Finds broken connections."""
        return get_state().tenants.connection_health

    @property
    def flows(self) -> TenantFlows:
        """Lists flows and runs."""
        return get_state().tenants.flows

    @property
    def embedding(self) -> Embedding:
        """Signs users in to the embedded builder."""
        return get_state().tenants.embedding

    @property
    def projects(self) -> TenantProjects:
        """Lists projects."""
        return get_state().tenants.projects

    @property
    def mcp(self) -> TenantMcp:
        """Shows and updates MCP servers."""
        return get_state().tenants.mcp

    def navigation(self) -> Sequence[NavigationItem]:
        """The links to the pages of the automation area that the signed-in user may open."""
        return area_navigation()

    def revoke_user(self, user_id: str, *, tenant_id: str | None = None) -> int:
        """Revoke all grants of a user: call this when a user is disabled, or leaves a tenant.

        Without ``tenant_id``, in all tenants: for apps whose user ids are unique across tenants.
        """
        state = get_state()
        revoked = state.grants.revoke_user(user_id, tenant_id=tenant_id, reason="the user was disabled")
        state.tenants.embedding.end_access(user_id=user_id, tenant_id=tenant_id)
        return revoked

    def revoke_tenant(self, tenant_id: str) -> int:
        """Revoke all grants of a tenant, and end its flows' subscriptions: call this when a tenant is disabled.

        Its clients and integrations stay, for when it is enabled again. Until then, its clients with the client
        credentials grant can get new tokens and subscribe again: suspend or delete them, or remove the tenant.
        """
        state = get_state()
        revoked = state.grants.revoke_tenant(tenant_id, reason="the tenant was disabled")
        state.delivery.subscriptions.remove_of_tenant(tenant_id, reason="the tenant was disabled")
        state.tenants.embedding.end_access(tenant_id=tenant_id)
        return revoked

    def remove_tenant(self, tenant_id: str) -> RemovedTenant:
        """Delete what a tenant has, in one transaction: call this when a tenant is deleted.

        Its grants are revoked; its OAuth clients, and its integrations with their keys, are deleted. What it has in
        Activepieces stays there. A second call does nothing.
        """
        return get_state().tenants.tenant_removal.remove(tenant_id)


def _emit(trigger: Trigger, payloads: Sequence[Any], **recipients: Any) -> None:
    get_state().delivery.outbox.store(trigger, payloads, **recipients)


def _accepts_client_documents(app: Flask) -> bool:
    return get_state(app).accepts_client_documents()


def _is_active(app: Flask, host: Host, user_id: str, tenant_id: str) -> bool:
    with app.app_context():
        return host.load_principal(user_id, tenant_id) is not None


def _dumps(app: Flask, value: Any) -> str:
    # The app may replace its provider after init_app.
    return app.json.dumps(value)


def _version(host: Host) -> str:
    """The version that agents are shown."""
    return host.version() or version("flask-activepieces")


def _flask_sqlalchemy(app: Flask) -> SQLAlchemy:
    db = app.extensions.get("sqlalchemy")
    if db is None:
        raise SetupError("Flask-SQLAlchemy is not set up on this app: call db.init_app(app) first.")
    assert isinstance(db, SQLAlchemy)
    return db


def _at_first_request(app: Flask, function: Callable[[Flask], None]) -> None:
    """Call the function inside the first request, when every extension, blueprint and view of the app is in place."""

    def call_once(sender: Flask, **_: Any) -> None:
        # Flask refuses a request for an untrusted host, and builds no URL in it.
        if isinstance(request.routing_exception, SecurityError):
            return
        function(sender)
        # Last: a concurrent second request must find the work done, or do it itself.
        request_started.disconnect(call_once, sender)

    # Sent before any before_request function. A strong reference, because no other one exists.
    request_started.connect(call_once, app, weak=False)
