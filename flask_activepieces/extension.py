"""`Activepieces`: plugs the whole of this package into a Flask app. ``init_app`` is the table of contents."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, has_app_context
from sqlalchemy import MetaData

from .cli import activepieces_cli
from .clock import Clock
from .config.settings import Settings
from .errors import SetupError
from .host.flask_login import TENANT_CHOICES
from .host.interface import Host
from .integrations.services import build_services
from .integrations.tenant_removal import RemovedTenant
from .oauth.clients.service import OAuthClients
from .oauth.connected_apps import ConnectedApps
from .oauth.grants import Grants
from .oauth.revocations import RevocationCheck
from .oauth.tokens.issuer import TokenIssuer
from .oauth.tokens.server import OAuthServer
from .state import EXTENSION, State, get_state
from .storage import tables
from .storage.audit import Audit
from .storage.connection_release import ReleaseConnection, connection_release, keep_connection
from .storage.database import Database
from .storage.failure_limit import make_failure_limiter
from .web.blueprint import build_blueprint, routes
from .web.csrf import exempt_from_csrf
from .web.first_request import at_first_request
from .web.setup_check import check_setup


class Activepieces:
    """The extension. It keeps nothing of any app, so one object may serve several.

    ``host`` answers who is signed in and what they may do: a `FlaskLoginHost`, or a `Host` of your own. ``bind_key``
    names the Flask-SQLAlchemy bind that our tables live in; ``clock`` is for tests.
    """

    def __init__(
        self, host: Host | None = None, *, bind_key: str | None = None, clock: Clock = time.time
    ) -> None:
        self._host = host
        self._bind_key = bind_key
        self._clock = clock

    def init_app(self, app: Flask) -> None:
        """Read the configuration, add our tables to the app's, and register routes and commands."""
        if EXTENSION in app.extensions:
            raise SetupError("flask-activepieces is set up on this app already.")
        if self._host is None:
            raise SetupError(
                "Activepieces() needs a host, which knows the users and their tenants: Activepieces(host)."
                f" {TENANT_CHOICES} Without Flask-Login, write a subclass of Host."
            )
        settings = Settings.from_app_config(app.config)
        release = self._connection_release(app, settings)
        database = self._database(app, settings, release)
        audit = Audit(sender=app)
        oauth_clients = OAuthClients(
            database, clock=self._clock, audit=audit, known_scopes=settings.scopes
        )
        grants = Grants(database, clock=self._clock, audit=audit)
        tenants = build_services(
            settings,
            database,
            self._host,
            clock=self._clock,
            audit=audit,
            oauth_clients=oauth_clients,
            grants=grants,
            release=release,
        )
        app.extensions[EXTENSION] = State(
            settings=settings,
            host=self._host,
            clock=self._clock,
            database=database,
            audit=audit,
            # Activepieces and agents → app: the OAuth server
            oauth_clients=oauth_clients,
            grants=grants,
            connected_apps=ConnectedApps(database, clock=self._clock),
            server=OAuthServer(database, TokenIssuer.from_settings(settings), audit=audit),
            revocations=RevocationCheck(database, max_staleness=settings.revocation_max_staleness),
            failure_limiter=make_failure_limiter(app.extensions, redis_url=settings.redis_url),
            # app → Activepieces: what tenants do there
            integrations=tenants.integrations,
            connections=tenants.connections,
            projects=tenants.projects,
            flows=tenants.flows,
            mcp=tenants.mcp,
            connection_health=tenants.connection_health,
            one_click=tenants.one_click,
            third_party=tenants.third_party,
            tenant_removal=tenants.tenant_removal,
            credential_store=tenants.credential_store,
        )
        app.register_blueprint(build_blueprint(settings))
        exempt_from_csrf(app, routes(settings))
        at_first_request(app, check_setup)
        app.cli.add_command(activepieces_cli)

    def revoke_user(self, user_id: str, *, tenant_id: str | None = None) -> int:
        """Call this when a user is disabled, or leaves a tenant: nothing that they allowed works any more.

        Without a tenant it is what they allowed in all of them, for an app whose user ids are unique among tenants.
        """
        return get_state().grants.revoke_user(
            user_id, tenant_id=tenant_id, reason="the user was disabled"
        )

    def revoke_tenant(self, tenant_id: str) -> int:
        """Call this when a tenant is disabled: nothing that was issued in it works any more.

        Its clients and integrations stay, for when it is enabled again. Until then, a client of the tenant that acts
        for itself can get a new token: delete such clients, or remove the tenant.
        """
        return get_state().grants.revoke_tenant(tenant_id, reason="the tenant was disabled")

    def remove_tenant(self, tenant_id: str) -> RemovedTenant:
        """Call this when a tenant is deleted: nothing of it is left that works, all in one transaction.

        Its grants are revoked; its OAuth clients, and its integrations with their keys, are deleted. What it has in
        Activepieces stays there. A second call does nothing.
        """
        state = get_state()
        return state.tenant_removal.remove(tenant_id, now=state.now())

    def _connection_release(self, app: Flask, settings: Settings) -> ReleaseConnection:
        db = _flask_sqlalchemy(app)
        if not settings.release_session:
            return keep_connection
        with app.app_context():
            engines = list(db.engines.values())
        return connection_release(db.session, engines, has_context=has_app_context)

    def _database(self, app: Flask, settings: Settings, release: ReleaseConnection) -> Database:
        """The host's engine for our bind; our tables become part of its metadata, for create_all and migrations."""
        db = _flask_sqlalchemy(app)
        with app.app_context():
            engine = db.engines.get(self._bind_key)
        if engine is None:
            raise SetupError(_missing_engine_message(self._bind_key))
        metadata: MetaData = db.metadatas.setdefault(
            self._bind_key, MetaData(info={"bind_key": self._bind_key})
        )
        for table in tables.metadata.sorted_tables:
            name = f"{metadata.schema}.{table.name}" if metadata.schema else table.name
            if name not in metadata.tables:
                table.to_metadata(metadata)
        # A bind of our own holds nothing that another program could expect in another journal mode.
        is_ours = self._bind_key is not None
        wal = True if settings.sqlite_wal is None and is_ours else settings.sqlite_wal
        return Database(engine, schema=metadata.schema, release=release, sqlite_wal=wal)


def _flask_sqlalchemy(app: Flask) -> Any:
    db = app.extensions.get("sqlalchemy")
    if db is None:
        raise SetupError("Flask-SQLAlchemy is not set up on this app: call db.init_app(app) first.")
    return db


def _missing_engine_message(bind_key: str | None) -> str:
    if bind_key is None:
        return (
            "There is no default database: set SQLALCHEMY_DATABASE_URI,"
            " or name one of SQLALCHEMY_BINDS by Activepieces(bind_key=...)."
        )
    return f"SQLALCHEMY_BINDS has no bind {bind_key!r}."
