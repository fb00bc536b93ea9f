"""The users of a platform, for its admins."""

from __future__ import annotations

from ..routing.authentication import USER, check_platform_admin, not_allowed
from ..routing.paging import page
from ..routing.responses import Json, Row
from ..routing.route_groups import RouteCall, RouteGroup, find_on_platform
from ..routing.validation import fields, nullable, number, one_of, optional, text
from .people import person

group = RouteGroup("users")


def _check_admin(call: RouteCall) -> None:
    """Reject users who are not admins; embedded users get a different message."""
    user = call.state.store.get("user", call.caller.user_id)
    if call.caller.kind == USER and user is not None and user["externalId"] is not None:
        raise not_allowed("Embed users are not allowed to access this resource.")
    check_platform_admin(call.state, call.caller)


def _to_json(call: RouteCall, user: Row) -> Row:
    more = {"lastActiveDate": user["lastActiveDate"], "imageUrl": None}
    return (person(call.state, user["id"]) or {}) | more


def _find_or_404(call: RouteCall) -> Row:
    _check_admin(call)
    return find_on_platform(call, "user")


@group.route(
    "GET", "/users", query={"externalId": optional(text()), "limit": optional(number()), "cursor": optional(text())}
)
def list_users(call: RouteCall) -> tuple[int, Json]:
    """The users, or the one with an external id."""
    _check_admin(call)
    query = call.query
    filters = {name: query[name] for name in ("externalId",) if name in query}
    users = call.state.store.all("user", platformId=call.caller.platform_id, **filters)
    result = page(users, query)
    return 200, result | {"data": [_to_json(call, user) for user in result["data"]]}


@group.route("GET", "/users/<id>")
def get(call: RouteCall) -> tuple[int, Json]:
    """One user."""
    return 200, _to_json(call, _find_or_404(call))


@group.route(
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
def update(call: RouteCall) -> tuple[int, Json]:
    """Change the fields in the body."""
    user = call.state.store.change("user", _find_or_404(call)["id"], **call.body)
    return 200, _to_json(call, user)


@group.route("DELETE", "/users/<id>")
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete a user with their memberships."""
    user = _find_or_404(call)
    for member in call.state.store.all("project_member", userId=user["id"]):
        call.state.store.drop("project_member", member["id"])
    call.state.store.drop("user", user["id"])
    return 204, None
