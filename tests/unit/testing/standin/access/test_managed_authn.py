"""Sign-in with a token of the host: accepted if the signature is valid, whatever its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from flask_activepieces.testing.standin.access.signing_keys import add_key, new_pair
from tests.support.clock import StoppedClock
from tests.support.standin import Standin

CLAIMS: dict[str, Any] = {
    "version": "v3",
    "externalUserId": "user-1",
    "externalProjectId": "tenant-1",
    "firstName": "Eve",
    "lastName": "Embed",
    "role": "EDITOR",
}

Sign = Callable[..., str]


@pytest.fixture(scope="module")
def pair() -> tuple[RSAKey, str]:
    """A private and a public key, created once because that is slow."""
    private, public = new_pair()
    return RSAKey.import_key(private), public


@pytest.fixture
def sign(standin: Standin, pair: tuple[RSAKey, str]) -> Sign:
    """Sign a token like the host, with a key of the platform; None removes a claim."""
    server = standin.server
    key = add_key(server.state, server.platform_id, pair[1], "host")

    def signed(*, algorithm: str = "RS256", kid: str = key["id"], **changes: Any) -> str:
        claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
        secret = pair[0] if algorithm == "RS256" else OctKey.import_key("x" * 64)
        return jwt.encode({"alg": algorithm, "kid": kid}, claims, secret, [algorithm])

    return signed


def sign_in(standin: Standin, token: str) -> Any:
    return standin.ask("POST", "/managed-authn/external-token", {"externalAccessToken": token})


def test_the_first_sign_in_creates_a_user_and_a_project(standin: Standin, sign: Sign) -> None:
    session = sign_in(standin, sign()).get_json()
    user = standin.by(session["token"])

    projects = user.get("/projects")["data"]
    assert [project["externalId"] for project in projects] == ["tenant-1"]
    assert projects[0]["id"] == session["projectId"]
    members = standin.get(f"/project-members?projectId={session['projectId']}")["data"]
    assert [member["projectRole"]["name"] for member in members] == ["Editor"]


def test_the_same_user_is_found_again_in_another_role_with_the_old_name(standin: Standin, sign: Sign) -> None:
    first = sign_in(standin, sign()).get_json()
    again = sign_in(standin, sign(role="viewer", firstName="Changed")).get_json()

    assert (again["id"], again["firstName"]) == (first["id"], "Eve")
    members = standin.get(f"/project-members?projectId={again['projectId']}")["data"]
    assert [member["projectRole"]["name"] for member in members] == ["Viewer"]


def test_a_session_reaches_every_project_that_the_user_was_ever_in(standin: Standin, sign: Sign) -> None:
    sign_in(standin, sign())
    session = sign_in(standin, sign(externalProjectId="tenant-2")).get_json()

    projects = standin.by(session["token"]).get("/projects")["data"]
    assert [project["externalId"] for project in projects] == ["tenant-1", "tenant-2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"externalUserId": ""},
        {"externalProjectId": ""},
        {"externalUserId": 5, "externalProjectId": 6},
        {"role": None},
        {"exp": None},
        {"iat": 2**40},
    ],
    ids=["no user", "no project", "numbers", "no role", "no end", "from the future"],
)
def test_unusual_but_signed_tokens_are_accepted(standin: Standin, sign: Sign, changes: dict[str, Any]) -> None:
    token = sign(**changes)

    assert sign_in(standin, token).status_code == 200
    assert sign_in(standin, token).status_code == 200, "a token can be used again"


def test_times_are_verified(standin: Standin, sign: Sign, clock: StoppedClock) -> None:
    now = int(clock.now)
    for changes, message in (({"exp": now}, "jwt expired"), ({"nbf": now + 1}, "jwt not active")):
        answer = sign_in(standin, sign(**changes))
        assert (answer.status_code, answer.get_json()["params"]["message"]) == (401, message)


def test_a_foreign_signature_is_rejected(standin: Standin, sign: Sign) -> None:
    head, _, signature = sign().rpartition(".")
    for token, message in (
        (f"{head}.{signature[:-4]}AAAA", "invalid signature"),
        (f"{head}.", "jwt signature is required"),
        (sign(algorithm="HS256"), "invalid algorithm"),
        (sign(kid="k" * 21), f"signing key not found signingKeyId={'k' * 21}"),
        ("garbage", "signing key id is not found in the header"),
        ("bnVsbA.e30.x", "signing key id is not found in the header"),
    ):
        answer = sign_in(standin, token)
        assert (answer.status_code, answer.get_json()["params"]["message"]) == (401, message)


@pytest.mark.parametrize("name", ["firstName", "lastName"])
def test_a_new_user_without_a_name_causes_a_server_error(standin: Standin, sign: Sign, name: str) -> None:
    answer = sign_in(standin, sign(**{name: None}))

    assert (answer.status_code, answer.get_json()["code"]) == (500, "23502")


def test_tokens_of_a_deleted_key_are_rejected(standin: Standin, sign: Sign) -> None:
    admin = standin.by_admin()
    key = admin.get("/signing-keys")["data"][0]
    token = sign()

    admin.ask("DELETE", f"/signing-keys/{key['id']}")

    assert sign_in(standin, token).status_code == 401
    assert admin.ask("DELETE", f"/signing-keys/{key['id']}").status_code == 404


def test_an_embedded_user_cannot_sign_in_with_a_password(standin: Standin, sign: Sign) -> None:
    session = sign_in(standin, sign()).get_json()

    for password in ("", "x"):
        body = {"email": session["email"], "password": password}
        assert standin.ask("POST", "/authentication/sign-in", body).status_code == 401


def test_a_private_key_is_shown_once(standin: Standin) -> None:
    admin = standin.by_admin()

    made = admin.post("/signing-keys", {"displayName": "host"})

    assert made.pop("privateKey").startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert admin.get(f"/signing-keys/{made['id']}") == made
    assert admin.get("/signing-keys")["data"] == [made]


def test_allowed_origins_are_for_api_keys_only(standin: Standin) -> None:
    """Observed: a user token gets 403, and each call adds to the list."""
    path = "/embed-subdomain/allowed-embed-origins"
    for origins in (["https://a.example"], ["https://b.example", "https://a.example"]):
        allowed = standin.post(path, {"allowedEmbedOrigins": origins})

    assert allowed == {"allowedEmbedOrigins": ["https://a.example", "https://b.example"]}
    user = standin.by_admin()
    assert user.ask("POST", path, {"allowedEmbedOrigins": []}).status_code == 403
    shown = user.get(f"/platforms/{standin.server.platform_id}")
    assert shown["allowedEmbedOrigins"] == allowed["allowedEmbedOrigins"]
