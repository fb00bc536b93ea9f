"""The two servers of the check: Tasklane on a local port, and Activepieces, real or the stand-in."""

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
from ..serving import serve

#: Activepieces refreshes a token 15 minutes before it expires, so this one is refreshed after a second.
ACCESS_TOKEN_TTL = 901


class IncompleteEnvironment(Exception):
    """The environment names a real server, but not all that is needed to use it."""


@dataclass(frozen=True)
class ActivepiecesAccess:
    """An Activepieces server with an API key, a user, or both."""

    url: str
    #: None in the Community Edition, which has no API keys.
    api_key: str | None = field(default=None, repr=False)
    #: None: the only project of the key or the user.
    project_id: str | None = None
    #: A user of that server; MCP servers are visible to users only.
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def has_user(self) -> bool:
        """Whether calls that require a user are possible."""
        return self.email is not None and self.password is not None

    @property
    def credential(self) -> Credential:
        """The credential of the check's own calls."""
        if self.api_key:
            return ApiKey(self.api_key)
        assert self.email is not None and self.password is not None
        return EmailPassword(self.email, self.password)

    @property
    def secrets(self) -> list[str]:
        """What Tasklane must never show."""
        return [secret for secret in (self.api_key, self.password) if secret]

    def setup(self) -> dict[str, str]:
        """The body of ``POST /setup`` with which Tasklane's admin links the company to this server."""
        fields = {
            "apiKey": self.api_key,
            "projectId": self.project_id,
            "email": self.email,
            "password": self.password,
        }
        return {name: value for name, value in fields.items() if value}


@contextmanager
def activepieces_from(environ: Mapping[str, str]) -> Iterator[ActivepiecesAccess]:
    """The server that the environment names, or else a stand-in that runs until the block ends."""
    names = ("ACTIVEPIECES_BASE_URL", "ACTIVEPIECES_API_KEY", "CHECK_EMAIL", "CHECK_PASSWORD")
    url, key, email, password = (environ.get(name) or None for name in names)
    if url and (key or (email and password)) and bool(email) == bool(password):
        project_id = environ.get("ACTIVEPIECES_PROJECT_ID") or None
        yield ActivepiecesAccess(url, key, project_id=project_id, email=email, password=password)
    elif url or key or email or password:
        raise IncompleteEnvironment(
            "A real server needs ACTIVEPIECES_BASE_URL, and ACTIVEPIECES_API_KEY or"
            " CHECK_EMAIL and CHECK_PASSWORD, or all of them."
        )
    else:
        with ActivepiecesServer() as server:
            yield ActivepiecesAccess(
                server.url, server.api_key, project_id=server.project_id, email=server.email, password=server.password
            )


@contextmanager
def serve_tasklane(
    environ: Mapping[str, str], activepieces: ActivepiecesAccess, *, host: str, port: int
) -> Iterator[tuple[Flask, str]]:
    """Tasklane, and the address at which Activepieces and browsers reach it."""
    with TemporaryDirectory() as folder:

        def make_app(address: str) -> Flask:
            return create_app(_config(environ, activepieces, address, Path(folder)))

        with serve(make_app, host=host, port=port) as (app, _):
            yield app, str(app.config["ACTIVEPIECES_PUBLIC_URL"]).rstrip("/")


def _config(
    environ: Mapping[str, str], activepieces: ActivepiecesAccess, address: str, folder: Path
) -> dict[str, object]:
    config: dict[str, object] = {
        "ACTIVEPIECES_BASE_URL": activepieces.url,
        "ACTIVEPIECES_ACCESS_TOKEN_TTL": ACCESS_TOKEN_TTL,
    }
    if not environ.get("ACTIVEPIECES_PUBLIC_URL"):
        config["ACTIVEPIECES_PUBLIC_URL"] = address
    if not environ.get("ACTIVEPIECES_DYNAMIC_REGISTRATION"):
        # The agent of the check knows the URL of the endpoint only.
        config["ACTIVEPIECES_DYNAMIC_REGISTRATION"] = True
    if not environ.get("DATABASE_URL"):
        config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'tasklane.db'}"
    if not environ.get("SECRET_KEY"):
        config["SECRET_KEY"] = secrets.token_hex(32)
    return config
