"""``flask activepieces client …``"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.cli.conftest import Run, RunJson
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.databases import Kind, fresh_database
from tests.support.storage import row_counts, rows_of

NEW = ("client", "create", "--name", "Flow maker", "--redirect-uri", "https://maker.test/cb")
SCOPE = ("--scope", "profile:read tasks:read")


def secret_is_valid(app: Flask, client_id: str, secret: str) -> bool:
    """Whether the client can authenticate with this secret."""
    return "active" in Program(app, client_id, secret).introspects("any token").get_json()


# create


def test_create_prints_the_id_and_the_secret(app: Flask, run: Run) -> None:
    result = run(*NEW, *SCOPE)

    assert result.exit_code == 0
    assert result.stdout.startswith("Registered Flow maker.\n")
    (client_id,) = re.findall(r"client_id +([0-9a-f]{32})\n", result.stdout)
    (secret,) = re.findall(r"client_secret +(fas_[0-9a-f]{64})\n", result.stdout)
    assert "Copy the secret now" in result.stdout
    assert secret_is_valid(app, client_id, secret)


def test_create_explains_a_public_client(run: Run) -> None:
    result = run(*NEW, *SCOPE, "--public")

    assert "This is a public client: it has no secret, and must use PKCE." in result.stdout
    assert "fas_" not in result.output


def test_create_prints_json(run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--description", "Makes flows", "--json")

    assert made.pop("client_id")
    assert made.pop("client_secret")
    assert made == {
        "tenant_id": None,
        "name": "Flow maker",
        "description": "Makes flows",
        "logo_uri": None,
        "public": False,
        "redirect_uris": ["https://maker.test/cb"],
        "scope": "profile:read tasks:read",
        "grant_types": ["authorization_code", "refresh_token"],
        "require_pkce": True,
        "remember_consent": False,
        "introspects": False,
        "integration_id": None,
        "created_at": "2027-01-15T08:00:00Z",
        "tokens_issued": 0,
        "last_issued_at": None,
        "disabled_at": None,
        "source": "operator",
        "document_url": None,
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--tenant", "acme", "--yes"), {"tenant_id": "acme"}),
        (("--no-pkce",), {"require_pkce": False}),
        (("--pkce",), {"require_pkce": True}),
        (("--public",), {"public": True, "require_pkce": True}),
        (
            ("--client-credentials", "--tenant", "acme", "--yes"),
            {"grant_types": ["authorization_code", "refresh_token", "client_credentials"]},
        ),
        (("--introspection",), {"introspects": True}),
        (("--remember-consent",), {"remember_consent": True}),
        (
            ("--redirect-uri", "https://maker.test/2"),
            {"redirect_uris": ["https://maker.test/cb", "https://maker.test/2"]},
        ),
    ],
)
def test_the_options_of_create(run_json: RunJson, options: tuple[str, ...], expected: dict[str, Any]) -> None:
    made = run_json(*NEW, *SCOPE, *options, "--json")

    assert {name: made[name] for name in expected} == expected


def test_a_resource_server_needs_neither_redirect_uri_nor_scope(run_json: RunJson) -> None:
    made = run_json("client", "create", "--name", "API", "--introspection", "--json")

    assert (made["redirect_uris"], made["scope"], made["grant_types"]) == ([], "", [])


@pytest.mark.parametrize(
    ("preset", "name", "redirect_uris"),
    [
        ("activepieces", "Activepieces", ["https://cloud.activepieces.com/redirect"]),
        ("make", "Make", ["https://www.make.com/oauth/cb/app"]),
        ("zapier", "Zapier", []),
        ("n8n", "n8n", []),
    ],
)
def test_a_preset_sets_name_redirect_uris_and_pkce(
    run_json: RunJson, preset: str, name: str, redirect_uris: list[str]
) -> None:
    own = ["https://self-hosted.test/callback"]

    made = run_json("client", "create", "--preset", preset, "--redirect-uri", own[0], *SCOPE, "--json")

    assert (made["name"], made["redirect_uris"]) == (name, redirect_uris + own)
    assert made["require_pkce"] is False


@pytest.mark.parametrize(("option", "expected"), [("--pkce", True), ("--public", True), ("--no-pkce", False)])
def test_a_presets_pkce_can_be_overridden(run_json: RunJson, option: str, expected: bool) -> None:
    made = run_json("client", "create", "--preset", "make", *SCOPE, option, "--json")

    assert made["require_pkce"] is expected


def test_a_presets_name_can_be_overridden(run_json: RunJson) -> None:
    made = run_json("client", "create", "--preset", "make", "--name", "Our Make", *SCOPE, "--json")

    assert made["name"] == "Our Make"


#: The arguments of "client create", and a part of the error.
REFUSALS = [
    (("--redirect-uri", "https://a.test/", *SCOPE), "--name: A name is required: the consent page shows it"),
    (("--name", "X", *SCOPE), "--redirect-uri: At least one redirect URI is required"),
    (("--name", "X", "--redirect-uri", "http://a.test/", *SCOPE), "--redirect-uri: 'http://a.test/': must use https"),
    (("--name", "X", "--redirect-uri", "https://a.test/"), "--scope: At least one scope"),
    (
        ("--name", "X", "--redirect-uri", "https://a.test/", "--scope", "x"),
        "--scope: Unknown scope 'x'. Available scopes: profile:read, tasks:read",
    ),
    (
        ("--name", "X", *SCOPE, "--client-credentials"),
        "--client-credentials: A client with this grant must belong to one tenant",
    ),
    (
        ("--name", "X", "--redirect-uri", "https://a.test/", *SCOPE, "--public", "--no-pkce"),
        "-pkce: A public client must use PKCE",
    ),
    *(
        (
            ("--name", "X", "--redirect-uri", uri, *SCOPE, "--remember-consent"),
            f"--remember-consent: '{uri}' looks like the redirect page of Activepieces",
        )
        for uri in ("https://ap.test/redirect", "https://ap.test/api/redirect")
    ),
    (
        ("--preset", "activepieces", *SCOPE, "--remember-consent"),
        "--remember-consent: 'https://cloud.activepieces.com/redirect' looks like the redirect page",
    ),
    (
        ("--name", "X", "--redirect-uri", "https://a.test/", *SCOPE, "--public", "--remember-consent"),
        "--remember-consent: A public client must always show the consent page",
    ),
    (
        ("--name", "X", *SCOPE, "--public", "--introspection"),
        "--introspection: Introspection requires a client with a secret",
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSALS)
def test_an_error_is_one_line_with_the_name_of_the_option(
    app: Flask, run: Run, options: tuple[str, ...], message: str
) -> None:
    result = run("client", "create", *options)

    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: --")
    assert message in line
    assert row_counts(app) == {}


def test_every_option_that_an_error_names_exists(run: Run) -> None:
    usage = run("client", "create", "--help").stdout
    everything_wrong = run(
        *("client", "create", "--public", "--no-pkce", "--introspection", "--client-credentials"),
        *("--name", "x" * 121, "--description", "d" * 501, "--redirect-uri", "nowhere"),
    )

    named = re.findall(r"Error: (--[a-z-]+):", everything_wrong.stderr)

    assert len(named) == 6
    assert [option for option in named if option not in usage.replace("/", " ").split()] == []


@pytest.mark.parametrize(
    "scopes",
    [
        ("--scope", "profile:read", "--scope", "tasks:read"),
        ("--scope", "profile:read tasks:read"),
        ("--scope", "profile:read", "--scope", "profile:read tasks:read"),
    ],
    ids=["repeated", "with spaces", "both"],
)
def test_scopes_can_be_repeated_or_separated_by_spaces(run_json: RunJson, scopes: tuple[str, ...]) -> None:
    made = run_json(*NEW, *scopes, "--json")

    assert made["scope"] == "profile:read tasks:read"


# create for a tenant that may be mistyped


UNKNOWN = ("--tenant", "acem")


def test_create_asks_for_confirmation_of_an_unknown_tenant(app: Flask, run: Run) -> None:
    refused = run(*NEW, *SCOPE, *UNKNOWN, input="n\n")
    left = row_counts(app)
    done = run(*NEW, *SCOPE, *UNKNOWN, input="y\n")

    assert "Tenant 'acem' has no client, grant or integration yet." in refused.stderr
    assert refused.stderr.endswith("\nError: Nothing was done.\n")
    assert (refused.exit_code, refused.stdout, left) == (1, "", {})
    assert done.exit_code == 0
    assert done.stdout.startswith("Registered Flow maker.\n")
    assert [row["tenant_id"] for row in rows_of(app, "oauth_clients")] == ["acem"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_a_terminal_an_unknown_tenant_requires_yes(app: Flask, run: Run, options: tuple[str, ...]) -> None:
    refused = run(*NEW, *SCOPE, *UNKNOWN, *options)
    left = row_counts(app)
    done = run(*NEW, *SCOPE, *UNKNOWN, *options, "--yes")

    assert (refused.exit_code, left) == (1, {})
    assert refused.stderr.splitlines()[-1].startswith("Error: Nothing was done. Tenant 'acem' has")
    assert refused.stderr.endswith(" Use --yes to confirm.\n")
    assert done.exit_code == 0


def test_a_tenant_with_a_client_is_known(run: Run) -> None:
    run(*NEW, *SCOPE, *UNKNOWN, "--yes")

    assert run(*NEW, *SCOPE, *UNKNOWN).exit_code == 0


def test_a_tenant_with_a_grant_is_known(run: Run, program: Program, bob: Person) -> None:
    program.connects(bob)

    assert run(*NEW, *SCOPE, "--tenant", "acme").exit_code == 0


# list and show


def test_the_list_is_a_table_for_people_and_json_for_scripts(run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--tenant", "acme", "--yes", "--json")
    run_json(*NEW, *SCOPE, "--json")

    (first, second) = run_json("client", "list", "--json")
    header, *lines = run("client", "list").stdout.splitlines()

    assert first["tenant_id"] is None
    assert second == {name: made[name] for name in made if name != "client_secret"}
    assert header.split() == ["client_id", "name", "tenant_id", "scope", "redirect_uris"]
    assert [line.split()[3] for line in lines] == ["-", "acme"]


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        yield url


def test_the_list_has_global_clients_first_and_is_sorted_by_tenant(database: str, make_app: MakeApp) -> None:
    """Databases sort NULL differently."""
    runner = make_app(database=database).test_cli_runner()
    for name, tenant in (("B", "globex"), ("A", "acme"), ("Z", None), ("C", "acme")):
        of = ("--tenant", tenant, "--yes") if tenant else ()
        runner.invoke(args=["activepieces", *NEW, *SCOPE, "--name", name, *of])

    listed = json.loads(runner.invoke(args=["activepieces", "client", "list", "--json"]).stdout)

    assert [client["name"] for client in listed] == ["Z", "A", "C", "B"]


def test_the_list_of_one_tenant(run_json: RunJson) -> None:
    run_json(*NEW, *SCOPE, "--tenant", "acme", "--yes", "--json")
    run_json(*NEW, *SCOPE, "--json")

    assert len(run_json("client", "list", "--tenant", "acme", "--json")) == 1
    assert run_json("client", "list", "--tenant", "globex", "--json") == []


def test_an_empty_list_says_so(run: Run) -> None:
    assert run("client", "list").stdout == "No client is registered.\n"


def test_show_prints_all_but_the_secret(run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")
    del made["client_secret"]

    assert run_json("client", "show", made["client_id"], "--json") == made


def test_show_without_json_prints_a_line_for_each_field(run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--description", "Makes flows", "--json")

    result = run("client", "show", made["client_id"])

    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines.keys() == made.keys() - {"client_secret"}
    assert lines["redirect_uris"] == "https://maker.test/cb"
    assert lines["scope"] == "profile:read tasks:read"
    assert (lines["public"], lines["require_pkce"], lines["tenant_id"]) == ("no", "yes", "-")


# update


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--name", "New name"), {"name": "New name"}),
        (("--description", "Makes flows"), {"description": "Makes flows"}),
        (("--scope", "tasks:write", "--scope", "tasks:read"), {"scope": "tasks:write tasks:read"}),
        (
            ("--redirect-uri", "https://new.test/1", "--redirect-uri", "https://new.test/2"),
            {"redirect_uris": ["https://new.test/1", "https://new.test/2"]},
        ),
        (("--no-pkce",), {"require_pkce": False}),
        (("--client-credentials",), {"grant_types": ["authorization_code", "refresh_token", "client_credentials"]}),
        (("--introspection",), {"introspects": True}),
        (("--remember-consent",), {"remember_consent": True}),
    ],
)
def test_update_changes_only_the_given_fields(
    run_json: RunJson, options: tuple[str, ...], expected: dict[str, Any]
) -> None:
    made = run_json(*NEW, *SCOPE, "--tenant", "acme", "--yes", "--json")
    del made["client_secret"]

    updated = run_json("client", "update", made["client_id"], *options, "--json")

    assert updated == made | expected
    assert run_json("client", "show", made["client_id"], "--json") == updated


def test_update_can_remove_permissions(run_json: RunJson) -> None:
    allowed = ("--tenant", "acme", "--yes", "--no-pkce", "--client-credentials", "--introspection")
    made = run_json(*NEW, *SCOPE, *allowed, "--json")

    taken_back = ("--pkce", "--no-client-credentials", "--no-introspection")
    updated = run_json("client", "update", made["client_id"], *taken_back, "--json")

    assert updated["grant_types"] == ["authorization_code", "refresh_token"]
    assert (updated["require_pkce"], updated["introspects"]) == (True, False)


def test_update_keeps_the_secret(app: Flask, run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")

    result = run("client", "update", made["client_id"], "--name", "New name")

    assert result.stdout == "Updated New name.\n"
    assert secret_is_valid(app, made["client_id"], made["client_secret"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--name", " "), "--name: A name is required: the consent page shows it"),
        (("--scope", "x"), "--scope: Unknown scope 'x'"),
        (("--redirect-uri", "http://a.test/"), "--redirect-uri: 'http://a.test/': must use https"),
        (("--client-credentials",), "--client-credentials: A client with this grant must"),
    ],
)
def test_an_invalid_update_changes_nothing(
    run: Run, run_json: RunJson, options: tuple[str, ...], message: str
) -> None:
    made = run_json(*NEW, *SCOPE, "--json")
    del made["client_secret"]

    result = run("client", "update", made["client_id"], *options)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {message}")
    assert run_json("client", "show", made["client_id"], "--json") == made


@pytest.mark.parametrize(
    ("registered_with", "update"),
    [
        (("--remember-consent",), ("--redirect-uri", "https://ap.test/redirect")),
        (("--preset", "activepieces"), ("--remember-consent",)),
    ],
)
def test_an_update_cannot_let_a_client_of_activepieces_skip_the_consent_page(
    run: Run, run_json: RunJson, registered_with: tuple[str, ...], update: tuple[str, ...]
) -> None:
    made = run_json(*NEW, *SCOPE, *registered_with, "--json")
    del made["client_secret"]

    result = run("client", "update", made["client_id"], *update)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: --remember-consent: 'https://")
    assert run_json("client", "show", made["client_id"], "--json") == made


def test_an_empty_update_is_wrong_usage(run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")

    result = run("client", "update", made["client_id"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Nothing to change: pass at least one option." in result.stderr


# rotate


def test_rotate_keeps_the_old_secret(app: Flask, run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")

    result = run("client", "rotate", made["client_id"])

    (secret,) = re.findall(r"fas_[0-9a-f]{64}", result.stdout)
    assert "The old secret keeps working until the next rotation." in result.stdout
    assert secret_is_valid(app, made["client_id"], secret)
    assert secret_is_valid(app, made["client_id"], made["client_secret"])


def test_rotate_now_invalidates_the_old_secret(app: Flask, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")

    rotated = run_json("client", "rotate", made["client_id"], "--now", "--json")

    assert secret_is_valid(app, made["client_id"], rotated["client_secret"])
    assert not secret_is_valid(app, made["client_id"], made["client_secret"])


def test_a_public_client_has_no_secret_to_rotate(run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--public", "--json")

    result = run("client", "rotate", made["client_id"])

    assert result.exit_code == 1
    assert "A public client has no secret to rotate" in result.stderr


# delete


def test_delete_asks_for_confirmation(app: Flask, run: Run, run_json: RunJson) -> None:
    made = run_json(*NEW, *SCOPE, "--json")

    refused = run("client", "delete", made["client_id"], input="n\n")
    left = row_counts(app)["oauth_clients"]
    done = run("client", "delete", made["client_id"], input="y\n")

    assert "Delete Flow maker and revoke all access that it has?" in refused.stderr
    assert (refused.exit_code, left) == (1, 1)
    assert done.exit_code == 0
    assert done.stdout == "Deleted Flow maker.\n"
    assert rows_of(app, "oauth_clients") == []


def test_delete_with_yes_does_not_ask_and_revokes_everything(run: Run, program: Program, bob: Person) -> None:
    pair = program.connects(bob)

    result = run("client", "delete", program.client_id, "--yes")

    assert result.stdout == "Deleted Program.\n"
    assert program.calls(pair["access_token"]).status_code == 401
    assert answer_of(program.refreshes(pair["refresh_token"]), 401)["error"] == "invalid_client"


@pytest.mark.parametrize(
    "command", [("show",), ("update", "--name", "X"), ("rotate",), ("rotate", "--now"), ("delete", "--yes")]
)
def test_an_unknown_client_is_reported_in_one_line(run: Run, command: tuple[str, ...]) -> None:
    for client_id in ("0" * 32, "é", "x" * 300):
        result = run("client", *command, client_id)

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"Error: OAuth client {client_id!r} not found.\n"


def test_a_self_hosted_server_is_registered_instead_of_the_cloud(run: Run) -> None:
    made = run(
        *("client", "create", "--preset", "activepieces", "--server", "https://ap.example.com/"),
        *("--scope", "tasks:read", "--json"),
    )

    assert json.loads(made.stdout)["redirect_uris"] == ["https://ap.example.com/redirect"]


def test_a_platform_that_cannot_be_self_hosted_has_no_server_option(run: Run) -> None:
    refused = run("client", "create", "--preset", "zapier", "--server", "https://z.example.com")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: --server: Zapier cannot be self-hosted")
