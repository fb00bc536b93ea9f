"""``flask activepieces tokens``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program
from tests.support.pieces import create_token


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["activepieces", "tokens", *arguments])


@pytest.fixture
def tokens(app: Flask, bob: Person, carol: Person) -> dict[str, str]:
    """The text of a token of each."""
    return {"bob": create_token(bob, scope="tasks:read"), "carol": create_token(carol, expires="never")}


def listed(app: Flask, *options: str) -> list[dict[str, Any]]:
    result = run(app, "list", "--json", *options)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_tokens_are_listed_without_their_text(app: Flask, tokens: dict[str, str]) -> None:
    result = run(app, "list")

    assert result.exit_code == 0
    assert "My flow" in result.output and "acme" in result.output and "globex" in result.output
    assert "apat_" not in result.output
    (row,) = listed(app, "--user", "bob")
    assert (row["name"], row["tenant_id"], row["scope"], row["kind"]) == ("My flow", "acme", "tasks:read", "personal")
    assert (row["created_at"], row["expires_at"], row["last_used_at"]) == (
        "2027-01-15T08:00:00Z",
        "2027-04-15T08:00:00Z",
        None,
    )
    assert "token_hash" not in row


def test_tokens_are_filtered_by_tenant_and_user(app: Flask, tokens: dict[str, str]) -> None:
    assert [row["user_id"] for row in listed(app, "--tenant", "globex")] == ["carol"]
    assert listed(app, "--tenant", "globex", "--user", "bob") == []


def test_an_empty_list_says_so(app: Flask) -> None:
    assert run(app, "list").output == "There are no tokens.\n"


def test_a_revoked_token_stops_working(app: Flask, program: Program, tokens: dict[str, str]) -> None:
    (row,) = listed(app, "--user", "bob")

    result = run(app, "revoke", row["id"])

    assert (result.exit_code, result.output) == (0, f"Revoked token {row['id']}.\n")
    assert program.calls(tokens["bob"]).status_code == 401
    assert program.calls(tokens["carol"]).status_code == 200


def test_revoking_prints_json_for_scripts(app: Flask, tokens: dict[str, str]) -> None:
    (row,) = listed(app, "--user", "bob")

    assert json.loads(run(app, "revoke", row["id"], "--json").stdout) == row


@pytest.mark.parametrize("token_id", ["unknown", "'", "apat_x"])
def test_an_unknown_token_is_an_error(app: Flask, tokens: dict[str, str], token_id: str) -> None:
    result = run(app, "revoke", token_id, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "not_found"
    assert len(listed(app)) == 2
