"""``flask activepieces prune``: which rows a nightly job removes, and which it must keep."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cli.conftest import Run, RunJson
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.storage import row_counts, statements_of


def connect_often(program: Program, person: Person, times: int) -> list[str]:
    """Connect several times; return the refresh tokens."""
    codes = [person.allows(program.question()) for _ in range(times)]
    return [answer_of(program.redeems(code))["refresh_token"] for code in codes]


def test_active_rows_are_kept(
    app: Flask, run: Run, run_json: RunJson, program: Program, bob: Person, clock: StoppedClock
) -> None:
    (token,) = connect_often(program, bob, 1)
    clock.advance(days=80)
    before = row_counts(app)

    assert run_json("prune", "--json") == {}
    assert run("prune").stdout == "Deleted 0 rows.\n"

    assert row_counts(app) == before
    assert program.refreshes(token).status_code == 200


def test_expired_rows_are_removed_in_batches(
    app: Flask, run: Run, program: Program, bob: Person, clock: StoppedClock
) -> None:
    for token in connect_often(program, bob, 5):
        program.revokes(token)
    clock.advance(days=2)

    with statements_of(app) as statements:
        result = run("prune", "--batch", "2")

    deletions = [text for text in statements if text.startswith("DELETE")]
    assert len(deletions) == 6
    assert result.stdout == "Deleted 10 rows.\n"
    assert result.stderr.splitlines()[:3] == [
        "activepieces_revocations: 2 rows so far",
        "activepieces_revocations: 4 rows so far",
        "activepieces_revocations: 5 rows so far",
    ]
    assert not {"revocations", "token_families"} & set(row_counts(app))


def test_each_batch_is_a_separate_transaction(
    app: Flask, run: Run, program: Program, bob: Person, clock: StoppedClock
) -> None:
    for token in connect_often(program, bob, 3):
        program.revokes(token)
    clock.advance(days=2)

    with statements_of(app) as statements:
        run("prune", "--batch", "1")

    changes = [text.split()[0] for text in statements if not text.startswith("SELECT")]
    assert changes == ["DELETE", "COMMIT"] * 6


def test_the_counts_are_printed_as_json(
    run_json: RunJson, program: Program, bob: Person, clock: StoppedClock
) -> None:
    for token in connect_often(program, bob, 3):
        program.revokes(token)
    clock.advance(days=2)

    assert run_json("prune", "--json") == {"activepieces_revocations": 3, "activepieces_token_families": 3}


def test_audit_events_are_removed_after_the_given_days(
    app: Flask, run_json: RunJson, program: Program, bob: Person, clock: StoppedClock
) -> None:
    connect_often(program, bob, 1)
    events = row_counts(app)["audit_events"]
    clock.advance(days=30)

    assert run_json("prune", "--audit-days", "31", "--json") == {}
    assert run_json("prune", "--audit-days", "30", "--json") == {"activepieces_audit_events": events}


def test_a_grant_outlives_its_token_families(
    app: Flask, run: Run, trusted: Program, bob: Person, clock: StoppedClock
) -> None:
    """A grant is remembered until the user revokes it."""
    connect_often(trusted, bob, 1)
    clock.advance(days=100)

    run("prune")

    assert row_counts(app)["grants"] == 1
    assert "token_families" not in row_counts(app)
    assert brought_back(bob.opens(trusted.question()))["code"]


@pytest.mark.parametrize("options", [("--batch", "0"), ("--batch", "many"), ("--audit-days", "0"), ("--what",)])
def test_wrong_usage_is_exit_code_2(app: Flask, run: Run, options: tuple[str, ...]) -> None:
    result = run("prune", *options)

    assert result.exit_code == 2
    assert "Usage: " in result.stderr
