"""Signing up and in, platforms and API keys: who there is on the stand-in."""

from __future__ import annotations

from werkzeug.security import check_password_hash

from ..roles import DEFAULT_ROLES
from ..routing.authentication import ONBOARDING, digest, onboarding_token, user_token
from ..routing.rate_limited_routes import limited
from ..routing.responses import Json, Row, business, listing, not_found
from ..routing.route_groups import PUBLIC, USER_ONLY, Area, Call
from ..routing.validation import fields, flag, text
from ..server_info import platform_json
from ..state import World
from ..store import new_id
from ..versions import FIRST_SIGN_UP, MODERN_FIELDS
from .invitations import is_invited, join
from .people import make_identity, make_user
from .projects import make_project

area = Area("accounts")

_SIGN_UP = fields(
    {
        "email": text(),
        "password": text(),
        "firstName": text(),
        "lastName": text(),
        "trackEvents": flag(),
        "newsLetter": flag(),
    }
)


def make_platform(world: World, identity: Row, name: str) -> Row:
    """A platform with its roles, and the identity as the admin who owns it, with a project of their own."""
    platform_id = new_id()
    owner = make_user(world, identity, platform_id, role="ADMIN")
    platform = world.store.add(
        "platform", {"id": platform_id, "name": name, "ownerId": owner["id"]}
    )
    for role, permissions in DEFAULT_ROLES.items():
        world.store.add(
            "project_role",
            {"name": role, "permissions": permissions, "platformId": None, "type": "DEFAULT"},
        )
    make_project(world, owner, f"{name}'s Project", kind="PERSONAL")
    return platform


def make_api_key(world: World, platform_id: str, display_name: str) -> tuple[Row, str]:
    """A key and its value, which is shown once; only a digest is kept."""
    value = f"sk-{new_id(61)}"
    row = world.store.add(
        "api_key",
        {
            "platformId": platform_id,
            "displayName": display_name,
            "truncatedValue": value[-4:],
            "lastUsedAt": None,
            "digest": digest(value),
        },
    )
    return row, value


@area.route("POST", "/authentication/sign-up", body=_SIGN_UP, who=PUBLIC)
@limited
def sign_up(call: Call) -> tuple[int, Json]:
    """The first user signs up for the whole server; others have to be invited.

    0.85 answers with a token that is good for making a platform only; 0.78 makes one by itself.
    """
    world, body = call.world, call.body
    if world.store.first("identity", email=body["email"].lower()) is not None:
        params = {"email": body["email"].lower(), "platformId": None}
        raise business(409, "EXISTING_USER", params)
    is_first = world.store.first("platform") is None
    if not is_first and not is_invited(world, body["email"]):
        words = "User is not invited to the platform"
        raise business(403, "INVITATION_ONLY_SIGN_UP", {"message": words})
    identity = make_identity(
        world,
        email=body["email"],
        password=body["password"],
        first=body["firstName"],
        last=body["lastName"],
    )
    if not is_first:
        join(world, identity)
    elif world.has(FIRST_SIGN_UP):
        return 200, _onboarding(world, identity)
    else:
        make_platform(world, identity, f"{body['firstName']}'s Platform")
    return 200, _session(world, identity)


@area.route(
    "POST",
    "/authentication/sign-in",
    body=fields({"email": text(), "password": text()}),
    who=PUBLIC,
)
@limited
def sign_in(call: Call) -> tuple[int, Json]:
    """A new session; earlier ones go on."""
    identity = call.world.store.first("identity", email=call.body["email"].lower())
    if identity is None or not check_password_hash(identity["password"], call.body["password"]):
        raise business(401, "INVALID_CREDENTIALS", None)
    if call.world.store.first("user", identityId=identity["id"]) is None:
        return 200, _onboarding(call.world, identity)
    return 200, _session(call.world, identity)


@area.route(
    "POST",
    "/platforms",
    body=fields({"name": text()}),
    who=frozenset({ONBOARDING}),
    since=FIRST_SIGN_UP,
)
def create_platform(call: Call) -> tuple[int, Json]:
    """The first user's platform, and a real session."""
    identity = call.world.store.get("identity", call.principal.user_id)
    assert identity is not None
    make_platform(call.world, identity, call.body["name"])
    session = _session(call.world, identity)
    return 200, {name: session[name] for name in session if name not in _ONLY_AFTER_SIGN_IN}


@area.route("GET", "/platforms/<id>", who=USER_ONLY)
def show_platform(call: Call) -> tuple[int, Json]:
    """The platform and what its plan includes."""
    platform = call.world.store.get("platform", call.params["id"])
    if platform is None or platform["id"] != call.principal.platform_id:
        raise not_found("platform", call.params["id"])
    return 200, platform_json(call.world, platform)


@area.route(
    "POST",
    "/api-keys",
    body=fields({"displayName": text()}),
    who=USER_ONLY,
    platform_admin=True,
    plan="apiKeysEnabled",
    editions=("ee",),
)
def create_api_key(call: Call) -> tuple[int, Json]:
    """A key; its value is shown now and never again."""
    assert call.principal.platform_id is not None
    row, value = make_api_key(call.world, call.principal.platform_id, call.body["displayName"])
    made = _key_json(row) | {"value": value}
    return 201, made if call.world.has(MODERN_FIELDS) else made | {"lastUsedAt": ""}


@area.route(
    "GET",
    "/api-keys",
    who=USER_ONLY,
    platform_admin=True,
    plan="apiKeysEnabled",
    editions=("ee",),
)
def list_api_keys(call: Call) -> tuple[int, Json]:
    """The keys, by their last four characters."""
    rows = call.world.store.all("api_key", platformId=call.principal.platform_id)
    return 200, listing([_key_json(row) for row in rows])


@area.route(
    "DELETE",
    "/api-keys/<id>",
    who=USER_ONLY,
    platform_admin=True,
    plan="apiKeysEnabled",
    editions=("ee",),
)
def delete_api_key(call: Call) -> tuple[int, Json]:
    """The key opens nothing any more."""
    row = call.world.store.get("api_key", call.params["id"])
    if row is None or row["platformId"] != call.principal.platform_id:
        raise not_found("api_key", call.params["id"])
    call.world.store.drop("api_key", row["id"])
    return 204, None


#: What sign-in says of a user, and the answer to the making of a platform does not.
_ONLY_AFTER_SIGN_IN = ("created", "updated", "identityId", "lastActiveDate")


def _session(world: World, identity: Row) -> Row:
    user = world.store.first("user", identityId=identity["id"])
    assert user is not None
    own = world.store.first("project", ownerId=user["id"])
    return {
        **user,
        **_names(identity),
        "token": user_token(world, user),
        "projectId": own["id"] if own else None,
    }


def _onboarding(world: World, identity: Row) -> Row:
    return {
        "id": identity["id"],
        "platformId": None,
        "platformRole": "ADMIN",
        "status": "ACTIVE",
        "externalId": None,
        **_names(identity),
        "token": onboarding_token(world, identity),
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
