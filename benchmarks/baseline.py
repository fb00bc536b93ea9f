"""The floor: what Flask and gunicorn cost with nothing in the view. It imports nothing of the extension."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

PATH = "/bare"


def create() -> Flask:
    """An app with one view that takes the same requests as ours, and looks at none of them."""
    app = Flask(__name__)

    @app.route(PATH, methods=["GET", "POST"])
    def baseline() -> ResponseReturnValue:
        return {"ok": True}

    return app
