"""The platform's own OAuth apps: whose secret PLATFORM_OAUTH2 connections use without anybody seeing it."""

from __future__ import annotations

from ..routing.responses import Json, Row, single_page
from ..routing.route_groups import USER_ONLY, RouteCall, RouteGroup, find_on_platform
from ..routing.validation import fields, text

group = RouteGroup("oauth apps")

KIND = "oauth_app"


def _to_json(app: Row) -> Row:
    return {name: value for name, value in app.items() if name != "clientSecret"}


@group.route(
    "POST",
    "/oauth-apps",
    body=fields(
        {"pieceName": text(min_length=1), "clientId": text(min_length=1), "clientSecret": text(min_length=1)}
    ),
    who=USER_ONLY,
    platform_admin=True,
    editions=("ee",),
)
def upsert(call: RouteCall) -> tuple[int, Json]:
    """The app for a piece, in place of the one that there was."""
    store, body = call.state.store, call.body
    key = {"pieceName": body["pieceName"], "platformId": call.caller.platform_id}
    values = {"clientId": body["clientId"], "clientSecret": store.encrypt(body["clientSecret"])}
    existing = store.first(KIND, **key)
    app = store.change(KIND, existing["id"], **values) if existing else store.add(KIND, {**key, **values})
    return 200, _to_json(app)


@group.route("GET", "/oauth-apps", who=USER_ONLY, editions=("ee",))
def list_apps(call: RouteCall) -> tuple[int, Json]:
    """The apps, without their secrets."""
    apps = call.state.store.all(KIND, platformId=call.caller.platform_id)
    return 200, single_page([_to_json(app) for app in apps])


@group.route("DELETE", "/oauth-apps/<id>", who=USER_ONLY, platform_admin=True, editions=("ee",))
def delete(call: RouteCall) -> tuple[int, Json]:
    """Delete an app; its connections can no longer be refreshed."""
    call.state.store.drop(KIND, find_on_platform(call, KIND)["id"])
    return 204, None
