"""Concurrent approvals of one user share a grant, and each gets a code."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from tests.support.prepared_requests import submission
from tests.support.race_environment import RaceEnvironment
from tests.support.storage import rows_of


def test_parallel_approvals_create_one_grant(environment: RaceEnvironment) -> None:
    bob = environment.person()

    for _ in range(environment.rounds):
        program = environment.program()
        forms = [
            bob.sees(program.question(prompt="consent")).form("decision") for _ in range(environment.concurrency)
        ]

        answers = environment.send_together([submission(bob, form, decision="approve") for form in forms])

        assert {answer.status for answer in answers} == {303}
        grants = [row for row in rows_of(environment.app, "grants") if row["client_id"] == program.client_id]
        assert len(grants) == 1
        codes = {code_in(answer.headers["Location"]) for answer in answers}
        assert len(codes) == environment.concurrency
        assert program.redeems(codes.pop()).status_code == 200


def code_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]
