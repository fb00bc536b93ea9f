"""The stand-in's page for sites that embed it, and its SDK. tests/example_app/test_builder.py opens them."""

from __future__ import annotations

import pytest
from werkzeug.test import Client, TestResponse

from flask_activepieces.testing import ActivepiecesServer
from tests.support.standin import Standin, standin


def get(server: ActivepiecesServer, path: str) -> TestResponse:
    return Client(server.app).get(path)


def test_without_allowed_sites_no_other_site_may_embed_the_page(activepieces_server: ActivepiecesServer) -> None:
    answer = get(activepieces_server, "/embed")

    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


def test_allowed_sites_may_embed_the_page(activepieces_server: ActivepiecesServer) -> None:
    """What is not an origin is dropped, as upstream does."""
    origins = ["https://app.example.com", "https://other.example.com/path"]
    standin(activepieces_server).post("/embed-subdomain/allowed-embed-origins", {"allowedEmbedOrigins": origins})

    policy = get(activepieces_server, "/embed").headers["Content-Security-Policy"]

    assert policy.endswith("frame-ancestors https://app.example.com")


def test_the_sdk_is_a_script(activepieces_server: ActivepiecesServer) -> None:
    path = activepieces_server.embed_sdk_url.removeprefix(activepieces_server.url)

    answer = get(activepieces_server, path)

    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert "window.activepieces" in answer.text
    assert get(activepieces_server, "/embed/page.js").mimetype == "text/javascript"


def test_the_community_edition_has_no_such_page() -> None:
    with ActivepiecesServer(edition="ce") as server:
        assert "Content-Security-Policy" not in get(server, "/embed").headers


@pytest.mark.parametrize(("status", "expected"), [("INACTIVE", 403), ("ACTIVE", 200)])
def test_the_session_of_an_inactive_user_ends(
    activepieces_server: ActivepiecesServer, status: str, expected: int
) -> None:
    calls = standin(activepieces_server)
    member = calls.by_member("Viewer")
    store = activepieces_server.state.store
    (user,) = store.all("user", platformRole="MEMBER")
    calls.post(f"/users/{user['id']}", {"status": status})

    answer = member.ask("GET", f"/projects/{activepieces_server.project_id}")

    assert answer.status_code == expected
    if status == "INACTIVE":
        assert answer.get_json()["code"] == "SESSION_EXPIRED"


def test_a_new_signing_key_signs_users_in(activepieces_server: ActivepiecesServer) -> None:
    key_id, pem = activepieces_server.add_signing_key()

    keys = Standin(activepieces_server, activepieces_server.user_token()).get("/signing-keys")["data"]
    assert [key["id"] for key in keys] == [key_id]
    assert pem.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert "PRIVATE" not in str(keys)
