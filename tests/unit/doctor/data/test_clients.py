"""The registered OAuth clients."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client.resources.server import ServerInfo
from flask_activepieces.doctor.data.clients import check_clients
from flask_activepieces.doctor.subject import UsedServer
from flask_activepieces.oauth.clients.client import OAuthClient
from flask_activepieces.oauth.clients.registration import Registration
from flask_activepieces.state import State, get_state
from tests.conftest import MakeApp
from tests.support.doctor import PUBLIC, codes, only, settings

AP = "https://ap.example.com"


def server(url: str = AP, redirect_url: str | None = f"{AP}/redirect") -> UsedServer:
    return UsedServer(url=url, info=ServerInfo(version="0.85.2", edition="ee", redirect_url=redirect_url))


@pytest.fixture
def state(make_app: MakeApp) -> State:
    return get_state(make_app())


def client(state: State, *redirect_uris: str, **more: Any) -> OAuthClient:
    registration = Registration(**{"name": "A", "redirect_uris": redirect_uris, "scope": "tasks:read", **more})
    return state.oauth_clients.register(registration)[0]


@pytest.mark.parametrize("uri", [f"{AP}/api/redirect", f"{AP}:8443/redirect", f"{AP}/redirect/"])
def test_another_redirect_uri_of_a_server_in_use_is_found(state: State, uri: str) -> None:
    made = client(state, uri)

    finding = only(check_clients(settings(PUBLIC_URL=PUBLIC), [made], [server()]), "redirect-uri")

    assert (
        finding.seen
        == f"Client {made.client_id} (A) is registered for {uri}, and the Activepieces there sends {AP}/redirect."
    )
    assert finding.remedy.endswith(f"client update {made.client_id} --redirect-uri {AP}/redirect.")


def test_a_server_that_does_not_report_its_redirect_uri_uses_the_usual_one(state: State) -> None:
    findings = check_clients(settings(), [client(state, f"{AP}/redirect")], [server(f"{AP}/api/v1", None)])

    assert codes(findings) == []


def test_a_loopback_redirect_uri_of_a_public_app_is_found(state: State) -> None:
    made = client(state, "http://127.0.0.1:9000/callback", tenant_id="acme")

    finding = only(check_clients(settings(PUBLIC_URL=PUBLIC), [made], []), "redirect-uri-loopback")

    assert finding.tenant_id == "acme"
    assert codes(check_clients(settings(PUBLIC_URL="http://localhost:5000"), [made], [])) == []


def test_an_installed_program_may_use_loopback(state: State) -> None:
    made = client(state, "http://127.0.0.1/callback", public=True)

    assert codes(check_clients(settings(PUBLIC_URL=PUBLIC), [made], [])) == []


def test_scopes_that_the_setting_no_longer_has_are_found(state: State) -> None:
    made = client(state, "https://program.test/callback", scope="tasks:read tasks:write")

    finding = only(check_clients(settings(SCOPES={"tasks:read": "See tasks"}), [made], []), "client-scopes")

    assert "lacks: tasks:write." in finding.seen


@pytest.mark.parametrize(
    "uri", [f"{AP}/redirect", "https://cloud.activepieces.com/redirect", "https://program.test/callback"]
)
def test_good_clients_are_not_reported(state: State, uri: str) -> None:
    assert codes(check_clients(settings(PUBLIC_URL=PUBLIC), [client(state, uri)], [server()])) == []


def test_another_program_on_this_machine_is_not_taken_for_activepieces(state: State) -> None:
    local = server("http://127.0.0.1:8080", "http://127.0.0.1:8080/redirect")

    assert codes(check_clients(settings(), [client(state, "http://127.0.0.1:9000/callback")], [local])) == []
