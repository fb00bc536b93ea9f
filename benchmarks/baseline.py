"""The baseline: the cost of Flask and gunicorn with an empty view. It does not import the extension."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

PATH = "/bare"


def create() -> Flask:
    """An app whose only view accepts the same requests as the measured ones, and ignores their content."""
    app = Flask(__name__)

    @app.route(PATH, methods=["GET", "POST"])
    def baseline() -> ResponseReturnValue:
        return {"ok": True}

    return app
