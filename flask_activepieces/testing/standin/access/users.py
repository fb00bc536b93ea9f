"""The users of a platform, for its admins."""

from __future__ import annotations

from ..routing.authentication import USER, check_platform_admin, not_allowed
from ..routing.paging import page, rows_a_page
from ..routing.responses import Json, Row, not_found
from ..routing.route_groups import Area, Call
from ..routing.validation import fields, nullable, number, one_of, optional, text
from .people import person

area = Area("users")


def _check_admin(call: Call) -> None:
    """Refuse who is no admin; a user who was signed in by a host's token hears why in other words."""
    user = call.world.store.get("user", call.principal.user_id)
    if call.principal.kind == USER and user is not None and user["externalId"] is not None:
        raise not_allowed("Embed users are not allowed to access this resource.")
    check_platform_admin(call.world, call.principal)


def _shown(call: Call, user: Row) -> Row:
    more = {"lastActiveDate": user["lastActiveDate"], "imageUrl": None}
    return (person(call.world, user["id"]) or {}) | more


def _named(call: Call) -> Row:
    _check_admin(call)
    user = call.world.store.get("user", call.params["id"])
    if user is None or user["platformId"] != call.principal.platform_id:
        raise not_found("user", call.params["id"])
    return user


@area.route(
    "GET",
    "/users",
    query={
        "externalId": optional(text()),
        "limit": optional(number()),
        "cursor": optional(text()),
    },
)
def list_users(call: Call) -> tuple[int, Json]:
    """The users, or the one whom a host knows by an id."""
    _check_admin(call)
    query = call.query
    wanted = {name: query[name] for name in ("externalId",) if name in query}
    users = call.world.store.all("user", platformId=call.principal.platform_id, **wanted)
    limit = rows_a_page(query.get("limit"), default=10)
    found = page(users, limit=limit, cursor=query.get("cursor"))
    return 200, found | {"data": [_shown(call, user) for user in found["data"]]}


@area.route("GET", "/users/<id>")
def get(call: Call) -> tuple[int, Json]:
    """One user."""
    return 200, _shown(call, _named(call))


@area.route(
    "POST",
    "/users/<id>",
    body=fields(
        {
            "status": optional(one_of("ACTIVE", "INACTIVE")),
            "platformRole": optional(one_of("ADMIN", "MEMBER", "OPERATOR")),
            "externalId": optional(nullable(text())),
        }
    ),
)
def update(call: Call) -> tuple[int, Json]:
    """Change what the body names."""
    user = call.world.store.change("user", _named(call)["id"], **call.body)
    return 200, _shown(call, user)


@area.route("DELETE", "/users/<id>")
def delete(call: Call) -> tuple[int, Json]:
    """Delete a user with their memberships."""
    user = _named(call)
    for member in call.world.store.all("project_member", userId=user["id"]):
        call.world.store.drop("project_member", member["id"])
    call.world.store.drop("user", user["id"])
    return 204, None
