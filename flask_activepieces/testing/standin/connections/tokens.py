"""Token requests: exchanging codes (Activepieces says "claim") and refreshing, and what is stored of the response."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from ..routing.responses import ErrorResponse, Json, Row, activepieces_error, framework_error, missing_entity
from ..state import ServerState
from ..versions import SSRF_FILTER
from .oauth_client import AddressBlocked, NoResponse, TokenEndpointClient, TokenEndpointResponse

CODE, CREDENTIALS = "authorization_code", "client_credentials"
OAUTH_TYPES = ("OAUTH2", "PLATFORM_OAUTH2")
#: Tokens are refreshed this many seconds before they expire.
_REFRESHED_BEFORE = 15 * 60
_ASSUMED_LIFE = 3600
_REFRESH_TIMEOUT = 20.0
_FIELD = re.compile(r"\{(\w+)\}")


def fill_placeholders(template: str, props: Mapping[str, Any] | None) -> str:
    """``{base_url}/token`` with the props filled in; placeholders without a prop stay."""
    values = props or {}
    return _FIELD.sub(lambda match: str(values.get(match[1], match[0])), template)


def claim_tokens(
    state: ServerState, value: Row, *, auth: Mapping[str, Any], platform_id: str, piece_name: str
) -> Row:
    """Exchange the code in the value of an upsert; returns the value to store.

    The authorization method of the piece is ignored.
    """
    if value["type"] == "CLOUD_OAUTH2":
        # Activepieces' own apps are on a server of theirs, which the stand-in never calls.
        raise activepieces_error(400, "INVALID_CLOUD_CLAIM", {"pieceName": piece_name})
    request = {"grant_type": CODE, "authorization_method": "BODY", **value}
    request["client_secret"] = client_secret(state, value, platform_id, piece_name)
    request["token_url"] = fill_placeholders(auth["tokenUrl"], value.get("props"))
    response = _exchange(state, request)
    props = {"props": value["props"]} if value.get("props") is not None else {}
    kept = {
        **_spread_fields(response.data),
        "data": response.data,
        "claimed_at": int(state.clock()),
        "token_url": request["token_url"],
        "client_id": value["client_id"],
        "redirect_url": value["redirect_url"],
        "authorization_method": request["authorization_method"],
        "type": value["type"],
    }
    kept.pop("props", None)
    if value["type"] == "PLATFORM_OAUTH2":
        return kept | props
    # The request's fields come last: a token endpoint cannot change what was requested.
    return kept | {"grant_type": request["grant_type"]} | props | value


def client_secret(state: ServerState, value: Row, platform_id: str, piece_name: str) -> str:
    """The client secret of the connection or of the platform's app."""
    if value["type"] == "OAUTH2":
        return str(value["client_secret"])
    criteria = {"platformId": platform_id, "pieceName": piece_name, "clientId": value["client_id"]}
    app = state.store.first("oauth_app", **criteria)
    if app is None:
        raise missing_entity("oauth_app", criteria)
    return str(state.store.decrypt(app["clientSecret"]))


def needs_refresh(value: Row, now: float) -> bool:
    """Whether a token is refreshed when the engine reads it.

    Never without a refresh token. Never if ``expires_in`` is a string either, because JavaScript concatenates it with
    the time of the claim.
    """
    if value.get("grant_type", CODE) != CREDENTIALS and not value.get("refresh_token"):
        return False
    life = value.get("expires_in")
    if life is None:
        life = _ASSUMED_LIFE
    return not isinstance(life, str) and now + _REFRESHED_BEFORE >= value["claimed_at"] + life


class InvalidGrant(Exception):
    """The token endpoint returned ``invalid_grant``: the connection is broken until a user reconnects it."""


class RefreshFailed(Exception):
    """The token could not be refreshed now. The old one is used, and the next read tries again."""


def refresh(state: ServerState, value: Row, *, secret: str) -> Row:
    """Refresh a token; returns the value to store."""
    request = {"grant_type": CODE, **value, "client_secret": secret}
    fields = (
        _credentials_fields(request)
        if request["grant_type"] == CREDENTIALS
        else {"grant_type": "refresh_token", "refresh_token": value["refresh_token"]}
    )
    try:
        response = _post(state, request, fields, timeout=_REFRESH_TIMEOUT)
    except NoResponse:
        raise RefreshFailed from None
    if response.status >= 300:
        error = response.data.get("error") if isinstance(response.data, dict) else None
        if response.status in (400, 401) and error == "invalid_grant":
            raise InvalidGrant
        raise RefreshFailed
    renewed = {name: part for name, part in _spread_fields(response.data).items() if part is not None}
    return {**value, **renewed, "data": response.data, "claimed_at": int(state.clock())}


def _exchange(state: ServerState, request: Row) -> TokenEndpointResponse:
    """The response of a successful exchange; any 2xx counts as one."""
    fields = _credentials_fields(request) if request["grant_type"] == CREDENTIALS else _code_fields(request)
    try:
        response = _post(state, request, fields)
    except AddressBlocked:
        raise _invalid_claim(request, {"message": "unknown error"}) from None
    except NoResponse:
        raise _invalid_claim(request, {}) from None
    if response.status < 300:
        return response
    if response.data is None:
        raise framework_error(500, "Cannot read properties of null (reading 'error_description')")
    message = response.data.get("error_description") if isinstance(response.data, dict) else None
    raise _invalid_claim(request, {"message": message} if message is not None else {})


def _invalid_claim(request: Row, message: Row) -> ErrorResponse:
    return activepieces_error(
        400,
        "INVALID_CLAIM",
        {
            "clientId": request["client_id"],
            "tokenUrl": request["token_url"],
            "redirectUrl": request["redirect_url"],
            **message,
        },
    )


def _code_fields(request: Row) -> dict[str, str]:
    fields = {"grant_type": CODE, "redirect_uri": request["redirect_url"], "code": request["code"]}
    if request.get("code_challenge"):
        fields["code_verifier"] = request["code_challenge"]  # despite its name, it is the verifier
    return fields


def _credentials_fields(request: Row) -> dict[str, str]:
    """All props of the connection become form fields, even its base URL."""
    props = request.get("props") or {}
    scope = {"scope": fill_placeholders(request["scope"], props)} if request.get("scope") else {}
    return {"grant_type": CREDENTIALS, **scope, **{name: str(prop) for name, prop in props.items()}}


def _post(state: ServerState, request: Row, fields: dict[str, str], **options: float) -> TokenEndpointResponse:
    authorization = None
    if request["authorization_method"] == "HEADER":
        # RFC 6749 §2.3.1 requires form encoding of both parts; Activepieces does not encode them.
        pair = f"{request['client_id']}:{request['client_secret']}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields |= {"client_id": request["client_id"], "client_secret": request["client_secret"]}
    client = TokenEndpointClient(
        sleep=state.sleep,
        record=state.token_requests.append,
        ssrf_allow_list=state.ssrf_allow_list if state.has(SSRF_FILTER) else None,
    )
    return client.post(request["token_url"], fields, authorization=authorization, **options)


def _spread_fields(data: Json) -> Row:
    """``{...data}`` as in JavaScript: a string is split into its characters."""
    if isinstance(data, dict):
        return dict(data)
    if isinstance(data, (str, list)):
        return {str(place): part for place, part in enumerate(data)}
    return {}
