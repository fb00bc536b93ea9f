"""The environment, and what to do where it says nothing."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Hosting platforms write DATABASE_URL without the driver; SQLAlchemy wants it named.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The part of the environment that is meant for this app; empty variables count as absent."""
    given = {key: value for key, value in environ.items() if value}
    config: dict[str, Any] = {}
    if "SECRET_KEY" in given:
        config["SECRET_KEY"] = given["SECRET_KEY"]
    if "DATABASE_URL" in given:
        config["SQLALCHEMY_DATABASE_URI"] = with_driver(given["DATABASE_URL"])
    if "REDIS_URL" in given:
        config["ACTIVEPIECES_REDIS_URL"] = given["REDIS_URL"]
    # The extension reads text for every key, so these need no conversion.
    config.update((key, value) for key, value in given.items() if key.startswith("ACTIVEPIECES_"))
    return config


def with_driver(url: str) -> str:
    """The database URL with the driver that this app is installed with."""
    scheme, separator, rest = url.partition("://")
    return DRIVERS.get(scheme, scheme) + separator + rest


def database_defaults(url: Any) -> dict[str, Any]:
    """Flask-SQLAlchemy's settings for this URL; without one, a file in the instance folder."""
    if url is None:
        url = "sqlite:///example_app.db"
    if str(url).startswith("sqlite"):
        engine_options: dict[str, Any] = {"connect_args": {"timeout": 30}}
    else:
        # A connection that died while it waited in the pool is replaced without anyone noticing.
        engine_options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": engine_options}


def kept_secret_key(folder: Path) -> str:
    """The random key kept in ``folder``, made at the first start.

    All workers get the same one, also when they start at the same moment: the key is written to the
    end under another name, and taking the final name fails for all but the first.
    """
    path = folder / "secret_key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as draft:  # mode 0600
            draft.write(secrets.token_hex(32))
            draft.flush()
            with suppress(FileExistsError):  # another worker was faster: its key is the one
                os.link(draft.name, path)
    return path.read_text(encoding="ascii")
