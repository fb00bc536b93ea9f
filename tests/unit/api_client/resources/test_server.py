"""The public information of a server."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.errors import UnexpectedResponse
from flask_activepieces.api_client.resources.server import Plan, Server
from tests.support.calls import FakeTransport, recorded, says


def test_a_server_has_version_and_edition() -> None:
    transport = says("flags")

    info = Server(transport).info()

    assert (info.version, info.edition, info.environment) == ("0.85.2", "ee", "test")
    assert info.public_url == "http://127.0.0.1:3000/"
    assert info.webhook_timeout == 30
    assert info.embed_origins == ()
    assert transport.lines == ["GET /flags"]


def test_a_healthy_server_is_healthy() -> None:
    transport = says("health")

    assert Server(transport).is_healthy()
    assert transport.lines == ["GET /health"]
    assert not Server(says({"status": "Unhealthy"})).is_healthy()


def test_public_information_is_fetched_without_the_credential() -> None:
    """A wrong base URL may belong to another service."""
    transport = says("flags", "health")
    server = Server(transport)

    server.info()
    server.is_healthy()

    assert [call.authenticate for call in transport.calls] == [False, False]


@pytest.mark.parametrize("answer", [{}, [], {"CURRENT_VERSION": "0.85.2"}])
def test_another_service_is_an_unexpected_response(answer: object) -> None:
    with pytest.raises(UnexpectedResponse):
        Server(says(answer)).info()


def test_a_web_page_is_an_unexpected_response() -> None:
    with pytest.raises(UnexpectedResponse):
        Server(FakeTransport([recorded("no /api prefix")])).info()


def test_a_plan_names_its_features() -> None:
    transport = says("platform get")

    plan = Server(transport).plan("qQnsmKagCnxENqoYPvJCq")

    assert plan == Plan(
        api_keys_enabled=True, embedding_enabled=True, global_connections_enabled=True, manage_pieces_enabled=True
    )
    assert transport.lines == ["GET /platforms/qQnsmKagCnxENqoYPvJCq"]


def test_a_platform_without_a_plan_has_no_features() -> None:
    assert Server(says({"id": "p"})).plan("p") == Plan()
