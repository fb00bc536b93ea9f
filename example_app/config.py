"""The configuration: values of the environment, and defaults for what it does not set."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Hosting platforms set DATABASE_URL without a driver; SQLAlchemy needs one.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def config_from(environ: Mapping[str, str]) -> dict[str, Any]:
    """The app's settings in the environment. An empty variable counts as unset."""
    variables = {key: value for key, value in environ.items() if value}
    config: dict[str, Any] = {}
    if "SECRET_KEY" in variables:
        config["SECRET_KEY"] = variables["SECRET_KEY"]
    if "DATABASE_URL" in variables:
        config["SQLALCHEMY_DATABASE_URI"] = with_driver(variables["DATABASE_URL"])
    if "REDIS_URL" in variables:
        config["ACTIVEPIECES_REDIS_URL"] = variables["REDIS_URL"]
    # The extension accepts strings for all its settings.
    config |= {key: value for key, value in variables.items() if key.startswith("ACTIVEPIECES_")}
    return config


def with_driver(url: str) -> str:
    """The database URL, with the driver that this app installs."""
    scheme, separator, rest = url.partition("://")
    return DRIVERS.get(scheme, scheme) + separator + rest


def database_defaults(url: Any) -> dict[str, Any]:
    """Flask-SQLAlchemy's settings for this URL; without a URL, for a file in the instance folder."""
    if url is None:
        url = "sqlite:///example_app.db"
    if str(url).startswith("sqlite"):
        engine_options: dict[str, Any] = {"connect_args": {"timeout": 30}}
    else:
        # Replaces a pooled connection that the server has closed.
        engine_options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": engine_options}


def stored_secret_key(folder: Path) -> str:
    """The random key stored in ``folder``; the first start creates it.

    Workers that start at the same time get the same key: each writes its key to a temporary file, and only the first
    can link that file to the final name.
    """
    path = folder / "secret_key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as draft:  # mode 0600
            draft.write(secrets.token_hex(32))
            draft.flush()
            with suppress(FileExistsError):  # another worker was first
                os.link(draft.name, path)
    return path.read_text(encoding="ascii")
