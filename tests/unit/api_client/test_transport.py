"""When a call is tried again, signed in for, or refused before it is sent."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.capabilities import Edition
from flask_activepieces.api_client.credentials import (
    ApiKey,
    Credential,
    EmailPassword,
    SignedEmbedding,
    UserToken,
)
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
    """The answer to a sign-in."""
    return json_answer(200, {"token": text, "projectId": "p"})


def transport(
    *script: Step,
    credential: Credential | None = None,
    edition: Edition | None = None,
    timeout: Timeout | None = None,
) -> tuple[Transport, ScriptedPool]:
    http = ScriptedPool(*script)
    made = Transport(
        root="https://ap.example.com/api/v1",
        credential=credential or ApiKey("sk-1"),
        pool=http,
        edition=edition,
        timeout=timeout or Timeout(),
    )
    return made, http


def bearers(http: ScriptedPool) -> list[str | None]:
    """Who each request said it was from."""
    return [request.headers.get("Authorization") for request in http.sent]


# --- Calls that may be repeated -------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        UNSENT,
        LOST,
        json_answer(429, {}),
        json_answer(502, {}),
        BUSY,
        json_answer(504, {}),
    ],
)
def test_a_get_is_tried_three_times(trouble: Step) -> None:
    made, http = transport(trouble, trouble, OK)

    assert made.send(ApiCall("things.list", "GET", "/things")) == {"ok": True}
    assert len(http.sent) == 3


def test_in_the_end_the_trouble_is_told() -> None:
    made, http = transport(BUSY, BUSY, BUSY, OK)

    with pytest.raises(ServerError):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert len(http.sent) == 3


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (LOST, ConnectionFailed),
        (json_answer(429, {}), RateLimited),
        (BUSY, ServerError),
        (json_answer(504, {}), ServerError),
    ],
)
def test_a_post_is_not_sent_again_once_it_may_have_been_seen(
    trouble: Step, error: type[ApiError]
) -> None:
    made, http = transport(trouble, OK)

    with pytest.raises(error):
        made.send(ApiCall("things.create", "POST", "/things", body={}))
    assert len(http.sent) == 1


def test_a_post_that_never_left_is_sent_again() -> None:
    made, http = transport(UNSENT, OK)

    assert made.send(ApiCall("things.create", "POST", "/things", body={})) == {"ok": True}
    assert len(http.sent) == 2


def test_a_post_that_says_it_may_be_repeated_is() -> None:
    made, http = transport(LOST, BUSY, OK)

    made.send(ApiCall("things.rename", "POST", "/things/1", body={}, idempotent=True))

    assert len(http.sent) == 3


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
def test_what_will_not_pass_by_itself_is_told_at_once(final: Step) -> None:
    made, http = transport(final, OK)

    with pytest.raises(ApiError):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert len(http.sent) == 1


def test_waits_grow_and_are_a_random_part_of_their_bound() -> None:
    """The script's randomness is 1: what is waited is the bound itself."""
    made, http = transport(BUSY, BUSY, OK)

    made.send(ApiCall("things.list", "GET", "/things"))

    assert http.waits == [0.5, 1.0]


def test_a_short_wish_to_wait_is_granted() -> None:
    made, http = transport(json_answer(429, {}, retry_after="3"), OK)

    made.send(ApiCall("things.list", "GET", "/things"))

    assert http.waits == [3.0]


def test_a_long_wish_to_wait_is_passed_on() -> None:
    made, http = transport(json_answer(429, {}, retry_after="56"), OK)

    with pytest.raises(RateLimited) as failed:
        made.send(ApiCall("things.list", "GET", "/things"))
    assert failed.value.retry_after == 56
    assert http.waits == []


def test_nobody_waits_beyond_the_deadline_of_the_call() -> None:
    made, http = transport(BUSY, OK)

    with pytest.raises(ServerError):
        made.send(ApiCall("things.list", "GET", "/things", timeout=Timeout(total=0.2)))
    assert http.waits == []


# --- Credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "sent"), [(ApiKey("sk-1"), "Bearer sk-1"), (UserToken("ey.1"), "Bearer ey.1")]
)
def test_a_credential_of_the_callers_own_is_sent_and_not_renewed(
    credential: Credential, sent: str
) -> None:
    made, http = transport(OK, WRONG_TOKEN, credential=credential)

    made.send(ApiCall("things.list", "GET", "/things"))
    with pytest.raises(AuthenticationFailed):
        made.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(http) == [sent, sent]


def test_an_anonymous_call_carries_nothing_and_signs_nobody_in() -> None:
    made, http = transport(OK, credential=ADA)

    made.send(ApiCall("flows.run", "POST", "/webhooks/x", body={}, authenticate=False))

    assert bearers(http) == [None]


def test_a_user_is_signed_in_at_the_first_call_only() -> None:
    made, http = transport(token("ey.1"), OK, OK, credential=ADA)

    made.send(ApiCall("things.list", "GET", "/things"))
    made.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(http) == [None, "Bearer ey.1", "Bearer ey.1"]
    assert http.sent[0].url.endswith("/api/v1/authentication/sign-in")
    assert json.loads(http.sent[0].body or b"") == {
        "email": "ada@example.com",
        "password": "a-password",
    }


def test_clients_of_one_http_share_a_sign_in() -> None:
    made, http = transport(token("ey.1"), OK, OK, credential=ADA)
    other = Transport(root=made.root, credential=ADA, pool=http)

    made.send(ApiCall("things.list", "GET", "/things"))
    other.send(ApiCall("things.list", "GET", "/things"))

    assert bearers(http) == [None, "Bearer ey.1", "Bearer ey.1"]


@pytest.mark.parametrize("ended", [WRONG_TOKEN, json_answer(403, {"code": "SESSION_EXPIRED"})])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_session_that_ended_is_renewed_once(ended: Step, method: str) -> None:
    made, http = transport(token("ey.1"), ended, token("ey.2"), OK, credential=ADA)

    assert made.send(ApiCall("things.list", method, "/things")) == {"ok": True}
    assert bearers(http) == [None, "Bearer ey.1", None, "Bearer ey.2"]


def test_a_new_session_that_is_refused_too_is_told() -> None:
    made, http = transport(token("ey.1"), WRONG_TOKEN, token("ey.2"), WRONG_TOKEN, credential=ADA)

    with pytest.raises(AuthenticationFailed):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert len(http.sent) == 4


def test_what_is_not_allowed_does_not_sign_in_again() -> None:
    forbidden = json_answer(403, {"code": "PERMISSION_DENIED", "params": {}})
    made, http = transport(token("ey.1"), forbidden, credential=ADA)

    with pytest.raises(PermissionDenied):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert len(http.sent) == 2


def test_a_wrong_password_is_told_as_a_bad_credential_of_the_sign_in() -> None:
    refused = json_answer(401, {"code": "INVALID_CREDENTIALS", "params": None})
    made, http = transport(refused, credential=ADA)

    with pytest.raises(AuthenticationFailed) as failed:
        made.send(ApiCall("things.list", "GET", "/things"))
    assert (failed.value.operation, failed.value.code) == ("sign_in", "INVALID_CREDENTIALS")
    with pytest.raises(AuthenticationFailed):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert len(http.sent) == 1


def test_too_many_sign_ins_are_told_with_the_time_to_wait() -> None:
    limit = json_answer(429, {"message": "Rate limit exceeded, retry in 56 seconds"})
    made, _ = transport(limit, credential=ADA)

    with pytest.raises(RateLimited) as failed:
        made.send(ApiCall("things.list", "GET", "/things"))
    assert failed.value.retry_after == 56


@pytest.mark.parametrize("answer", [{}, {"token": None}, {"token": "a b"}, [], None])
def test_a_sign_in_without_a_token_is_not_activepieces(answer: object) -> None:
    made, _ = transport(json_answer(200, answer), credential=ADA)

    with pytest.raises(UnexpectedResponse):
        made.send(ApiCall("things.list", "GET", "/things"))


def test_a_user_of_the_host_is_signed_in_by_the_signing_key() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    user = EmbeddedUser(
        external_user_id="u", external_project_id="p", first_name="Ada", last_name="L"
    )
    credential = SignedEmbedding(pem.decode(), "key-1", user)
    made, http = transport(token("ey.1"), OK, credential=credential)

    made.send(ApiCall("things.list", "GET", "/things"))

    assert http.sent[0].url.endswith("/managed-authn/external-token")
    assert set(json.loads(http.sent[0].body or b"")) == {"externalAccessToken"}
    assert bearers(http)[1] == "Bearer ey.1"


# --- Refused before anything is sent --------------------------------------------------------------


def test_what_the_credential_may_not_call_is_not_sent() -> None:
    made, http = transport()

    with pytest.raises(CredentialNotSupported):
        made.send(ApiCall("connections.replace", "POST", "/app-connections/replace", body={}))
    assert http.sent == []


def test_what_the_edition_lacks_is_not_sent_nor_signed_in_for() -> None:
    made, http = transport(credential=ADA, edition="ce")

    with pytest.raises(EditionNotSupported):
        made.send(ApiCall("global_connections.list", "GET", "/global-connections"))
    assert http.sent == []


def test_the_community_edition_takes_no_signed_users() -> None:
    user = EmbeddedUser(
        external_user_id="u", external_project_id="p", first_name="Ada", last_name="L"
    )
    made, http = transport(credential=SignedEmbedding("pem", "key-1", user), edition="ce")

    with pytest.raises(EditionNotSupported):
        made.send(ApiCall("things.list", "GET", "/things"))
    assert http.sent == []


# --- Secrets --------------------------------------------------------------------------------------


def test_an_answer_that_repeats_a_secret_does_not_get_it_into_the_error() -> None:
    echo = json_answer(400, {"code": "X", "params": {"error": "sk-canary and hunter2 are wrong"}})
    made, _ = transport(echo, credential=ApiKey("sk-canary"))

    with pytest.raises(InvalidRequest) as failed:
        made.send(
            ApiCall("connections.upsert", "POST", "/x", body={"value": {"secret_text": "hunter2"}})
        )
    assert failed.value.detail == "… and … are wrong"


def test_a_transport_shows_no_secret() -> None:
    made, _ = transport(credential=ApiKey("sk-canary"))

    assert "canary" not in repr(made)
