"""A database, a server of several processes on it, and an app in this process that shares both its data and its keys.

Consent and assertions run in this process; requests that must race or fail go to the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from . import hosts
from .actors import Person, Program, answer_of
from .databases import Kind, fresh_database
from .pages import Form
from .prepared_requests import PreparedRequest, RawResponse, send_together
from .servers import Server, serve
from .storage import rows_of

#: The issuer of both apps.
PUBLIC_URL = "http://localhost"


@dataclass
class RaceEnvironment:
    """The environment of a test of races or faults."""

    app: Flask
    server: Server
    #: The number of requests sent together, and of repetitions of a race.
    concurrency: int = 1
    rounds: int = 1

    def person(self, name: str = "bob") -> Person:
        """A browser, signed in at both apps."""
        return Person(self.app, name)

    def program(self, *options: str, tenant: str = "acme") -> Program:
        """A new client of a tenant, known to both apps."""
        return Program.registered(self.app, "--tenant", tenant, *options)

    def code(self, program: Program, person: Person) -> str:
        """The code of a person who sees the consent page and approves."""
        return person.allows(program.question(prompt="consent"))

    def connect(self, program: Program, person: Person) -> dict[str, Any]:
        """The tokens of a new token family."""
        return answer_of(program.redeems(self.code(program, person)))

    def disconnect_form(self, program: Program, person: Person) -> Form:
        """The form on the connected-apps page that disconnects the program."""
        (grant,) = [row for row in rows_of(self.app, "grants") if row["client_id"] == program.client_id]
        return person.sees("/oauth/connected-apps").form_to(f"{grant['id']}/disconnect")

    def send_together(self, prepared: Sequence[PreparedRequest], *, timeout: float = 60) -> list[RawResponse]:
        """The server's responses to requests that are sent together."""
        return send_together(self.server.port, prepared, timeout=timeout)

    def ask(self, prepared_request: PreparedRequest, *, timeout: float = 60) -> RawResponse:
        """Send one request to the server."""
        return self.send_together([prepared_request], timeout=timeout)[0]

    def families(self, program: Program) -> list[dict[str, Any]]:
        """The rows of a program's token families."""
        return [row for row in rows_of(self.app, "token_families") if row["client_id"] == program.client_id]

    def assert_dead(self, program: Program, pair: dict[str, Any]) -> None:
        """Assert that both tokens of a response are invalid."""
        assert program.calls(pair["access_token"]).status_code == 401
        if "refresh_token" in pair:
            refused = program.refreshes(pair["refresh_token"]).get_json()
            assert refused["error"] in ("invalid_grant", "invalid_client")

    def assert_alive(self, program: Program, pair: dict[str, Any]) -> dict[str, Any]:
        """Assert that both tokens of a pair work; returns the next pair."""
        assert program.calls(pair["access_token"]).status_code == 200
        answer = program.refreshes(pair["refresh_token"])
        assert answer.status_code == 200, answer.text
        successor: dict[str, Any] = answer.get_json()
        assert program.calls(successor["access_token"]).status_code == 200
        return successor


@contextmanager
def race_environment(
    kind: Kind,
    directory: Path,
    *,
    workers: int = 4,
    threads: int = 1,
    concurrency: int = 1,
    rounds: int = 1,
    served_through: Callable[[str], str] = lambda url: url,
    **options: Any,
) -> Iterator[RaceEnvironment]:
    """A new environment. ``served_through`` is the database URL for the server; ``options`` are for both apps."""
    options |= {"ACTIVEPIECES_PUBLIC_URL": PUBLIC_URL}
    with fresh_database(kind, directory) as url:
        app = hosts.make_app(directory, database=url, **options)
        try:
            with serve(
                directory, workers=workers, threads=threads, database=served_through(url), **options
            ) as server:
                yield RaceEnvironment(app, server, concurrency, rounds)
        finally:
            hosts.dispose(app)


def count_outcomes(answers: Sequence[RawResponse]) -> Counter[tuple[int, str | None]]:
    """The number of responses per status and OAuth error."""
    return Counter((answer.status, answer.json.get("error") if answer.body else None) for answer in answers)
