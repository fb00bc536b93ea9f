"""An access token is for the resource that its client named, and for no other one (RFC 8707)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.typing import ResponseReturnValue

from flask_activepieces.state import get_state
from flask_activepieces.web.bearer import TokenRejected, authenticate
from tests.conftest import MakeApp
from tests.support.actors import Parameters, Person, Program, answer_of
from tests.support.error_assertions import assert_error_redirect, assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import opened
from tests.support.storage import rows_of

ISSUER = "http://localhost"
MCP = "http://localhost/mcp"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A small host with an MCP endpoint, and a view that accepts tokens for the endpoint only."""
    app = make_app(ACTIVEPIECES_MCP=True)

    @app.get("/for-agents")
    def for_agents() -> ResponseReturnValue:
        state = get_state()
        mcp = state.resources().mcp
        try:
            return {"user_id": authenticate(state, resource=mcp).user_id}
        except TokenRejected as error:
            challenge = error.challenge(state, resource=mcp, scopes=["tasks:write", "tasks:read"])
            return {"error": error.error}, error.status, {"WWW-Authenticate": challenge}

    return app


def tokens(program: Program, person: Person, *, asked: str | None, at_token: str | None = None) -> dict[str, Any]:
    """The tokens of a program that names a resource at the one endpoint, the other, both or neither."""
    code = person.allows(program.question(resource=asked))
    return answer_of(program.redeems(code, resource=at_token))


def audience(token: str) -> str:
    value = opened(token)[1]["aud"]
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize(
    ("asked", "at_token", "expected"),
    [
        (None, None, ISSUER),
        (ISSUER, None, ISSUER),
        (None, ISSUER, ISSUER),
        (f"{ISSUER}/", ISSUER, ISSUER),
        (MCP, None, MCP),
        (MCP, MCP, MCP),
        (f"{MCP}/", MCP, MCP),
    ],
)
def test_the_audience_is_the_requested_resource(
    program: Program, bob: Person, asked: str | None, at_token: str | None, expected: str
) -> None:
    pair = tokens(program, bob, asked=asked, at_token=at_token)

    assert audience(pair["access_token"]) == expected
    assert answer_of(program.introspects(pair["access_token"]))["aud"] == expected
    assert answer_of(program.introspects(pair["refresh_token"]))["aud"] == expected


def test_the_api_refuses_a_token_for_the_endpoint(program: Program, bob: Person) -> None:
    token = tokens(program, bob, asked=MCP)["access_token"]

    response = program.calls(token)

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert response.get_json()["error_description"] == "The access token is not for http://localhost."
    assert answer_of(program.calls(token, "/for-agents")) == {"user_id": "bob"}


def test_the_endpoint_refuses_a_token_for_the_api(program: Program, bob: Person) -> None:
    token = tokens(program, bob, asked=None)["access_token"]

    response = program.calls(token, "/for-agents")

    assert response.status_code == 401
    assert answer_of(program.calls(token))["user_id"] == "bob"
    challenge = response.headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in challenge
    assert "The access token is not for http://localhost/mcp." in challenge


def test_a_401_names_the_metadata_of_its_resource_and_the_scopes(app: Flask) -> None:
    """RFC 9728 §5.1, RFC 6750 §3: what a client needs to request the right token."""
    of_api = app.test_client().get("/api/whoami").headers["WWW-Authenticate"]
    of_endpoint = app.test_client().get("/for-agents").headers["WWW-Authenticate"]

    metadata = "http://localhost/.well-known/oauth-protected-resource"
    assert of_api == f'Bearer realm="api", scope="profile:read", resource_metadata="{metadata}"'
    assert of_endpoint == f'Bearer realm="mcp", scope="tasks:read tasks:write", resource_metadata="{metadata}/mcp"'


def test_a_code_is_for_the_resource_of_its_request(app: Flask, program: Program, bob: Person) -> None:
    for asked, at_token in ((MCP, ISSUER), (None, MCP), (ISSUER, MCP), (MCP, "https://evil.test/mcp"), (MCP, "mcp")):
        code = bob.allows(program.question(resource=asked))

        with assert_nothing_stored(app):
            assert_oauth_error(program.redeems(code, resource=at_token), 400, "invalid_target")
        # The code was not used up.
        assert answer_of(program.redeems(code, resource=asked))["access_token"]


def test_a_refresh_keeps_the_resource(app: Flask, program: Program, bob: Person) -> None:
    pair = tokens(program, bob, asked=MCP)

    for named in (None, MCP, f"{MCP}/"):
        pair = answer_of(program.refreshes(pair["refresh_token"], resource=named))
        assert audience(pair["access_token"]) == MCP
    assert [row["resource"] for row in rows_of(app, "token_families")] == ["mcp"]


@pytest.mark.parametrize(("asked", "other"), [(MCP, ISSUER), (None, MCP), (MCP, "https://evil.test/")])
def test_a_refresh_cannot_change_the_resource(program: Program, bob: Person, asked: str | None, other: str) -> None:
    pair = tokens(program, bob, asked=asked)

    assert_oauth_error(program.refreshes(pair["refresh_token"], resource=other), 400, "invalid_target")

    # The refresh token was not used up.
    assert answer_of(program.refreshes(pair["refresh_token"]))["refresh_token"]


def test_two_resources_in_one_request_are_refused(app: Flask, program: Program, bob: Person) -> None:
    """RFC 8707 §2 allows them, but a token for two resources would be valid at both."""
    code = bob.allows(program.question(resource=MCP))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": program.redirect_uri}
    form |= {"code_verifier": program.verifier, "client_id": program.client_id}
    form["client_secret"] = program.client_secret or ""

    with assert_nothing_stored(app):
        response = app.test_client().post("/oauth/token", data={**form, "resource": [MCP, ISSUER]})
        assert "one resource" in assert_oauth_error(response, 400, "invalid_target")
        assert bob.opens(f"{program.question(resource=MCP)}&resource={ISSUER}").status_code == 400


@pytest.mark.parametrize(
    "resource",
    [
        "https://evil.test/mcp",
        "http://localhost:81/mcp",
        "http://localhost/mcp#x",
        "http://localhost/mcp?x",
        "mcp",
        "http://localhost/no-such-thing",
        "http://localhost/api/tasks",
        "http://localhost/other-app/mcp",
        "http://localhost/mcp/other",
    ],
)
def test_an_unknown_resource_is_reported_to_the_client(
    app: Flask, program: Program, bob: Person, resource: str
) -> None:
    """Another app may share the origin: a token for it must not open this one."""
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme")
    with assert_nothing_stored(app):
        assert_error_redirect(bob.opens(program.question(resource=resource)), "invalid_target")
        refused = robot.posts("/oauth/token", {"grant_type": "client_credentials", "resource": resource})
        assert_oauth_error(refused, 400, "invalid_target")


def test_an_app_with_a_path_names_its_resources_with_it(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True, ACTIVEPIECES_PUBLIC_URL="https://example.com/crm")
    program, bob = Program.registered(app), Person(app, "bob")

    for resource in ("https://example.com/crm", "https://example.com/crm/", "https://example.com/crm/mcp"):
        assert audience(tokens(program, bob, asked=resource)["access_token"]) == resource.rstrip("/")
    for resource in ("https://example.com", "https://example.com/mcp", "https://example.com/shop/mcp"):
        response = bob.opens(program.question(resource=resource))
        assert_error_redirect(response, "invalid_target", issuer="https://example.com/crm")


def test_a_client_credentials_token_is_for_the_requested_resource(app: Flask) -> None:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme")

    def token(resource: str | None) -> Any:
        form: Parameters = {"grant_type": "client_credentials", "resource": resource}
        return robot.posts("/oauth/token", form)

    assert [audience(answer_of(token(each))["access_token"]) for each in (None, ISSUER, MCP)] == [ISSUER, ISSUER, MCP]
    assert_oauth_error(token("https://evil.test/"), 400, "invalid_target")


def test_a_token_for_the_endpoint_can_be_revoked(program: Program, bob: Person) -> None:
    token = tokens(program, bob, asked=MCP)["access_token"]

    answer_of(program.revokes(token))

    assert program.calls(token, "/for-agents").status_code == 401
    assert answer_of(program.introspects(token)) == {"active": False}


def test_without_the_endpoint_its_address_is_no_resource(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=False)
    program, bob = Program.registered(app), Person(app, "bob")

    assert_error_redirect(bob.opens(program.question(resource=MCP)), "invalid_target")
    assert app.test_client().get("/.well-known/oauth-protected-resource/mcp").status_code == 404


def test_the_tokens_follow_the_path_of_the_endpoint(make_app: MakeApp) -> None:
    """A refresh after an operator moved the endpoint returns tokens that the new one accepts."""
    app = make_app(ACTIVEPIECES_MCP=True)
    program, bob = Program.registered(app), Person(app, "bob")
    pair = tokens(program, bob, asked=MCP)

    program.app = make_app(ACTIVEPIECES_MCP=True, ACTIVEPIECES_MCP_PATH="/agents", tables=False)
    pair = answer_of(program.refreshes(pair["refresh_token"]))

    assert audience(pair["access_token"]) == "http://localhost/agents"


def test_the_metadata_of_the_endpoint_describes_it(app: Flask) -> None:
    document = answer_of(app.test_client().get("/.well-known/oauth-protected-resource/mcp"))

    assert document == {
        "resource": MCP,
        "resource_name": "localhost (MCP)",
        "authorization_servers": [ISSUER],
        "scopes_supported": [],
        "bearer_methods_supported": ["header"],
    }
