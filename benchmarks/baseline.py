"""The baseline: an app with an empty view, which does not import the extension."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

PATH = "/bare"


def create() -> Flask:
    """Create the app. Its view accepts the measured requests and ignores their content."""
    app = Flask(__name__)

    @app.route(PATH, methods=["GET", "POST"])
    def baseline() -> ResponseReturnValue:
        return {"ok": True}

    return app
