"""The victims of attacks, and an app whose Activepieces is the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import Person, Program
from tests.support.api_user import OWN_PIECE
from tests.support.document_clients import ACCEPTING, Site, site
from tests.support.hosts import HostWithLabs
from tests.support.token_endpoint import TokenEndpoint, token_endpoint


@pytest.fixture(params=["an anonymous user", "a user", "a user who approved before"])
def victim(request: pytest.FixtureRequest, app: Flask, program: Program) -> Person:
    """The person lured to the URL; the last one would get an answer without a consent page."""
    person = Person(app, None if request.param == "an anonymous user" else "bob")
    if request.param == "a user who approved before":
        person.answers(program.question())
    return person


@pytest.fixture(scope="session")
def listening_acme() -> Iterator[TokenEndpoint]:
    with token_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def acme(listening_acme: TokenEndpoint) -> TokenEndpoint:
    """The token endpoint of Acme, a third party, without recorded requests."""
    listening_acme.received.clear()
    listening_acme.replies.clear()
    return listening_acme


@pytest.fixture(scope="session")
def listening_server(listening_acme: TokenEndpoint) -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(pieces=[*acme_pieces(listening_acme.url), OWN_PIECE]) as server:
        yield server


@pytest.fixture
def server(acme: TokenEndpoint, listening_server: ActivepiecesServer) -> ActivepiecesServer:
    """A reset Activepieces on loopback, with the pieces of Acme and of the small host."""
    listening_server.reset()
    return listening_server


@pytest.fixture
def linked_app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    """The small host with a default API key for tenants without their own."""
    return make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key)


@pytest.fixture
def agent_site() -> Iterator[Site]:
    """A site where agents publish their documents."""
    with site() as serving:
        yield serving


@pytest.fixture
def agent_app(make_app: MakeApp) -> Flask:
    """A small host that accepts clients by their documents, also from loopback."""
    return make_app(**ACCEPTING)
