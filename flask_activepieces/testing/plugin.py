"""The pytest plugin of flask-activepieces: a stand-in Activepieces, and users of the app under test.

pytest loads it in every run; the server is loaded by the first test that uses one of the fixtures. While the plugin
is loaded, only marked tests may call Activepieces on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ..api_client.network import network

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from ..integrations.store import Integration
    from .installed_piece import InstalledPiece
    from .standin.server import ActivepiecesServer

__all__ = [
    "activepieces_options",
    "activepieces_server",
    "authorized_client",
    "emit_event",
    "give_consent",
    "installed_piece",
    "issue_token",
    "link_tenant",
    "live_app",
    "sign_in",
]


_MARKER = "activepieces_network"
_REFUSAL = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Restrict calls to Activepieces to this machine, whatever the app's configuration says."""
    config.addinivalue_line("markers", f"{_MARKER}: let flask-activepieces call servers on other machines")
    config.stash[_REFUSAL] = refusal = ExitStack()
    refusal.enter_context(network.loopback_only(True))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Lift the restriction."""
    config.stash[_REFUSAL].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a marked test and its fixtures call other machines."""
    if item.get_closest_marker(_MARKER) is None:
        return (yield)
    with network.loopback_only(False):
        return (yield)


@pytest.fixture(scope="session")
def activepieces_options() -> dict[str, Any]:
    """Arguments of `ActivepiecesServer`, such as ``pieces``. Override this fixture to set them."""
    return {}


@pytest.fixture(scope="session")
def _activepieces_server(activepieces_options: dict[str, Any]) -> Iterator[ActivepiecesServer]:
    from .standin.server import ActivepiecesServer

    with ActivepiecesServer(**activepieces_options) as server:
        yield server


@pytest.fixture
def activepieces_server(_activepieces_server: ActivepiecesServer) -> ActivepiecesServer:
    """A stand-in Activepieces on a loopback port, reset before each test."""
    _activepieces_server.reset()
    return _activepieces_server


@pytest.fixture
def live_app(app: Flask) -> Iterator[str]:
    """The address of the app under test, served over HTTP, so that Activepieces can redeem codes there."""
    from .http_server import HttpServer

    with closing(HttpServer(app)) as server:
        # The host name of Flask's test client, so that its cookies are valid for this address too.
        yield f"http://localhost:{server.port}"


@pytest.fixture
def installed_piece(app: Flask, live_app: str, activepieces_server: ActivepiecesServer) -> InstalledPiece:
    """The piece of the app under test, installed in the stand-in."""
    from .installed_piece import install_piece

    return install_piece(app, activepieces_server, live_app)


@pytest.fixture
def issue_token(app: Flask) -> Callable[..., str]:
    """Issues access tokens of the app under test: ``issue_token(user_id=…, tenant_id=…, scope=…)``.

    With ``resource="mcp"``, tokens for agents.
    """
    from .access_tokens import issue_access_token

    return partial(issue_access_token, app)


@pytest.fixture
def authorized_client(app: Flask, issue_token: Callable[..., str]) -> Callable[..., FlaskClient]:
    """Creates test clients that call the app as Activepieces does: ``authorized_client(user_id=…, tenant_id=…)``."""
    from .access_tokens import client_with

    def make(**whom: Any) -> FlaskClient:
        return client_with(app, issue_token(**whom))

    return make


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str | int], FlaskClient]:
    """Creates test clients in which a user is signed in: ``sign_in(user.id)``.

    Override this fixture if the app does not use Flask-Login.
    """
    from .sign_in import sign_in

    return partial(sign_in, app)


@pytest.fixture
def give_consent(app: Flask) -> Callable[..., FlaskClient]:
    """Approves a new OAuth client as the user of a test client: ``give_consent(sign_in(user.id), scope=…)``.

    Returns a test client with the token.
    """
    from .consent import give_consent

    return partial(give_consent, app)


@pytest.fixture
def link_tenant(app: Flask, activepieces_server: ActivepiecesServer) -> Callable[..., Integration]:
    """Sets up integrations of the app under test with the stand-in: ``link_tenant(tenant.id)``."""
    from .link import link_tenant

    return partial(link_tenant, app, activepieces_server)


@pytest.fixture
def emit_event(app: Flask, activepieces_server: ActivepiecesServer) -> Callable[..., int]:
    """Emits events and delivers them: ``emit_event("order_placed", order, tenant_id=tenant.id)``."""
    from .events import emit_event

    return partial(emit_event, app, activepieces_server)
