"""Where the loop is walked: Tasklane on a port of this machine, and an Activepieces, real or played."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from flask_activepieces.api_client.credentials import ApiKey, Credential, EmailPassword
from flask_activepieces.testing import ActivepiecesServer

from .. import create_app
from ..serving import served

#: Activepieces refreshes 15 minutes before a token ends, so this one is refreshed a second after it was issued.
ACCESS_TOKEN_TTL = 901


class NotEnough(Exception):
    """The environment names a real server incompletely."""


@dataclass(frozen=True)
class Place:
    """An Activepieces server, and who signs in there: an API key, a user, or both."""

    url: str
    #: None in the Community Edition, which has no API keys.
    api_key: str | None = field(default=None, repr=False)
    #: None: the one project that the key or the user has.
    project_id: str | None = None
    #: A user of that server; only users see its MCP servers.
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def has_user(self) -> bool:
        """Whether calls that only users may make can be made."""
        return self.email is not None and self.password is not None

    @property
    def credential(self) -> Credential:
        """What the check itself calls the server with."""
        if self.api_key:
            return ApiKey(self.api_key)
        assert self.email is not None and self.password is not None
        return EmailPassword(self.email, self.password)

    @property
    def secrets(self) -> list[str]:
        """What no answer of Tasklane may show."""
        return [secret for secret in (self.api_key, self.password) if secret]

    def setup(self) -> dict[str, str]:
        """What Tasklane's admin enters to link the company with this server."""
        given = {"apiKey": self.api_key, "projectId": self.project_id}
        if self.has_user:
            given |= {"email": self.email, "password": self.password}
        return {name: value for name, value in given.items() if value}


@contextmanager
def activepieces_for(environ: Mapping[str, str]) -> Iterator[Place]:
    """The server that the environment names, or a stand-in for as long as the block runs."""
    names = ("ACTIVEPIECES_BASE_URL", "ACTIVEPIECES_API_KEY", "CHECK_EMAIL", "CHECK_PASSWORD")
    url, key, email, password = (environ.get(name) or None for name in names)
    if url and (key or (email and password)) and bool(email) == bool(password):
        project_id = environ.get("ACTIVEPIECES_PROJECT_ID") or None
        yield Place(url, key, project_id=project_id, email=email, password=password)
    elif url or key or email or password:
        raise NotEnough(
            "a real server needs ACTIVEPIECES_BASE_URL and ACTIVEPIECES_API_KEY,"
            " or CHECK_EMAIL and CHECK_PASSWORD in place of the key, or both"
        )
    else:
        with ActivepiecesServer() as server:
            yield Place(
                server.url,
                server.api_key,
                project_id=server.project_id,
                email=server.email,
                password=server.password,
            )


@contextmanager
def tasklane_for(
    environ: Mapping[str, str], activepieces: Place, *, host: str, port: int
) -> Iterator[tuple[Flask, str]]:
    """Tasklane, and the address at which Activepieces and a browser find it."""
    with TemporaryDirectory() as folder:

        def make_app(address: str) -> Flask:
            return create_app(config_for(environ, activepieces, address, Path(folder)))

        with served(make_app, host=host, port=port) as (app, _):
            yield app, str(app.config["ACTIVEPIECES_PUBLIC_URL"]).rstrip("/")


def config_for(
    environ: Mapping[str, str], activepieces: Place, address: str, folder: Path
) -> dict[str, object]:
    """What Tasklane is told; all else is as ever, and what the environment says about it wins."""
    told: dict[str, object] = {
        "ACTIVEPIECES_BASE_URL": activepieces.url,
        "ACTIVEPIECES_ACCESS_TOKEN_TTL": ACCESS_TOKEN_TTL,
    }
    if not environ.get("ACTIVEPIECES_PUBLIC_URL"):
        told["ACTIVEPIECES_PUBLIC_URL"] = address
    if not environ.get("DATABASE_URL"):
        told["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'tasklane.db'}"
    if not environ.get("SECRET_KEY"):
        told["SECRET_KEY"] = secrets.token_hex(32)
    return told
