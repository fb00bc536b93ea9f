"""Authorization URLs, and the page to which browsers return."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Any

from flask import Response, request

from ..routing.responses import Json
from ..routing.route_groups import PUBLIC, USER_ONLY, RouteCall, RouteGroup, in_body
from ..routing.validation import fields, list_of, optional, record, text
from ..store import new_id
from ..versions import AUTHORIZATION_URL
from .oauth_client import form_encoded
from .tokens import fill_placeholders
from .values import invalid_connection, oauth_of, piece_for

group = RouteGroup("authorization", scoped=True)
pages = RouteGroup("redirect", at_root=True)

_BACK = """<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>Redirect</title></head>
<body>
Redirect successful, this window should close now.
<meta id="ap-oauth-code" content="{code}">
<script>
(function () {{
    var code = document.getElementById('ap-oauth-code').getAttribute('content');
    if (window.opener && code) {{
        window.opener.postMessage({{ code: code }}, '*');
    }}
}})();
</script>
</body>
</html>"""


def authorization_url(
    auth: Mapping[str, Any],
    *,
    client_id: str,
    redirect_url: str,
    scopes: list[str],
    props: Mapping[str, Any] | None,
    state: str,
) -> tuple[str, str | None]:
    """The authorization URL of a piece, and the PKCE verifier if the piece uses PKCE."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "access_type": "offline",
        "state": state,
    }
    if auth.get("prompt") != "omit":
        query["prompt"] = auth.get("prompt") or "consent"
    query["scope"] = fill_placeholders(" ".join(scopes), props)
    verifier = None
    if auth.get("pkce"):
        verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query |= {"code_challenge_method": "S256", "code_challenge": challenge}
    query |= {name: str(value) for name, value in (auth.get("extra") or {}).items()}
    url = fill_placeholders(auth["authUrl"], props)
    return f"{url}{'&' if '?' in url else '?'}{form_encoded(query)}", verifier


@group.route(
    "POST",
    "/app-connections/oauth2/authorization-url",
    body=fields(
        {
            "pieceName": text(min_length=1),
            "pieceVersion": optional(text()),
            "clientId": text(min_length=1),
            "redirectUrl": text(min_length=1),
            "projectId": optional(text()),
            "props": optional(record()),
            "scopes": optional(list_of(text())),
        }
    ),
    who=USER_ONLY,
    project=in_body,
    since=AUTHORIZATION_URL,
)
def make_authorization_url(call: RouteCall) -> tuple[int, Json]:
    """The authorization URL of a piece. Its ``state`` is neither returned nor checked."""
    body = call.body
    auth = oauth_of(piece_for(call.state, body))
    declared = list(auth.get("scope") or [])
    scopes = body.get("scopes", declared)
    undeclared = [scope for scope in scopes if scope not in declared]
    if undeclared:
        raise invalid_connection(f"requested scopes are not declared by the piece: {', '.join(undeclared)}")
    url, verifier = authorization_url(
        auth,
        client_id=body["clientId"],
        redirect_url=body["redirectUrl"],
        scopes=scopes,
        props=body.get("props"),
        state=new_id(),
    )
    return 200, {"authorizationUrl": url} | ({"codeVerifier": verifier} if verifier else {})


@pages.route("GET", "/api/redirect", who=PUBLIC)
def redirect_page(call: RouteCall) -> Response:
    """Pass the code to the opener window. ``error`` and ``state`` are ignored."""
    code = request.args.get("code")
    if not code:
        return Response("The code is missing in url", content_type="text/plain")
    return Response(_BACK.format(code=escape(code)), content_type="text/html")
