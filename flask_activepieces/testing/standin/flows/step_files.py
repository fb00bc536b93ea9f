"""Files that steps have stored."""

from __future__ import annotations

import base64
import mimetypes

from flask import Response

from ..routing.responses import not_found
from ..routing.route_groups import PUBLIC, RouteCall, RouteGroup
from ..routing.validation import text
from .contexts import FILES

group = RouteGroup("step files")


@group.route("GET", "/step-files/signed", query={"token": text()}, who=PUBLIC)
def read(call: RouteCall) -> Response:
    """A file, for anyone who has its URL."""
    row = call.state.store.first(FILES, token=call.query["token"])
    if row is None:
        raise not_found("file", "signed")
    content = base64.b64decode(call.state.store.decrypt(row["sealed"]))
    kind = mimetypes.guess_type(row["fileName"])[0] or "application/octet-stream"
    response = Response(content, content_type=kind)
    response.headers.set("Content-Disposition", "attachment", filename=row["fileName"])
    return response
