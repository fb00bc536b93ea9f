"""``flask activepieces client-policy``: which MCP clients the users of a tenant may approve."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.cli.conftest import Run, RunJson
from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.storage import row_counts


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A small host where clients may register themselves."""
    return make_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True)


def approved_agent(app: Flask) -> Program:
    """A client that has registered itself, and that Bob approved."""
    metadata = {"client_name": "Robin", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
    program = Program(app, made["client_id"], None)
    answer_of(program.redeems(Person(app, "bob").allows(program.question())))
    return program


def test_the_policy_of_a_tenant_is_shown_with_the_clients_in_use(app: Flask, run: Run, run_json: RunJson) -> None:
    program = approved_agent(app)

    assert run("client-policy", "show", "acme").stdout.splitlines() == [
        "Users may approve all MCP clients.",
        "Robin (program.test): 1 grant",
    ]
    assert run("client-policy", "show", "globex").stdout.splitlines()[1] == "No MCP client is in use."
    shown = run_json("client-policy", "show", "acme", "--json")
    assert (shown["mode"], shown["hosts"]) == ("all", [])
    assert [each["client_id"] for each in shown["clients"]] == [program.client_id]


def test_a_policy_is_set_and_grants_are_revoked(app: Flask, run: Run, run_json: RunJson) -> None:
    approved_agent(app)
    listed = ["--allow", "listed", "--host", "claude.ai", "--host", "Program.Test"]

    kept = run("client-policy", "set", "acme", *listed)
    revoked = run_json("client-policy", "set", "acme", "--allow", "none", "--json")

    assert kept.stdout.splitlines() == [
        "Users may approve MCP clients from claude.ai, program.test.",
        "Revoked 0 grants.",
    ]
    assert revoked == {"mode": "none", "hosts": [], "revoked_grants": 1}
    assert "Users may not approve MCP clients." in run("client-policy", "show", "acme").stdout
    assert "grants" not in row_counts(app)


def test_an_invalid_policy_is_refused(app: Flask, run: Run) -> None:
    before = row_counts(app)

    for arguments, word in (
        (["--allow", "listed"], "List at least one host"),
        (["--allow", "all", "--host", "claude.ai"], "only for the mode listed"),
        (["--allow", "listed", "--host", "https://claude.ai"], "is not a host name"),
    ):
        result = run("client-policy", "set", "acme", "--yes", *arguments)
        assert result.exit_code == 1
        assert word in result.stderr
        assert result.stderr.startswith("Error: --host")
    assert run("client-policy", "set", "acme", "--allow", "some").exit_code == 2
    assert run("client-policy", "set", "acme").exit_code == 2
    assert row_counts(app) == before


def test_an_unknown_tenant_is_confirmed(run: Run, app: Flask) -> None:
    refused = run("client-policy", "set", "amce", "--allow", "none", "--json")

    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"] == "not_confirmed"
    assert "client_policies" not in row_counts(app)
    run("client-policy", "set", "amce", "--allow", "none", "--yes")
    # It has data now.
    assert run("client-policy", "set", "amce", "--allow", "all").exit_code == 0
