"""The two well-known documents that clients can discover (RFC 8414, RFC 9728)."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from flask_activepieces import Activepieces
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.hosts import SCOPES

SERVER = "/.well-known/oauth-authorization-server"
RESOURCE = "/.well-known/oauth-protected-resource"
PUBLIC_URL = "https://app.example.com"


def read(app: Flask, path: str, **options: Any) -> dict[str, Any]:
    return answer_of(app.test_client().get(path, **options))


@pytest.fixture
def public(make_app: MakeApp) -> Flask:
    """An app with a public URL."""
    return make_app(ACTIVEPIECES_PUBLIC_URL=PUBLIC_URL)


def test_authlib_validates_the_metadata(public: Flask) -> None:
    metadata = AuthorizationServerMetadata(read(public, SERVER))

    metadata.validate()


def test_the_metadata_lists_exactly_what_the_server_supports(public: Flask) -> None:
    base = f"{PUBLIC_URL}/oauth"
    with_secret = ["client_secret_basic", "client_secret_post"]

    assert read(public, SERVER) == {
        "issuer": PUBLIC_URL,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "jwks_uri": f"{base}/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": [*with_secret, "none"],
        "revocation_endpoint_auth_methods_supported": [*with_secret, "none"],
        "introspection_endpoint_auth_methods_supported": with_secret,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def test_mistakes_in_the_piece_do_not_hide_the_metadata(make_app: MakeApp) -> None:
    def declare(activepieces: Activepieces) -> None:
        activepieces.action("an invalid name!", scope="no such scope")(lambda: None)

    app = make_app(declare=declare)

    assert "client_id_metadata_document_supported" not in read(app, SERVER)
    assert read(app, RESOURCE)["resource"] == "http://localhost"


def test_every_endpoint_in_the_metadata_exists(app: Flask) -> None:
    metadata = read(app, SERVER)

    for name in ("token", "revocation", "introspection"):
        assert app.test_client().get(metadata[f"{name}_endpoint"]).status_code == 405
    assert app.test_client().get(metadata["authorization_endpoint"]).status_code == 400
    assert app.test_client().get(metadata["jwks_uri"]).status_code == 200


def test_the_resource_names_its_issuer(public: Flask) -> None:
    assert read(public, RESOURCE) == {
        "resource": PUBLIC_URL,
        "resource_name": "app.example.com",
        "authorization_servers": [PUBLIC_URL],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
    }


def test_a_url_that_is_no_resource_has_no_document(public: Flask) -> None:
    """A client that got one would ask for a token for that URL, and be refused."""
    for path in ("/api/tasks", "/mcp", "/other"):
        assert public.test_client().get(f"{RESOURCE}{path}").status_code == 404


def test_a_401_leads_to_the_metadata(app: Flask) -> None:
    """RFC 9728 §5: from the challenge to the authorization server in two steps."""
    challenge = app.test_client().get("/api/whoami").headers["WWW-Authenticate"]
    resource = read(app, challenge.split('resource_metadata="')[1].split('"')[0])
    (issuer,) = resource["authorization_servers"]

    assert read(app, f"{issuer}{SERVER}")["issuer"] == issuer == "http://localhost"


def test_documents_can_be_read_from_any_origin_and_cached(app: Flask) -> None:
    for path in (SERVER, RESOURCE, "/oauth/jwks.json"):
        response = app.test_client().get(path, headers={"Origin": "https://inspector.test"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "max-age=" in response.headers["Cache-Control"]
        assert "Set-Cookie" not in response.headers


def test_an_issuer_with_a_path_has_its_documents_below_well_known(make_app: MakeApp) -> None:
    """RFC 8414 §3.1: the well-known part comes between host and path."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=f"{PUBLIC_URL}/tools/")

    metadata = read(app, f"{SERVER}/tools")
    resource = read(app, f"{RESOURCE}/tools")

    assert metadata["issuer"] == f"{PUBLIC_URL}/tools"
    assert metadata["token_endpoint"] == f"{PUBLIC_URL}/tools/oauth/token"
    assert resource["resource"] == f"{PUBLIC_URL}/tools"
    assert resource["authorization_servers"] == [f"{PUBLIC_URL}/tools"]


@pytest.mark.parametrize("path", ["/other", "/tool", "/tools/more", "/toolsmore", "/Tools", "/tools/"])
def test_the_metadata_of_another_issuer_path_is_not_found(make_app: MakeApp, path: str) -> None:
    app = make_app(ACTIVEPIECES_PUBLIC_URL=f"{PUBLIC_URL}/tools")

    assert app.test_client().get(SERVER + path).status_code == 404


@pytest.mark.parametrize("path", ["/other", "/tool", "/toolsmore", "/Tools"])
def test_a_resource_outside_our_path_is_not_found(make_app: MakeApp, path: str) -> None:
    """Another app on the same host may use another authorization server."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL=f"{PUBLIC_URL}/tools")

    assert app.test_client().get(RESOURCE + path).status_code == 404


def test_the_mount_path_is_part_of_the_issuer(app: Flask) -> None:
    """This applies without a public URL."""
    mounted = Client(DispatcherMiddleware(Flask("root"), {"/tools": app}))

    metadata = mounted.get(f"/tools{SERVER}").get_json()
    token = mounted.post(metadata["token_endpoint"].removeprefix("http://localhost"))

    assert metadata["issuer"] == "http://localhost/tools"
    assert metadata["authorization_endpoint"] == "http://localhost/tools/oauth/authorize"
    assert token.status_code == 400
    assert mounted.get(f"/tools{SERVER}/tools").get_json() == metadata


def test_prefixes_are_settings(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_OAUTH_PREFIX="/connect/v1")
    program, bob = Program.registered(app), Person(app, "bob")

    metadata = read(app, SERVER)
    page = bob.sees(program.question().replace("/oauth/", "/connect/v1/"))

    assert metadata["authorization_endpoint"] == "http://localhost/connect/v1/authorize"
    assert page.form("decision").action == "/connect/v1/authorize"
    assert bob.opens("/oauth/authorize").status_code == 404
