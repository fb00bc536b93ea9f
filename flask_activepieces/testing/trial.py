"""``flask activepieces try``: the developer's own app, linked with the stand-in, for as long as the command runs.

The app runs in this process, with the settings of the stand-in. What the extension stores goes into a temporary
database, so the app's own database stays as it is: our tables have no foreign keys to others.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from flask import Flask
from sqlalchemy import create_engine
from werkzeug.test import Client

from ..api_client.client import ActivepiecesClient
from ..config.settings import Settings
from ..errors import SetupError
from ..integrations.setup import SetupRequest
from ..integrations.store import Integration
from ..oauth.clients.client import OAuthClient
from ..oauth.clients.registration import Registration
from ..pieces.archive import build_archive
from ..pieces.installing.installer import PieceInstaller
from ..pieces.installing.versions import FIRST_VERSION
from ..state import EXTENSION, State, get_state
from ..storage import tables
from ..storage.database import Database
from .http_server import HttpServer
from .standin.pieces.catalogue import add_pieces
from .standin.pieces.piece import StandinPiece
from .standin.server import ActivepiecesServer

#: The name of the OAuth client on the consent page, by which a kept one is found again.
CLIENT_NAME = "Activepieces (trial)"
#: Who sets up the integration, in the audit events.
_USER = "flask activepieces try"
#: In the instance folder, with ``keep``: what the stand-in has.
STANDIN_FILE = "activepieces-trial.sqlite"
#: For an app that declares no piece.
_PIECE = "@trial/piece-app"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Where everything is."""

    url: str
    consent_url: str
    activepieces_url: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    email: str
    password: str = field(repr=False)


class PortInUse(Exception):
    """Raised if another program listens on the port."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"Port {port} is used by another program.")


@contextmanager
def run_trial(
    app: Flask, *, tenant_id: str, port: int = 0, activepieces_port: int = 0, keep: bool = False
) -> Iterator[Trial]:
    """Serve the app and the stand-in until the block ends. Port 0 chooses a free one.

    ``keep`` uses the app's own database, and leaves the OAuth client and the integration there.
    """
    with ExitStack() as stack:
        original = get_state(app)
        standin_file = _kept_file(app) if keep else ":memory:"
        _check_port(activepieces_port)
        _check_port(port)
        activepieces = stack.enter_context(ActivepiecesServer(port=activepieces_port, database=standin_file))
        server = stack.enter_context(closing(HttpServer(app, port)))
        url = f"http://127.0.0.1:{server.port}"
        database = original.database if keep else stack.enter_context(_temporary_database(original.database))
        state = original.rebuild(_settings(original.settings, activepieces, url), database)
        stack.enter_context(_replaced(app, state))
        with app.app_context():
            trial = _link(state, activepieces, url, tenant_id)
        stack.enter_context(_delivering(state))
        yield trial


def _settings(settings: Settings, activepieces: ActivepiecesServer, url: str) -> Settings:
    """The app's settings, with the stand-in in place of its Activepieces."""
    if not settings.scopes:
        raise SetupError(
            "ACTIVEPIECES_SCOPES is empty, so no program can request access. Set it to the permissions that other"
            ' programs may request, such as {"tasks:read": "See tasks"}.'
        )
    key_id, signing_key = activepieces.add_signing_key()
    return replace(
        settings,
        base_url=activepieces.url,
        api_key=activepieces.api_key,
        project_id=None,
        allowed_base_urls=(),
        piece_name=settings.piece_name or _PIECE,
        piece_set=None,
        signing_key=signing_key,
        signing_key_id=key_id,
        embed_sdk_url=activepieces.embed_sdk_url,
        public_url=url,
        # Shared by the processes of the real app.
        redis_url=None,
    )


def _link(state: State, activepieces: ActivepiecesServer, url: str, tenant_id: str) -> Trial:
    """Install the piece, register a client, set up an integration, and begin to connect."""
    integrations = state.tenants.integrations
    for existing in integrations.list_for_tenant(tenant_id):
        if existing.has_credentials or existing.base_url is not None or not _has_project(activepieces, existing):
            raise SetupError(
                f"Tenant {tenant_id} is already linked with Activepieces. Leave out --keep, or name another tenant."
            )
    _install_piece(state, activepieces, url)
    client, secret = _register(state, activepieces, tenant_id)
    integration = integrations.set_up(SetupRequest(tenant_id=tenant_id), user_id=_USER)
    state.tenants.embedding.allow_origins()
    return Trial(
        url=url,
        consent_url=_consent_url(state, activepieces, url, integration.project_id, client, secret),
        activepieces_url=activepieces.url,
        tenant_id=tenant_id,
        client_id=client.client_id,
        client_secret=secret,
        email=activepieces.email,
        password=activepieces.password,
    )


def _install_piece(state: State, activepieces: ActivepiecesServer, url: str) -> None:
    """The app's own piece, or one that only connects."""
    if state.piece.title is None:
        prefix = state.settings.oauth_prefix
        auth = {
            "type": "OAUTH2",
            "displayName": "The app",
            "required": True,
            "authUrl": f"{url}{prefix}/authorize",
            "tokenUrl": f"{url}{prefix}/token",
            "scope": list(state.settings.scopes),
            "pkce": True,
            "pkceMethod": "S256",
        }
        store, name = activepieces.state.store, str(state.settings.piece_name)
        for kept in store.all("piece", name=name):  # of an earlier trial, perhaps at another port
            store.drop("piece", kept["id"])
        add_pieces(activepieces.state, [StandinPiece(name, auth=auth)])
        return
    installer = PieceInstaller(ActivepiecesClient(activepieces.url, activepieces.api_key))
    plan = installer.plan(state.piece.manifest(version=FIRST_VERSION))
    if plan.is_needed:
        installer.install(build_archive(state.piece.manifest(version=plan.version)))


def _register(state: State, activepieces: ActivepiecesServer, tenant_id: str) -> tuple[OAuthClient, str]:
    registration = Registration(
        name=CLIENT_NAME,
        description="The stand-in of flask-activepieces",
        redirect_uris=(f"{activepieces.url}/redirect",),
        scope=" ".join(state.settings.scopes),
        tenant_id=tenant_id,
        require_pkce=False,  # it is off in a piece that does not ask for it
    )
    kept = [client for client in state.oauth_clients.list_for_tenant(tenant_id) if client.name == CLIENT_NAME]
    if kept:
        client = state.oauth_clients.update(kept[0], registration)
        return client, state.oauth_clients.rotate_secret(client, keep_old=False)
    client, secret = state.oauth_clients.register(registration)
    assert secret is not None, "the client is confidential"
    return client, secret


def _consent_url(
    state: State, activepieces: ActivepiecesServer, url: str, project_id: str, client: OAuthClient, secret: str
) -> str:
    """The consent page, as the stand-in's own form opens it, so that the answer becomes a connection there."""
    form = {
        "piece": str(state.settings.piece_name),
        "project": project_id,
        "client_id": client.client_id,
        "client_secret": secret,
        "prop.base_url": url,
    }
    answer = Client(activepieces.app).post("/connect", base_url=activepieces.url, data=form)
    location = answer.headers.get("Location", "")
    if not location.startswith(url):
        raise SetupError(
            f"The piece {state.settings.piece_name} does not connect with OAuth 2, so there is no consent page."
            " Add auth.OAuth2() to its kinds of authentication."
        )
    return location


def _has_project(activepieces: ActivepiecesServer, integration: Integration) -> bool:
    return activepieces.state.store.get("project", integration.project_id) is not None


@contextmanager
def _temporary_database(original: Database) -> Iterator[Database]:
    with TemporaryDirectory(prefix="flask-activepieces-") as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'trial.sqlite'}")
        try:
            database = Database(engine, release=original.release, sqlite_wal=True)
            tables.metadata.create_all(engine)
            yield database
        finally:
            engine.dispose()


@contextmanager
def _replaced(app: Flask, state: State) -> Iterator[None]:
    """The app with this state, on this machine: any host is trusted, and browsers send cookies over plain http."""
    local: dict[str, object] = {
        "TRUSTED_HOSTS": None,
        "SESSION_COOKIE_SECURE": False,
        "SESSION_COOKIE_DOMAIN": None,
        "REMEMBER_COOKIE_SECURE": False,
    }
    for name in ("SESSION_COOKIE_NAME", "REMEMBER_COOKIE_NAME"):
        cookie = app.config.get(name)
        if cookie is not None:
            # Browsers drop a cookie with such a name over http.
            local[name] = cookie.removeprefix("__Host-").removeprefix("__Secure-")
    original, config = app.extensions[EXTENSION], {name: app.config.get(name) for name in local}
    app.extensions[EXTENSION] = state
    app.config.update(local)
    try:
        yield
    finally:
        app.extensions[EXTENSION] = original
        app.config.update(config)


@contextmanager
def _delivering(state: State) -> Iterator[None]:
    """Send the app's events to flows, as ``flask activepieces deliver`` does."""
    worker = state.delivery.worker(threads=2)
    thread = Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def _kept_file(app: Flask) -> Path:
    folder = Path(app.instance_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / STANDIN_FILE


def _check_port(port: int) -> None:
    if port == 0:
        return
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(port) from error
        raise
