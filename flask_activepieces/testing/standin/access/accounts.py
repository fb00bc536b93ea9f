"""Sign-up, sign-in, platforms and API keys."""

from __future__ import annotations

from werkzeug.security import check_password_hash

from ..roles import DEFAULT_ROLES
from ..routing.authentication import ONBOARDING, hash_key, onboarding_token, user_token
from ..routing.rate_limited_routes import rate_limited
from ..routing.responses import Json, Row, activepieces_error, not_found, single_page
from ..routing.route_groups import PUBLIC, USER_ONLY, RouteCall, RouteGroup, find_on_platform
from ..routing.validation import boolean, fields, text
from ..server_info import platform_json
from ..state import ServerState
from ..store import new_id
from ..versions import FIRST_SIGN_UP, MODERN_FIELDS
from .invitations import is_invited, join
from .people import add_identity, add_user
from .projects import add_project

group = RouteGroup("accounts")

_SIGN_UP = fields(
    {
        "email": text(),
        "password": text(),
        "firstName": text(),
        "lastName": text(),
        "trackEvents": boolean(),
        "newsLetter": boolean(),
    }
)


def add_platform(state: ServerState, identity: Row, name: str) -> Row:
    """Add a platform with its roles, an admin who owns it, and the admin's personal project."""
    platform_id = new_id()
    owner = add_user(state, identity, platform_id, role="ADMIN")
    platform = state.store.add("platform", {"id": platform_id, "name": name, "ownerId": owner["id"]})
    for role, permissions in DEFAULT_ROLES.items():
        state.store.add(
            "project_role", {"name": role, "permissions": permissions, "platformId": None, "type": "DEFAULT"}
        )
    add_project(state, owner, f"{name}'s Project", kind="PERSONAL")
    return platform


def add_api_key(state: ServerState, platform_id: str, display_name: str) -> tuple[Row, str]:
    """Add a key; returns its row and its value, of which only a hash is stored."""
    value = f"sk-{new_id(61)}"
    row = state.store.add(
        "api_key",
        {
            "platformId": platform_id,
            "displayName": display_name,
            "truncatedValue": value[-4:],
            "lastUsedAt": None,
            "digest": hash_key(value),
        },
    )
    return row, value


@group.route("POST", "/authentication/sign-up", body=_SIGN_UP, who=PUBLIC)
@rate_limited
def sign_up(call: RouteCall) -> tuple[int, Json]:
    """The first user signs up for the whole server; all others need an invitation.

    0.85 returns a token that can only create a platform; 0.78 creates one automatically.
    """
    state, body = call.state, call.body
    if state.store.first("identity", email=body["email"].lower()) is not None:
        params = {"email": body["email"].lower(), "platformId": None}
        raise activepieces_error(409, "EXISTING_USER", params)
    is_first = state.store.first("platform") is None
    if not is_first and not is_invited(state, body["email"]):
        message = "User is not invited to the platform"
        raise activepieces_error(403, "INVITATION_ONLY_SIGN_UP", {"message": message})
    identity = add_identity(
        state, email=body["email"], password=body["password"], first=body["firstName"], last=body["lastName"]
    )
    if not is_first:
        join(state, identity)
    elif state.has(FIRST_SIGN_UP):
        return 200, _onboarding_json(state, identity)
    else:
        add_platform(state, identity, f"{body['firstName']}'s Platform")
    return 200, _session_json(state, identity)


@group.route("POST", "/authentication/sign-in", body=fields({"email": text(), "password": text()}), who=PUBLIC)
@rate_limited
def sign_in(call: RouteCall) -> tuple[int, Json]:
    """A new session; earlier ones stay valid."""
    identity = call.state.store.first("identity", email=call.body["email"].lower())
    if identity is None or not check_password_hash(identity["password"], call.body["password"]):
        raise activepieces_error(401, "INVALID_CREDENTIALS", None)
    if call.state.store.first("user", identityId=identity["id"]) is None:
        return 200, _onboarding_json(call.state, identity)
    return 200, _session_json(call.state, identity)


@group.route("POST", "/platforms", body=fields({"name": text()}), who=frozenset({ONBOARDING}), since=FIRST_SIGN_UP)
def create_platform(call: RouteCall) -> tuple[int, Json]:
    """Create the first user's platform, and return a full session."""
    identity = call.state.store.get("identity", call.caller.user_id)
    assert identity is not None
    add_platform(call.state, identity, call.body["name"])
    session = _session_json(call.state, identity)
    return 200, {name: session[name] for name in session if name not in _ONLY_AFTER_SIGN_IN}


@group.route("GET", "/platforms/<id>", who=USER_ONLY)
def show_platform(call: RouteCall) -> tuple[int, Json]:
    """The platform and what its plan includes."""
    platform = call.state.store.get("platform", call.params["id"])
    if platform is None or platform["id"] != call.caller.platform_id:
        raise not_found("platform", call.params["id"])
    return 200, platform_json(call.state, platform)


@group.route(
    "POST",
    "/api-keys",
    body=fields({"displayName": text()}),
    who=USER_ONLY,
    platform_admin=True,
    plan="apiKeysEnabled",
    editions=("ee",),
)
def create_api_key(call: RouteCall) -> tuple[int, Json]:
    """Create a key; its value is only shown in this response."""
    assert call.caller.platform_id is not None
    row, value = add_api_key(call.state, call.caller.platform_id, call.body["displayName"])
    key = _key_json(row) | {"value": value}
    return 201, key if call.state.has(MODERN_FIELDS) else key | {"lastUsedAt": ""}


@group.route("GET", "/api-keys", who=USER_ONLY, platform_admin=True, plan="apiKeysEnabled", editions=("ee",))
def list_api_keys(call: RouteCall) -> tuple[int, Json]:
    """The keys, each shown by its last four characters."""
    rows = call.state.store.all("api_key", platformId=call.caller.platform_id)
    return 200, single_page([_key_json(row) for row in rows])


@group.route("DELETE", "/api-keys/<id>", who=USER_ONLY, platform_admin=True, plan="apiKeysEnabled", editions=("ee",))
def delete_api_key(call: RouteCall) -> tuple[int, Json]:
    """Delete a key; it is invalid from now on."""
    call.state.store.drop("api_key", find_on_platform(call, "api_key")["id"])
    return 204, None


#: Fields of a user that sign-in returns and the creation of a platform does not.
_ONLY_AFTER_SIGN_IN = ("created", "updated", "identityId", "lastActiveDate")


def _session_json(state: ServerState, identity: Row) -> Row:
    user = state.store.first("user", identityId=identity["id"])
    assert user is not None
    project = state.store.first("project", ownerId=user["id"])
    return {
        **user,
        **_names(identity),
        "token": user_token(state, user),
        "projectId": project["id"] if project else None,
    }


def _onboarding_json(state: ServerState, identity: Row) -> Row:
    return {
        "id": identity["id"],
        "platformId": None,
        "platformRole": "ADMIN",
        "status": "ACTIVE",
        "externalId": None,
        **_names(identity),
        "token": onboarding_token(state, identity),
        "projectId": None,
    }


def _names(identity: Row) -> Row:
    return {
        **{name: identity[name] for name in ("firstName", "lastName", "email")},
        "trackEvents": False,
        "newsLetter": False,
        "verified": True,
    }


def _key_json(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "digest"}
