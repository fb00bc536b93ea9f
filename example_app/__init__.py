"""Tasklane: a task list shared by the people of two companies, and a host for flask-activepieces.

Read `create_app` from top to bottom and you have seen the whole app. What an app of your own needs
in order to work with Activepieces stands in one file: `activepieces.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response

from . import api, auth, automation, errors, tasks
from .activepieces import PIECE_NAME, SCOPES, activepieces
from .config import database_defaults, from_environment, kept_secret_key
from .models import db
from .seed import prepare_database

__all__ = ["create_app"]


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The app, with its tables made and its demo users in place.

    ``config`` wins over the environment, which wins over the defaults.
    """
    app = Flask(__name__)
    configure(app, config or {})

    db.init_app(app)
    auth.init_app(app)
    activepieces.init_app(app)

    app.register_blueprint(tasks.blueprint)
    app.register_blueprint(automation.blueprint)
    app.register_blueprint(api.blueprint)
    app.after_request(add_security_headers)
    errors.init_app(app)

    with app.app_context():
        prepare_database()
    return app


def configure(app: Flask, config: Mapping[str, object]) -> None:
    """Fill ``app.config``: the defaults of the demo, the environment, then what the caller gave."""
    app.config.from_mapping(
        SESSION_COOKIE_NAME="tasklane",  # cookies know no ports: other demos run on localhost too
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=1_000_000,
        VERSION="1.0",
        ACTIVEPIECES_SCOPES=SCOPES,
        ACTIVEPIECES_PIECE_NAME=PIECE_NAME,
    )
    app.config.from_mapping(from_environment(os.environ))
    app.config.from_mapping(config)

    for key, value in database_defaults(app.config.get("SQLALCHEMY_DATABASE_URI")).items():
        app.config.setdefault(key, value)
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = kept_secret_key(Path(app.instance_path))
    public_url = str(app.config.get("ACTIVEPIECES_PUBLIC_URL") or "")
    if public_url.startswith("https://"):
        app.config["SESSION_COOKIE_SECURE"] = True


def add_security_headers(response: Response) -> Response:
    """What the pages of this app need is little, so the policy can be strict."""
    # A view, or the extension, may have set its own: those stay.
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
