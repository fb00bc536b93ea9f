"""Users of the automation area, and a workspace that is linked."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.automation import AreaUser, area_user
from tests.support.hosts import HostWithLabs


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """The small host, without a key of its own."""
    return make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url)


@pytest.fixture
def alice(app: Flask) -> AreaUser:
    """The admin of Acme, whose workspace is not linked yet."""
    return area_user(app, "alice")


@pytest.fixture
def admin(alice: AreaUser, server: ActivepiecesServer) -> AreaUser:
    """The same admin, with a linked workspace."""
    alice.links(server)
    return alice


@pytest.fixture
def bob(app: Flask) -> AreaUser:
    """A member of Acme, who may do nothing here."""
    return area_user(app, "bob")


@pytest.fixture
def carol(app: Flask) -> AreaUser:
    """The admin of Globex."""
    return area_user(app, "carol")
