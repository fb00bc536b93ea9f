"""Where the loop is walked: Tasklane on a port of this machine, and an Activepieces, real or played."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from flask_activepieces.testing import ActivepiecesServer

from .. import create_app
from ..serving import served

#: Activepieces refreshes 15 minutes before a token ends, so this one is refreshed a second after it was issued.
ACCESS_TOKEN_TTL = 901


class NotEnough(Exception):
    """The environment names half of a real server."""


@dataclass(frozen=True)
class Place:
    """An Activepieces server, and who gets in there."""

    url: str
    api_key: str = field(repr=False)
    #: None: the key decides.
    project_id: str | None = None
    #: A user of that server; only users see its MCP servers.
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def has_user(self) -> bool:
        """Whether calls that only users may make can be made."""
        return bool(self.email and self.password)

    def setup(self) -> dict[str, str]:
        """What Tasklane's admin enters to link the company with this server."""
        given = {"apiKey": self.api_key, "projectId": self.project_id}
        if self.has_user:
            given |= {"email": self.email, "password": self.password}
        return {name: value for name, value in given.items() if value}


@contextmanager
def activepieces_for(environ: Mapping[str, str]) -> Iterator[Place]:
    """The server that the environment names, or a stand-in for as long as the block runs."""
    url, key = environ.get("ACTIVEPIECES_BASE_URL"), environ.get("ACTIVEPIECES_API_KEY")
    if url and key:
        yield Place(
            url,
            key,
            project_id=environ.get("ACTIVEPIECES_PROJECT_ID"),
            email=environ.get("CHECK_EMAIL"),
            password=environ.get("CHECK_PASSWORD"),
        )
    elif url or key:
        raise NotEnough("a real server needs both ACTIVEPIECES_BASE_URL and ACTIVEPIECES_API_KEY")
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
