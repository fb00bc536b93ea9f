"""The Activepieces servers that an app uses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from typing import Any

import pytest
from flask import Flask

from flask_activepieces.api_client.resources.server import ServerInfo
from flask_activepieces.doctor.server.availability import check_availability
from flask_activepieces.doctor.subject import Subject, UsedServer
from flask_activepieces.state import get_state
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.http_server import HttpServer
from tests.conftest import MakeApp
from tests.support.doctor import codes, only
from tests.support.raw_server import raw_server
from tests.unit.doctor.server.conftest import Link

KEY = {"ACTIVEPIECES_API_KEY": "sk-1"}


def test_a_server_that_answers_is_not_reported(subject: Subject) -> None:
    assert codes(check_availability(subject)) == []


def test_an_app_without_a_key_and_an_integration_uses_no_server(app: Flask) -> None:
    """The default server is Activepieces Cloud, which tests must not call."""
    assert codes(check_availability(Subject(app=app))) == []


def test_an_unreachable_server_is_found(make_app: MakeApp) -> None:
    with closing(HttpServer(lambda environ, start: [])) as server:
        url = f"http://127.0.0.1:{server.port}"

    findings = check_availability(Subject(app=make_app(ACTIVEPIECES_BASE_URL=url, **KEY)))

    assert only(findings, "activepieces-unreachable").seen == f"{url} cannot be reached: the connection was refused."


def test_a_proxy_without_its_server_is_found(make_app: MakeApp) -> None:
    with raw_server(lambda request: request.answer(502, {}, kind="text/html")) as server:
        findings = check_availability(Subject(app=make_app(ACTIVEPIECES_BASE_URL=server.url, **KEY)))

        found = only(findings, "activepieces-unreachable")
        assert found.seen == f"{server.url} answers with the status 502."
        assert found.remedy == "Start Activepieces behind its proxy, or look at its log."


@pytest.mark.parametrize(
    ("status", "seen", "remedy"),
    [
        (401, "answers with the status 401 to a request that needs no credential", "Let its proxy or firewall admit"),
        (403, "answers with the status 403 to a request that needs no credential", "Let its proxy or firewall admit"),
        (429, "answers with the status 429: too many requests", "Run the doctor again in some minutes."),
    ],
)
def test_a_server_that_refuses_the_request_has_answered(
    make_app: MakeApp, status: int, seen: str, remedy: str
) -> None:
    with raw_server(lambda request: request.answer(status, {"message": "Forbidden"})) as server:
        findings = check_availability(Subject(app=make_app(ACTIVEPIECES_BASE_URL=server.url, **KEY)))

        found = only(findings, "activepieces-unreachable")
        assert found.seen.startswith(f"{server.url} {seen}")
        assert found.remedy.startswith(remedy)


@pytest.mark.parametrize(("status", "kind"), [(200, "text/html"), (404, "application/json")])
def test_another_service_is_found(make_app: MakeApp, status: int, kind: str) -> None:
    with raw_server(lambda request: request.answer(status, {}, kind=kind)) as server:
        findings = check_availability(Subject(app=make_app(ACTIVEPIECES_BASE_URL=server.url, **KEY)))

        assert "does not answer as Activepieces does" in only(findings, "activepieces-wrong-url").seen


def test_an_unhealthy_server_is_found(subject: Subject, activepieces_server: ActivepiecesServer) -> None:
    activepieces_server.faults.fail("GET", "/health", 500, times=None)

    assert only(check_availability(subject), "activepieces-unhealthy")


class Elsewhere(Subject):
    """An app whose server is on another machine, of an old version, and in test mode."""

    @cached_property
    def servers(self) -> Sequence[UsedServer]:
        info = ServerInfo(version="0.70.3", edition="ee", environment="test")
        return [UsedServer(url="https://ap.example.com", info=info)]

    def anonymous_client(self, url: str) -> Any:
        return super().anonymous_client(get_state(self.app).settings.base_url)


def test_an_old_version_and_test_mode_are_found(link: Link) -> None:
    old, test = check_availability(Elsewhere(app=link()))

    assert codes([old, test]) == ["activepieces-version", "activepieces-environment"]
    assert "has version 0.70.3" in old.seen


def test_a_server_that_is_no_longer_allowed_is_found(
    link: Link, make_app: MakeApp, activepieces_server: ActivepiecesServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = activepieces_server.url.replace("127.0.0.1", "localhost")
    key = {"apiKey": activepieces_server.api_key, "projectId": activepieces_server.project_id, "baseUrl": other}
    app = link(key, ACTIVEPIECES_ALLOWED_BASE_URLS=[other])
    assert codes(check_availability(Subject(app=app))) == []

    forgetful = make_app(tables=False, ACTIVEPIECES_BASE_URL=activepieces_server.url)

    assert only(check_availability(Subject(app=forgetful)), "server-not-allowed").tenant_id == "acme"
    assert codes(check_availability(Subject(app=forgetful, tenant_id="globex"))) == []
