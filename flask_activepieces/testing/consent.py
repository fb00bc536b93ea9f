"""The consent of a user of an app under test, on the app's own consent page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ..state import get_state
from .access_tokens import CALLBACK, client_with, redeem_code, register_client

_REQUEST_ID = re.compile(r'name="request_id" value="([^"]+)"')


def give_consent(
    app: Flask,
    browser: FlaskClient,
    *,
    scope: str | None = None,
    workspace: str | None = None,
    base_url: str | None = None,
) -> FlaskClient:
    """A test client with the token of a new OAuth client, which the user of the browser approves.

    The client requests these scopes, by default all of the app, and the user approves all of them. ``workspace`` is
    the name of the one that the user chooses, by default the one that is chosen already.
    """
    prefix = get_state(app).settings.oauth_prefix
    client, secret = register_client(app, scope)
    question = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "scope": client.scope,
    }
    page = browser.get(f"{prefix}/authorize", query_string=question, base_url=base_url)
    path = f"{prefix}/authorize/request/{_request_id(page)}"
    asked = _json(browser.get(path, base_url=base_url))
    decision = {
        "request_id": asked["request_id"],
        "consent_token": asked["consent_token"],
        "decision": "approve",
        "workspace": _workspace(asked, workspace),
        "scope": [each["name"] for each in asked["scopes"]],
    }
    answer = _json(browser.post(f"{prefix}/authorize", json=decision, base_url=base_url))
    code = _parameters(answer["redirect_url"])["code"][0]
    return client_with(app, redeem_code(app, client, secret, code, base_url=base_url))


def _request_id(page: TestResponse) -> str:
    """From the form of our page, or from the URL of the app's own page (``ACTIVEPIECES_CONSENT_URL``)."""
    location = page.headers.get("Location", "")
    found = [*_REQUEST_ID.findall(page.text), *_parameters(location).get("request_id", [])]
    if not found:
        more = f" and leads to {location}. Is the user signed in?" if location else f".\n{page.text}"
        raise AssertionError(f"There is no consent page: the response has status {page.status_code}{more}")
    return str(found[0])


def _workspace(asked: dict[str, Any], name: str | None) -> str:
    if name is None:
        return str(asked["selected_workspace"])
    keys = {each["name"]: str(each["key"]) for each in asked["workspaces"]}
    assert name in keys, f"The consent page offers no workspace {name!r}, but these: {', '.join(keys)}."
    return keys[name]


def _json(answer: TestResponse) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def _parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)
