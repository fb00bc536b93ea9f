"""The page that sites embed, in place of Activepieces' builder, and a script in place of its embedding SDK.

The two exchange the messages that upstream's SDK and pages do (read in its source, not recorded): the page reports
that it is there, the SDK sends it the token, and the page signs the user in with it.
"""

from __future__ import annotations

from pathlib import Path

from flask import Response, render_template

from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..state import ServerState

group = RouteGroup("embedding", at_root=True)

_FOLDER = Path(__file__).parent
#: The page, its script, and the SDK.
PAGE, SCRIPT, SDK = "/embed", "/embed/page.js", "/sdk/embed.js"


@group.route("GET", PAGE, who=PUBLIC, editions=("ee",))
def page(call: RouteCall) -> Response:
    """The page, which only allowed sites may embed."""
    html = render_template("embedded_builder.html", script=SCRIPT, api_root=call.state.api_root)
    response = Response(html, content_type="text/html; charset=utf-8")
    ancestors = " ".join(_allowed_origins(call.state)) or "'self'"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline';"
        f" base-uri 'none'; frame-ancestors {ancestors}"
    )
    return response


@group.route("GET", SCRIPT, who=PUBLIC, editions=("ee",))
def page_script(call: RouteCall) -> Response:
    """The script of the page."""
    return _script("page.js")


@group.route("GET", SDK, who=PUBLIC, editions=("ee",))
def sdk(call: RouteCall) -> Response:
    """The SDK, for pages of the app."""
    return _script("sdk.js")


def _allowed_origins(state: ServerState) -> list[str]:
    """As Activepieces does, only origins: anything else is dropped."""
    platform = state.store.first("platform") or {}
    return [origin for origin in platform.get("allowedEmbedOrigins", []) if "/" not in origin.partition("://")[2]]


def _script(name: str) -> Response:
    return Response((_FOLDER / name).read_text("utf-8"), content_type="text/javascript; charset=utf-8")
