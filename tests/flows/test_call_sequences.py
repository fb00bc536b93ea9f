"""A reader can follow one request through few functions and files; `docs/architecture.md` shows the same calls."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Person
from tests.support.api_user import OWN_PIECE, ApiUser
from tests.support.call_sequence import record_calls
from tests.support.hosts import HostWithLabs
from tests.support.live import serving


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, VERSION="4.2")


@pytest.fixture
def alice(app: Flask, server: ActivepiecesServer) -> ApiUser:
    """The admin of Acme, whose integration has a connection."""
    alice = ApiUser.named(app, "alice")
    alice.links(projectId=server.project_id, apiKey=server.api_key)
    alice.saves("The first")
    return alice


def test_saving_a_connection_takes_few_functions(alice: ApiUser) -> None:
    sequence = record_calls(lambda: alice.saves("Our Discord"))

    assert len(sequence.functions) <= 45, f"\n{sequence}"
    assert len(sequence.files) <= 22, f"\n{sequence}"


def test_one_click_takes_few_functions(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(
        ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key, ACTIVEPIECES_PIECE_NAME=OWN_PIECE.name
    )
    with serving(app) as site:
        alice = ApiUser(Person(app, "alice"), site.replace("127.0.0.1", "localhost"))
        integration = alice.links()
        alice.posts(f"/connections/{integration}/connect")

        sequence = record_calls(lambda: alice.posts(f"/connections/{integration}/connect"))

    assert len(sequence.functions) <= 75, f"\n{sequence}"
    assert len(sequence.files) <= 40, f"\n{sequence}"
