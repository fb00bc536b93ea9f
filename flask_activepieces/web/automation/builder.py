"""The builder of Activepieces on a page of the area, for users who have no account there."""

from __future__ import annotations

from urllib.parse import quote

from flask import request
from flask.typing import ResponseReturnValue

from ...api_client.errors import CallNotSupported
from .area.visit import Visit, automation_page
from .rows import project_url


@automation_page("builder", "view")
def automation_builder(visit: Visit) -> ResponseReturnValue:
    """The flows of the workspace, or one of them; a workspace on another platform is led to Activepieces."""
    try:
        embedded = visit.state.tenants.embedding.builder(visit.integration, visit.principal)
    except CallNotSupported:
        if not visit.integration.has_credentials:
            raise
        return visit.render("builder.html", embedded=None, project_url=project_url(visit))
    flow_id = request.args.get("flow")
    return visit.render(
        "builder.html",
        embedded=embedded,
        frame=embedded,
        route=None if flow_id is None else f"/flows/{quote(flow_id, safe='')}",
        color_scheme=visit.state.settings.color_scheme,
    )
