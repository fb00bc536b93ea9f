"""An app that is served at its public URL, and linked with a stand-in that has its piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.doctor.subject import Subject
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.http_server import HttpServer
from tests.conftest import MakeApp
from tests.support.api_user import OWN_PIECE, ApiUser

#: Makes the app with these settings, and links Acme with this setup.
Link = Callable[..., Flask]


@pytest.fixture(scope="module")
def _activepieces_server() -> Iterator[ActivepiecesServer]:
    """The server of the fixture `activepieces_server`, with the app's piece."""
    with ActivepiecesServer(pieces=[OWN_PIECE]) as server:
        yield server


@pytest.fixture
def link(make_app: MakeApp, activepieces_server: ActivepiecesServer) -> Iterator[Link]:
    made: list[Flask] = []
    server = HttpServer(lambda environ, start: made[-1](environ, start))

    def make(setup: dict[str, Any] | None = None, **options: Any) -> Flask:
        defaults = {
            "ACTIVEPIECES_BASE_URL": activepieces_server.url,
            "ACTIVEPIECES_PUBLIC_URL": f"http://127.0.0.1:{server.port}",
            "ACTIVEPIECES_PIECE_NAME": OWN_PIECE.name,
        }
        app = make_app(**(defaults | options))
        made.append(app)
        key = {"apiKey": activepieces_server.api_key, "projectId": activepieces_server.project_id}
        ApiUser.named(app, "alice").links(**(key if setup is None else setup))
        return app

    with closing(server):
        yield make


@pytest.fixture
def subject(link: Link) -> Subject:
    """The linked app."""
    return Subject(app=link())
