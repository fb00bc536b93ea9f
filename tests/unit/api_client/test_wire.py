"""From calls to requests, and from responses to results."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flask_activepieces.api_client.wire import ApiCall, HttpRequest, build_request, path_segment, secrets_of
from flask_activepieces.errors import InvalidInput

ROOT = "https://ap.example.com/api/v1"


def call(method: str = "GET", path: str = "/things", **members: Any) -> ApiCall:
    return ApiCall(operation="things.list", method=method, path=path, **members)


def sent(asked: ApiCall, *, as_whom: str | None = "sk-1") -> HttpRequest:
    return build_request(asked, root=ROOT, token=as_whom, user_agent="flask-activepieces/1")


# --- Requests -------------------------------------------------------------------------------------


def test_the_headers_have_bearer_with_a_capital_b_and_the_user_agent() -> None:
    request = sent(call())

    assert (request.method, request.url) == ("GET", f"{ROOT}/things")
    assert request.headers == {
        "Accept": "application/json",
        "User-Agent": "flask-activepieces/1",
        "Authorization": "Bearer sk-1",
    }


def test_without_a_token_there_is_no_authorization() -> None:
    assert "Authorization" not in sent(call(), as_whom=None).headers


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_request_without_a_body_has_no_content_type(method: str) -> None:
    request = sent(call(method))

    assert request.body is None
    assert "Content-Type" not in request.headers


def test_a_body_is_sent_as_json() -> None:
    request = sent(call("POST", body={"name": "Zoë\u2028"}))

    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or b"") == {"name": "Zoë\u2028"}


def test_files_are_sent_with_a_form_and_without_our_content_type() -> None:
    files = {"archive": ("a.tgz", b"...", "application/gzip")}

    request = sent(call("POST", body={"scope": "PLATFORM"}, files=files))

    assert (request.form, request.files) == ({"scope": "PLATFORM"}, files)
    assert "Content-Type" not in request.headers


def test_a_query_omits_none_and_repeats_sequences() -> None:
    query = {"a": None, "b": "x&y=z", "status": ["A", "B"], "n": 5, "yes": True, "none": []}

    assert sent(call(query=query)).url == f"{ROOT}/things?b=x%26y%3Dz&status=A&status=B&n=5&yes=true"


def test_an_id_cannot_lead_to_another_route() -> None:
    assert path_segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
    for nowhere in ("", ".", "..", "\ud800"):
        with pytest.raises(InvalidInput, match="invalid id"):
            path_segment(nowhere)


def test_the_repr_of_calls_and_requests_shows_no_secret() -> None:
    asked = call("POST", body={"value": {"secret_text": "canary"}})

    assert "canary" not in repr(asked) + repr(sent(asked, as_whom="canary"))


# --- Secrets --------------------------------------------------------------------------------------


def test_all_secrets_in_a_body_are_collected() -> None:
    body = {
        "displayName": "Slack",
        "value": {
            "type": "OAUTH2",
            "client_id": "cid",
            "client_secret": "s1",
            "code": "s2",
            "props": {"deep": [{"er": "s3"}, 12345], "flag": True, "none": None},
        },
    }

    assert set(secrets_of(call("POST", body=body))) == {"s1", "s2", "s3", "12345"}


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ({"email": "a@b.example", "password": "s"}, ("s",)),
        ({"externalAccessToken": "s"}, ("s",)),
        ({"displayName": "x"}, ()),
        (None, ()),
        ([1], ()),
    ],
)
def test_sign_in_fields_are_secret_and_names_are_not(body: object, secret: tuple[str, ...]) -> None:
    assert secrets_of(call("POST", body=body)) == secret
