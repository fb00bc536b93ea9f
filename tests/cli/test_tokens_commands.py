"""``flask activepieces tokens``."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask

from tests.support.actors import Person, Program
from tests.support.pieces import create_token


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["activepieces", "tokens", *arguments])


@pytest.fixture
def tokens(app: Flask, bob: Person, carol: Person) -> dict[str, str]:
    """A token of Bob and a token of Carol."""
    return {"bob": create_token(bob, scope="tasks:read"), "carol": create_token(carol, expires="never")}


def listed(app: Flask, *options: str) -> list[dict[str, Any]]:
    result = run(app, "list", "--json", *options)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


BOB = ["--user", "bob", "--tenant", "acme", "--name", "Import", "--scope", "profile:read"]


def test_a_new_token_is_printed_once_and_works(app: Flask, program: Program) -> None:
    result = run(app, "create", *BOB)

    first, _, text = result.stdout.splitlines()
    assert re.fullmatch(r"Created token \S+ for user bob in Acme\.", first)
    assert program.calls(text).status_code == 200
    assert text not in run(app, "list").output
    (row,) = listed(app, "--user", "bob")
    assert (row["name"], row["scope"], row["kind"], row["expires_at"]) == (
        "Import",
        "profile:read",
        "personal",
        "2027-04-15T08:00:00Z",
    )


def test_a_new_token_is_printed_for_scripts(app: Flask, program: Program) -> None:
    created = json.loads(run(app, "create", *BOB, "--scope", "tasks:write", "--days", "1", "--json").stdout)

    assert (created["scope"], created["expires_at"]) == ("profile:read tasks:write", "2027-01-16T08:00:00Z")
    assert program.calls(created["token"]).status_code == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--user": "nobody"}, "--user: The app has no such user in this tenant."),
        ({"--tenant": "globex"}, "--user: The app has no such user in this tenant."),
        ({"--organization": "labs"}, "--organization: The user has no such workspace in this tenant."),
        ({"--scope": "tasks:delete"}, "--scope: Select permissions of this app only."),
        ({"--scope": ""}, "--scope: Select at least one permission."),
        ({"--name": " "}, "--name: Enter a name, such as the program that will use the token."),
    ],
    ids=str,
)
def test_a_token_that_cannot_be_created_names_the_option(app: Flask, changes: dict[str, str], message: str) -> None:
    options = dict(zip(BOB[::2], BOB[1::2], strict=True)) | changes

    result = run(app, "create", *(word for option in options.items() for word in option))

    assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    assert listed(app) == []


@pytest.mark.parametrize("days", ["0", "3651", "never"])
def test_a_token_has_an_expiry_within_ten_years(app: Flask, days: str) -> None:
    assert run(app, "create", *BOB, "--days", days).exit_code == 2


def test_the_list_does_not_contain_the_tokens_themselves(app: Flask, tokens: dict[str, str]) -> None:
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


def test_an_empty_list_has_a_message(app: Flask) -> None:
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
