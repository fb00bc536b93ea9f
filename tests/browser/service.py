"""A third party at which users sign in for a connection, and a program that waits for its code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug import Request, Response
from werkzeug.utils import redirect

from flask_activepieces.testing.http_server import HttpServer
from tests.support.token_endpoint import fresh_tokens


@dataclass
class Service:
    """Where it is."""

    url: str

    @property
    def callback(self) -> str:
        """The redirect URI of the program."""
        return f"{self.url}/callback"


@Request.application
def _app(request: Request) -> Response:
    if request.path == "/oauth/authorize":
        query = urlencode({"state": request.args["state"], "code": "a-code"})
        return redirect(f"{request.args['redirect_uri']}?{query}")
    if request.path == "/oauth/token":
        return Response(json.dumps(fresh_tokens()), mimetype="application/json")
    return Response("Back at the program", mimetype="text/plain")


@contextmanager
def service() -> Iterator[Service]:
    """The running service."""
    with closing(HttpServer(_app)) as server:
        yield Service(f"http://127.0.0.1:{server.port}")
