"""The pytest plugin of flask-activepieces: a stand-in Activepieces, and access tokens of the app under test.

pytest loads it in every run; the server is loaded by the first test that asks for one of the fixtures. While it is
loaded, no test calls Activepieces on another machine, unless it is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from ..api_client.network import network

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from .standin.server import ActivepiecesServer

__all__ = [
    "activepieces_options",
    "activepieces_server",
    "authorized_client",
    "issue_token",
    "live_app",
]


_MARKER = "activepieces_network"
_REFUSAL = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """From here on, calls of Activepieces stay on this machine, whatever the configuration of the app says."""
    config.addinivalue_line(
        "markers", f"{_MARKER}: let flask-activepieces call servers on other machines"
    )
    config.stash[_REFUSAL] = refusal = ExitStack()
    refusal.enter_context(network.loopback_only(True))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Put back what was before."""
    config.stash[_REFUSAL].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Lets a marked test call other machines, its fixtures included."""
    if item.get_closest_marker(_MARKER) is None:
        return (yield)
    with network.loopback_only(False):
        return (yield)


@pytest.fixture(scope="session")
def activepieces_options() -> dict[str, Any]:
    """Arguments of `ActivepiecesServer`, such as ``pieces``. Override this fixture to give some."""
    return {}


@pytest.fixture(scope="session")
def _activepieces_server(activepieces_options: dict[str, Any]) -> Iterator[ActivepiecesServer]:
    from .standin.server import ActivepiecesServer

    with ActivepiecesServer(**activepieces_options) as server:
        yield server


@pytest.fixture
def activepieces_server(_activepieces_server: ActivepiecesServer) -> ActivepiecesServer:
    """A stand-in Activepieces on a port of the loopback; each test finds it as on its first day."""
    _activepieces_server.reset()
    return _activepieces_server


@pytest.fixture
def live_app(app: Flask) -> Iterator[str]:
    """The address at which the app under test is served by HTTP; Activepieces redeems its codes there."""
    from .http_server import HttpServer

    with closing(HttpServer(app)) as server:
        # The name that Flask's test client uses, so that its cookies are for this address, too.
        yield f"http://localhost:{server.port}"


@pytest.fixture
def issue_token(app: Flask) -> Callable[..., str]:
    """Makes access tokens of the app under test: ``issue_token(user_id=…, tenant_id=…, scope=…)``."""
    from .access_tokens import issue_access_token

    def issue(
        *,
        user_id: str,
        tenant_id: str,
        scope: str | None = None,
        organization_id: str | None = None,
    ) -> str:
        return issue_access_token(
            app,
            user_id=user_id,
            tenant_id=tenant_id,
            scope=scope,
            organization_id=organization_id,
        )

    return issue


@pytest.fixture
def authorized_client(app: Flask, issue_token: Callable[..., str]) -> Callable[..., FlaskClient]:
    """Makes test clients that call the app as Activepieces does: ``authorized_client(user_id=…, tenant_id=…)``."""
    from .access_tokens import client_with

    def make(**whom: Any) -> FlaskClient:
        return client_with(app, issue_token(**whom))

    return make
