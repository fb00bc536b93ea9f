"""The platform's own OAuth apps: whose secret PLATFORM_OAUTH2 connections use without anybody seeing it."""

from __future__ import annotations

from ..routing.responses import Json, Row, listing, not_found
from ..routing.route_groups import USER_ONLY, Area, Call
from ..routing.validation import fields, text

area = Area("oauth apps")

KIND = "oauth_app"


def _shown(app: Row) -> Row:
    return {name: value for name, value in app.items() if name != "clientSecret"}


@area.route(
    "POST",
    "/oauth-apps",
    body=fields(
        {"pieceName": text(least=1), "clientId": text(least=1), "clientSecret": text(least=1)}
    ),
    who=USER_ONLY,
    platform_admin=True,
    editions=("ee",),
)
def upsert(call: Call) -> tuple[int, Json]:
    """The app for a piece, in place of the one that there was."""
    store, body = call.world.store, call.body
    key = {"pieceName": body["pieceName"], "platformId": call.principal.platform_id}
    given = {"clientId": body["clientId"], "clientSecret": store.sign_json(body["clientSecret"])}
    found = store.first(KIND, **key)
    app = store.change(KIND, found["id"], **given) if found else store.add(KIND, {**key, **given})
    return 200, _shown(app)


@area.route("GET", "/oauth-apps", who=USER_ONLY, editions=("ee",))
def list_apps(call: Call) -> tuple[int, Json]:
    """The apps, without their secrets."""
    apps = call.world.store.all(KIND, platformId=call.principal.platform_id)
    return 200, listing([_shown(app) for app in apps])


@area.route("DELETE", "/oauth-apps/<id>", who=USER_ONLY, platform_admin=True, editions=("ee",))
def delete(call: Call) -> tuple[int, Json]:
    """Delete an app; what was connected with it can be refreshed no more."""
    app = call.world.store.get(KIND, call.params["id"])
    if app is None or app["platformId"] != call.principal.platform_id:
        raise not_found(KIND, call.params["id"])
    call.world.store.drop(KIND, app["id"])
    return 204, None
