"""Retries, sign-ins, and calls that are refused before they are sent."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.capabilities import Edition
from flask_activepieces.api_client.credentials import ApiKey, Credential, EmailPassword, SignedEmbedding, UserToken
from flask_activepieces.api_client.embedding_token import EmbeddedUser
from flask_activepieces.api_client.errors import (
    ApiError,
    AuthenticationFailed,
    CallTimedOut,
    ConnectionFailed,
    CredentialNotSupported,
    EditionNotSupported,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    ServerError,
    UnexpectedResponse,
)
from flask_activepieces.api_client.transport import Transport
from flask_activepieces.api_client.wire import ApiCall
from tests.support.scripted_pool import ScriptedPool, Step, json_answer

ADA = EmailPassword("ada@example.com", "a-password")
OK = json_answer(200, {"ok": True})
BUSY = json_answer(503, {})
WRONG_TOKEN = json_answer(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
UNSENT = ConnectionFailed("x", detail="refused")
LOST = ConnectionFailed("x", detail="reset", outcome_unknown=True)


def token(text: str) -> Step:
    """The response to a sign-in."""
    return json_answer(200, {"token": text, "projectId": "p"})


def make_transport(
    *script: Step,
    credential: Credential | None = None,
    edition: Edition | None = None,
    timeout: Timeout | None = None,
) -> tuple[Transport, ScriptedPool]:
    pool = ScriptedPool(*script)
    transport = Transport(
        root="https://ap.example.com/api/v1",
        credential=credential or ApiKey("sk-1"),
        pool=pool,
        edition=edition,
        timeout=timeout or Timeout(),
    )
    return transport, pool


def bearers(pool: ScriptedPool) -> list[str | None]:
    """The bearer token of each request."""
    return [request.headers.get("Authorization") for request in pool.sent]


# --- Retries -------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [UNSENT, LOST, json_answer(429, {}), json_answer(502, {}), BUSY, json_answer(504, {})]
)
def test_a_get_is_attempted_three_times(failure: Step) -> None:
    transport, pool = make_transport(failure, failure, OK)

    assert transport.send(ApiCall("things.list", "GET", "/things")) == {"ok": True}
    assert len(pool.sent) == 3


def test_the_last_attempt_raises_its_error() -> None:
    transport, pool = make_transport(BUSY, BUSY, BUSY, OK)

    with pytest.raises(ServerError):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert len(pool.sent) == 3


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (LOST, ConnectionFailed),
        (json_answer(429, {}), RateLimited),
        (BUSY, ServerError),
        (json_answer(504, {}), ServerError),
    ],
)
def test_a_post_that_may_have_arrived_is_not_repeated(failure: Step, error: type[ApiError]) -> None:
    transport, pool = make_transport(failure, OK)

    with pytest.raises(error):
        transport.send(ApiCall("things.create", "POST", "/things", body={}))
    assert len(pool.sent) == 1


def test_a_post_that_was_not_sent_is_repeated() -> None:
    transport, pool = make_transport(UNSENT, OK)

    assert transport.send(ApiCall("things.create", "POST", "/things", body={})) == {"ok": True}
    assert len(pool.sent) == 2


def test_an_idempotent_post_is_repeated() -> None:
    transport, pool = make_transport(LOST, BUSY, OK)

    transport.send(ApiCall("things.rename", "POST", "/things/1", body={}, idempotent=True))

    assert len(pool.sent) == 3


@pytest.mark.parametrize(
    "final",
    [
        json_answer(400, {}),
        json_answer(404, {}),
        json_answer(500, {}),
        json_answer(501, {}),
        CallTimedOut("x", seconds=30),
        UnexpectedResponse("x", detail="HTML"),
    ],
)
def test_permanent_errors_are_raised_at_once(final: Step) -> None:
    transport, pool = make_transport(final, OK)

    with pytest.raises(ApiError):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert len(pool.sent) == 1


def test_waits_grow() -> None:
    """The random factor of the scripted pool is 1, so each wait has the maximum length."""
    transport, pool = make_transport(BUSY, BUSY, OK)

    transport.send(ApiCall("things.list", "GET", "/things"))

    assert pool.waits == [0.5, 1.0]


def test_a_short_retry_after_is_honoured() -> None:
    transport, pool = make_transport(json_answer(429, {}, retry_after="3"), OK)

    transport.send(ApiCall("things.list", "GET", "/things"))

    assert pool.waits == [3.0]


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    transport, pool = make_transport(json_answer(429, {}, retry_after="56"), OK)

    with pytest.raises(RateLimited) as failed:
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert failed.value.retry_after == 56
    assert pool.waits == []


def test_no_wait_exceeds_the_deadline() -> None:
    transport, pool = make_transport(BUSY, OK)

    with pytest.raises(ServerError):
        transport.send(ApiCall("things.list", "GET", "/things", timeout=Timeout(total=0.2)))
    assert pool.waits == []


# --- Credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "sent"), [(ApiKey("sk-1"), "Bearer sk-1"), (UserToken("ey.1"), "Bearer ey.1")]
)
def test_an_api_key_or_token_is_sent_and_not_renewed(credential: Credential, sent: str) -> None:
    transport, pool = make_transport(OK, WRONG_TOKEN, credential=credential)

    transport.send(ApiCall("things.list", "GET", "/things"))
    with pytest.raises(AuthenticationFailed):
        transport.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(pool) == [sent, sent]


def test_an_unauthenticated_call_does_not_sign_in() -> None:
    transport, pool = make_transport(OK, credential=ADA)

    transport.send(ApiCall("flows.run", "POST", "/webhooks/x", body={}, authenticate=False))

    assert bearers(pool) == [None]


def test_a_user_is_signed_in_at_the_first_call_only() -> None:
    transport, pool = make_transport(token("ey.1"), OK, OK, credential=ADA)

    transport.send(ApiCall("things.list", "GET", "/things"))
    transport.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(pool) == [None, "Bearer ey.1", "Bearer ey.1"]
    assert pool.sent[0].url.endswith("/api/v1/authentication/sign-in")
    assert json.loads(pool.sent[0].body or b"") == {"email": "ada@example.com", "password": "a-password"}


def test_clients_sharing_a_pool_share_a_sign_in() -> None:
    transport, pool = make_transport(token("ey.1"), OK, OK, credential=ADA)
    other = Transport(root=transport.root, credential=ADA, pool=pool)

    transport.send(ApiCall("things.list", "GET", "/things"))
    other.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(pool) == [None, "Bearer ey.1", "Bearer ey.1"]


@pytest.mark.parametrize("ended", [WRONG_TOKEN, json_answer(403, {"code": "SESSION_EXPIRED"})])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_expired_session_is_renewed_once(ended: Step, method: str) -> None:
    transport, pool = make_transport(token("ey.1"), ended, token("ey.2"), OK, credential=ADA)

    assert transport.send(ApiCall("things.list", method, "/things")) == {"ok": True}
    assert bearers(pool) == [None, "Bearer ey.1", None, "Bearer ey.2"]


def test_a_rejected_new_session_is_an_error() -> None:
    transport, pool = make_transport(token("ey.1"), WRONG_TOKEN, token("ey.2"), WRONG_TOKEN, credential=ADA)

    with pytest.raises(AuthenticationFailed):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert len(pool.sent) == 4


def test_a_denied_permission_does_not_sign_in_again() -> None:
    forbidden = json_answer(403, {"code": "PERMISSION_DENIED", "params": {}})
    transport, pool = make_transport(token("ey.1"), forbidden, credential=ADA)

    with pytest.raises(PermissionDenied):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert len(pool.sent) == 2


def test_a_wrong_password_is_an_authentication_failure_of_the_sign_in() -> None:
    refused = json_answer(401, {"code": "INVALID_CREDENTIALS", "params": None})
    transport, pool = make_transport(refused, credential=ADA)

    with pytest.raises(AuthenticationFailed) as failed:
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert (failed.value.operation, failed.value.code) == ("sign_in", "INVALID_CREDENTIALS")
    with pytest.raises(AuthenticationFailed):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert len(pool.sent) == 1


def test_a_rate_limited_sign_in_has_a_retry_after() -> None:
    limit = json_answer(429, {"message": "Rate limit exceeded, retry in 56 seconds"})
    transport, _ = make_transport(limit, credential=ADA)

    with pytest.raises(RateLimited) as failed:
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert failed.value.retry_after == 56


@pytest.mark.parametrize("answer", [{}, {"token": None}, {"token": "a b"}, [], None])
def test_a_sign_in_without_a_token_is_an_unexpected_response(answer: object) -> None:
    transport, _ = make_transport(json_answer(200, answer), credential=ADA)

    with pytest.raises(UnexpectedResponse):
        transport.send(ApiCall("things.list", "GET", "/things"))


def test_a_user_of_the_host_signs_in_with_a_signed_token() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    user = EmbeddedUser(external_user_id="u", external_project_id="p", first_name="Ada", last_name="L")
    credential = SignedEmbedding(pem.decode(), "key-1", user)
    transport, pool = make_transport(token("ey.1"), OK, credential=credential)

    transport.send(ApiCall("things.list", "GET", "/things"))

    assert pool.sent[0].url.endswith("/managed-authn/external-token")
    assert set(json.loads(pool.sent[0].body or b"")) == {"externalAccessToken"}
    assert bearers(pool)[1] == "Bearer ey.1"


def test_a_signed_sign_in_assigns_the_piece_set_of_its_user() -> None:
    """From 0.86.3 on, a sign-in without one resets the project to the default set."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    user = EmbeddedUser(
        external_user_id="u", external_project_id="p", first_name="Ada", last_name="L", piece_set="crm-only"
    )
    credential = SignedEmbedding(pem.decode(), "key-1", user)
    transport, pool = make_transport(token("ey.1"), OK, credential=credential)

    transport.send(ApiCall("things.list", "GET", "/things"))

    signed = json.loads(pool.sent[0].body or b"")["externalAccessToken"]
    claims = jwt.decode(signed, RSAKey.import_key(key.public_key()), algorithms=["RS256"]).claims
    assert claims["pieceSet"] == "crm-only"


# --- Calls refused before anything is sent --------------------------------------------------------------


def test_a_call_that_the_credential_does_not_support_is_not_sent() -> None:
    transport, pool = make_transport()

    with pytest.raises(CredentialNotSupported):
        transport.send(ApiCall("connections.replace", "POST", "/app-connections/replace", body={}))
    assert pool.sent == []


def test_a_call_that_the_edition_lacks_does_not_sign_in() -> None:
    transport, pool = make_transport(credential=ADA, edition="ce")

    with pytest.raises(EditionNotSupported):
        transport.send(ApiCall("global_connections.list", "GET", "/global-connections"))
    assert pool.sent == []


def test_the_community_edition_does_not_support_signed_users() -> None:
    user = EmbeddedUser(external_user_id="u", external_project_id="p", first_name="Ada", last_name="L")
    transport, pool = make_transport(credential=SignedEmbedding("pem", "key-1", user), edition="ce")

    with pytest.raises(EditionNotSupported):
        transport.send(ApiCall("things.list", "GET", "/things"))
    assert pool.sent == []


# --- Secrets --------------------------------------------------------------------------------------


def test_a_secret_repeated_by_the_server_is_redacted() -> None:
    echo = json_answer(400, {"code": "X", "params": {"error": "sk-canary and hunter2 are wrong"}})
    transport, _ = make_transport(echo, credential=ApiKey("sk-canary"))

    with pytest.raises(InvalidRequest) as failed:
        transport.send(ApiCall("connections.upsert", "POST", "/x", body={"value": {"secret_text": "hunter2"}}))
    assert failed.value.detail == "… and … are wrong"


def test_the_repr_of_a_transport_shows_no_secret() -> None:
    transport, _ = make_transport(credential=ApiKey("sk-canary"))

    assert "canary" not in repr(transport)
