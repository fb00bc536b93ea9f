"""Authentication: API keys (SERVICE), user tokens (USER), tokens of the first sign-up (ONBOARDING) and of the ENGINE.

A missing token is 403, not 401. The scheme is case-sensitive, so ``bearer`` counts as a missing token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ..roles import ALL_PERMISSIONS
from ..state import ServerState
from .responses import ErrorResponse, Row, activepieces_error, framework_error, not_found

SERVICE, USER, ONBOARDING, ENGINE = "SERVICE", "USER", "ONBOARDING", "ENGINE"
_SEVEN_DAYS = 7 * 86_400


@dataclass(frozen=True)
class Caller:
    """The authenticated caller. An API key acts as the owner of its platform."""

    kind: str
    user_id: str | None = None
    platform_id: str | None = None
    project_id: str | None = None


def not_allowed(message: str = "principal is not allowed for this route", **params: str) -> ErrorResponse:
    """403: the token is missing, or its kind is not accepted by this route."""
    return activepieces_error(403, "AUTHORIZATION", {"message": message, **params})


def invalid_token(message: str = "invalid access token or session expired") -> ErrorResponse:  # noqa: S107 - not a password
    """401: the token is invalid or expired."""
    return activepieces_error(401, "INVALID_BEARER_TOKEN", {"message": message})


def authenticate(state: ServerState, header: str, *, scoped: bool) -> Caller | None:
    """The caller, from the Authorization header; None if it has no token.

    On routers that look up the project first, a hook fails on the missing principal, so only the status is right.
    """
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" or not token:
        return None
    try:
        return _api_key(state, token) if token.startswith("sk-") else _bearer(state, token)
    except ErrorResponse as error_response:
        if scoped and error_response.status == 401:
            message = "Cannot read properties of undefined (reading 'type')"
            raise framework_error(401, message) from None
        raise


def hash_key(secret: str) -> str:
    """The hash of an API key, which is stored in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()


def user_token(state: ServerState, user: Row) -> str:
    """A session token of that user, valid for seven days."""
    identity = state.store.get("identity", user["identityId"])
    assert identity is not None, "every user has an identity"
    platform = {"id": user["platformId"]}
    return _sign(
        state, {"id": user["id"], "type": USER, "platform": platform, "tokenVersion": identity["tokenVersion"]}
    )


def onboarding_token(state: ServerState, identity: Row) -> str:
    """The token of the first sign-up, which can only create the platform."""
    return _sign(state, {"id": identity["id"], "type": ONBOARDING, "tokenVersion": identity["tokenVersion"]})


def engine_token(state: ServerState, project_id: str) -> str:
    """The token that the engine uses while it runs a flow of that project."""
    project = state.store.get("project", project_id)
    assert project is not None, "no project has this id"
    return _sign(
        state,
        {
            "id": secrets.token_hex(8),
            "type": ENGINE,
            "projectId": project_id,
            "platform": {"id": project["platformId"]},
        },
    )


def find_project(state: ServerState, caller: Caller, project_id: str) -> Row:
    """The project, which must belong to the caller's platform."""
    project = state.store.get("project", project_id)
    if project is None or project["platformId"] != caller.platform_id:
        raise not_found("project", project_id)
    return project


def check_permission(state: ServerState, caller: Caller, project: Row, permission: str | None) -> None:
    """Reject a user without a role in the project, or whose role lacks the permission."""
    if caller.kind != USER:
        return
    assert caller.user_id is not None
    role = role_of(state, caller.user_id, project)
    if role is None:
        raise not_allowed("No role found for the user", userId=caller.user_id, projectId=project["id"])
    if permission is not None and permission not in role["permissions"]:
        raise activepieces_error(
            403,
            "PERMISSION_DENIED",
            {"userId": caller.user_id, "projectId": project["id"], "projectRole": role, "permission": permission},
        )


def check_platform_admin(state: ServerState, caller: Caller) -> None:
    """Reject users who are not admins of the platform."""
    if caller.kind == USER and not is_platform_admin(state, caller.user_id):
        raise not_allowed("User is not an admin/owner of the platform.")


def is_platform_admin(state: ServerState, user_id: str | None) -> bool:
    """Whether that user administers the platform."""
    user = state.store.get("user", user_id)
    return user is not None and user["platformRole"] == "ADMIN"


def role_of(state: ServerState, user_id: str, project: Row) -> Row | None:
    """The role of a user in a project. Its owner and the platform's admins have all permissions."""
    if project["ownerId"] == user_id or is_platform_admin(state, user_id):
        return {"name": "Admin", "permissions": list(ALL_PERMISSIONS)}
    member = state.store.first("project_member", projectId=project["id"], userId=user_id)
    return state.store.get("project_role", member["projectRoleId"]) if member else None


def _api_key(state: ServerState, token: str) -> Caller:
    key = state.store.first("api_key", digest=hash_key(token))
    if key is None:
        raise activepieces_error(401, "AUTHENTICATION", {"message": "invalid api key"})
    platform = state.store.get("platform", key["platformId"])
    assert platform is not None, "every key has its platform"
    return Caller(SERVICE, platform["ownerId"], platform["id"])


def _bearer(state: ServerState, token: str) -> Caller:
    claims = _verified(state, token)
    kind = claims.get("type")
    if kind == ENGINE:
        return Caller(ENGINE, None, claims["platform"]["id"], claims["projectId"])
    if kind == ONBOARDING:
        identity = state.store.get("identity", claims["id"])
        _check_session(identity, claims)
        return Caller(ONBOARDING, claims["id"])
    if kind != USER:
        raise invalid_token("invalid principal type")
    user = state.store.get("user", claims["id"])
    is_active = user is not None and user["status"] == "ACTIVE"
    _check_session(state.store.get("identity", user["identityId"]) if user and is_active else None, claims)
    return Caller(USER, claims["id"], claims["platform"]["id"])


# The session of a user who is not active ends (read in upstream's source, not recorded).
def _check_session(identity: Row | None, claims: Mapping[str, Any]) -> None:
    if identity is None or identity["tokenVersion"] != claims["tokenVersion"]:
        message = "The session has expired or the user is not verified."
        raise activepieces_error(403, "SESSION_EXPIRED", {"message": message})


def _sign(state: ServerState, claims: Row) -> str:
    now = int(state.clock())
    times = {"iat": now, "exp": now + _SEVEN_DAYS, "iss": "activepieces"}
    return jwt.encode(
        {"alg": "HS256", "typ": "JWT", "kid": "1"}, {**claims, **times}, OctKey.import_key(state.jwt_secret)
    )


def _verified(state: ServerState, token: str) -> Mapping[str, Any]:
    try:
        claims = jwt.decode(token, OctKey.import_key(state.jwt_secret), ["HS256"]).claims
    except (JoseError, ValueError):
        raise invalid_token() from None
    if claims["exp"] <= state.clock():
        raise invalid_token()
    return claims
