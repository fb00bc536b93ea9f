"""Tasklane: a task list shared by the people of two companies, and a host for flask-activepieces.

`create_app` names every part of the app. All code that works with Activepieces is in `activepieces.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response

from . import api, auth, builder, errors, tasks
from .activepieces import PIECE, SCOPES, activepieces
from .config import config_from, database_defaults, stored_secret_key
from .models import db
from .seed import prepare_database

__all__ = ["create_app"]


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Create the app, its tables and its demo users.

    ``config`` takes precedence over the environment, which takes precedence over the defaults.
    """
    app = Flask(__name__)
    configure(app, config or {})

    db.init_app(app)
    auth.init_app(app)
    activepieces.init_app(app)

    app.register_blueprint(tasks.blueprint)
    app.register_blueprint(builder.blueprint)
    app.register_blueprint(api.blueprint)
    app.after_request(add_security_headers)
    errors.init_app(app)

    with app.app_context():
        prepare_database()
    return app


def configure(app: Flask, config: Mapping[str, object]) -> None:
    """Fill ``app.config`` with the defaults of the demo, the environment, and ``config``."""
    app.config.from_mapping(
        SESSION_COOKIE_NAME="tasklane",  # browsers send a cookie to all ports of localhost
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=1_000_000,
        VERSION="1.0",
        ACTIVEPIECES_SCOPES=SCOPES,
        ACTIVEPIECES_PIECE_NAME=PIECE.name,
        ACTIVEPIECES_APP_LOGO="/static/tasklane.svg",
    )
    app.config.from_mapping(config_from(os.environ))
    app.config.from_mapping(config)

    for key, value in database_defaults(app.config.get("SQLALCHEMY_DATABASE_URI")).items():
        app.config.setdefault(key, value)
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = stored_secret_key(Path(app.instance_path))
    public_url = str(app.config.get("ACTIVEPIECES_PUBLIC_URL") or "")
    if public_url.startswith("https://"):
        app.config["SESSION_COOKIE_SECURE"] = True


def add_security_headers(response: Response) -> Response:
    """Allow only what the pages of this app use. Headers set by a view or the extension stay."""
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
