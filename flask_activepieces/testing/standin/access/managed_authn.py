"""Sign-in by a token that a host signed; unknown users are created.

Every correctly signed token is accepted, even with an empty user id or without an expiry, any number of times.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey

from ..routing.authentication import SERVICE, invalid_token, user_token
from ..routing.responses import Json, Row, database_error
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..routing.validation import fields, list_of, text
from ..state import ServerState
from ..store import new_id
from ..versions import PIECE_SETS
from .people import add_identity, add_user, role_named, set_member
from .projects import add_project
from .signing_keys import KIND as SIGNING_KEY

group = RouteGroup("managed authn")

_DEFAULT_ROLE = "Editor"
_PLAN_OF_PROJECTS = "default-embeddings-limit"


@group.route(
    "POST",
    "/managed-authn/external-token",
    body=fields({"externalAccessToken": text()}),
    who=PUBLIC,
    editions=("ee",),
)
def sign_in(call: RouteCall) -> tuple[int, Json]:
    """A session of the token's user, with access to all projects that they ever signed in to."""
    state, token = call.state, call.body["externalAccessToken"]
    key = _signing_key(state, token)
    claims = _verified(state, token, key)
    with state.lock:  # two concurrent sign-ins must create one user
        return 200, _session_json(state, key["platformId"], claims)


@group.route(
    "POST",
    "/embed-subdomain/allowed-embed-origins",
    body=fields({"allowedEmbedOrigins": list_of(text())}),
    who=frozenset({SERVICE}),
    plan="embeddingEnabled",
    editions=("ee",),
)
def allow_origins(call: RouteCall) -> tuple[int, Json]:
    """Add origins whose pages may embed the builder in a frame."""
    store = call.state.store
    platform = store.get("platform", call.caller.platform_id)
    assert platform is not None, "every key has its platform"
    existing = platform.get("allowedEmbedOrigins", [])
    allowed = list(dict.fromkeys([*existing, *call.body["allowedEmbedOrigins"]]))
    store.change("platform", platform["id"], allowedEmbedOrigins=allowed)
    return 200, {"allowedEmbedOrigins": allowed}


def _session_json(state: ServerState, platform_id: str, claims: Mapping[str, Any]) -> Row:
    role = role_named(state, str(claims.get("role") or _DEFAULT_ROLE))
    if role is None:
        raise invalid_token("ENTITY_NOT_FOUND")
    project = _project(state, platform_id, str(claims.get("externalProjectId")))
    user, identity = _user(state, platform_id, claims)
    set_member(state, user, project["id"], role)
    if claims.get("concurrencyPoolKey") is not None and project["poolId"] is None:
        state.store.change("project", project["id"], poolId=new_id())
    if state.has(PIECE_SETS) and claims.get("version") == "v4":
        chosen = {"projectId": project["id"], "pieceSet": claims.get("pieceSet")}
        state.store.add("project_piece_set", chosen)
    shown = {name: user[name] for name in ("id", "platformRole", "status", "platformId")}
    names = {name: identity[name] for name in ("firstName", "lastName", "email")}
    return {
        **shown,
        **names,
        "externalId": claims.get("externalUserId"),
        "trackEvents": True,
        "newsLetter": False,
        "verified": True,
        "token": user_token(state, user),
        "projectId": project["id"],
    }


def _project(state: ServerState, platform_id: str, external_id: str) -> Row:
    project = state.store.first("project", platformId=platform_id, externalId=external_id)
    platform = state.store.get("platform", platform_id)
    owner = state.store.get("user", platform["ownerId"]) if platform else None
    assert owner is not None, "every platform has its owner"
    return project or add_project(state, owner, external_id, external_id=external_id, plan=_PLAN_OF_PROJECTS)


def _user(state: ServerState, platform_id: str, claims: Mapping[str, Any]) -> tuple[Row, Row]:
    """The existing user with that external id, unchanged; a new one needs a name."""
    external_id = str(claims.get("externalUserId"))
    user = state.store.first("user", platformId=platform_id, externalId=external_id)
    identity = state.store.get("identity", user["identityId"]) if user else None
    if user is not None and identity is not None:
        return user, identity
    for name in ("firstName", "lastName"):
        if claims.get(name) is None:
            message = f'null value in column "{name}" of relation "user_identity"'
            raise database_error(f"{message} violates not-null constraint", code="23502")
    identity = add_identity(
        state,
        email=hashlib.sha256(f"managed_{platform_id}_{external_id}".encode()).hexdigest(),
        password=secrets.token_urlsafe(),
        first=claims["firstName"],
        last=claims["lastName"],
    )
    return add_user(state, identity, platform_id, external_id=external_id), identity


def _signing_key(state: ServerState, token: str) -> Row:
    key_id = _header(token).get("kid")
    if key_id is None:
        raise invalid_token("signing key id is not found in the header")
    key = state.store.get(SIGNING_KEY, str(key_id))
    if key is None:
        raise invalid_token(f"signing key not found signingKeyId={key_id}")
    return key


def _header(token: str) -> Mapping[str, Any]:
    """The unverified header of a token; empty if it cannot be read."""
    first = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except ValueError:
        return {}
    return header if isinstance(header, dict) else {}


def _verified(state: ServerState, token: str, key: Row) -> Mapping[str, Any]:
    """The claims of a token, if this key signed it and it is valid now."""
    if token.endswith("."):
        raise invalid_token("jwt signature is required")
    try:
        claims = jwt.decode(token, RSAKey.import_key(key["publicKey"]), ["RS256"]).claims
    except BadSignatureError:
        raise invalid_token("invalid signature") from None
    except (JoseError, ValueError):
        raise invalid_token("invalid algorithm") from None
    if claims.get("exp", state.clock() + 1) <= state.clock():
        raise invalid_token("jwt expired")
    if claims.get("nbf", 0) > state.clock():
        raise invalid_token("jwt not active")
    return claims
