"""The steps that link Tasklane with Activepieces: pieces, setup, and two connections."""

from __future__ import annotations

import re
import shutil
from typing import Any

from flask_activepieces.api_client.errors import ResourceNotFound
from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.pieces.installing.installer import PieceInstaller
from flask_activepieces.pieces.installing.versions import FIRST_VERSION

from ..activepieces import PIECE, activepieces
from ..seed import DEMO_PASSWORD, DEMO_USERS
from .flow import WEBHOOK_PIECE
from .report import CheckFailed, describe, expect
from .run import CheckRun

#: A personal access token, on the page that shows it once.
TOKEN = re.compile(r"apat_[\w-]{43}")
#: The admin of Acme.
ADMIN = DEMO_USERS[0].email


def sign_in(run: CheckRun) -> str:
    """The admin signs in to Tasklane with the login form."""
    page = run.admin.submit("/login", "/login", email=ADMIN, password=DEMO_PASSWORD)
    expect(
        "Tasks of" in page.text,
        expected="the task list after the login form",
        actual=describe(page),
        check="that DATABASE_URL has the demo's users",
    )
    return f"{ADMIN} at {run.admin.site}"


def install_piece(run: CheckRun) -> str:
    """Install Tasklane's piece in Activepieces. The flow also needs the webhook piece of the catalog."""
    try:
        run.webhook_version = run.api_client.pieces.get(WEBHOOK_PIECE).version
    except ResourceNotFound:
        raise CheckFailed(
            expected=f"{WEBHOOK_PIECE} in the catalog of {run.activepieces.url}",
            actual="a catalog without it, as on a server without Internet access",
            check="Platform Admin, Pieces, and install it there: from npm by its name, or without"
            f" Internet access from the archive that `npm pack {WEBHOOK_PIECE}` creates",
        ) from None
    installer = PieceInstaller(run.api_client, node=shutil.which("node"))
    plan = installer.plan(run.manifest(FIRST_VERSION))
    if not plan.is_needed:
        assert plan.installed is not None
        run.piece_version = plan.installed
        return f"{PIECE.name} {plan.installed} (already installed)"
    installer.install(build_archive(run.manifest(plan.version)))
    run.piece_version = plan.version
    return f"{PIECE.name} {plan.version}"


def set_up(run: CheckRun) -> str:
    """The admin links Acme with Activepieces. The response never shows the key or the password."""
    created = run.call_api(
        "POST",
        "/setup",
        run.activepieces.setup(),
        status=201,
        check="the key or the user, and that ACTIVEPIECES_PROJECT_ID names one of their projects",
    )
    run.integration_id = created["integrationTenantId"]
    path = f"/setup/{run.integration_id}"
    run.clean_ups.append(("the link of Acme", lambda: run.delete(path)))

    integration = run.call_api("GET", path, check="the integration")
    expect(
        not any(secret in str(integration) for secret in run.activepieces.secrets),
        expected="a masked credential",
        actual="the key or the password itself",
        check=f"the response of GET {path}",
    )
    run.project_id = integration["projectId"]
    return f"project {run.project_id}, credential {integration['credentialHint']}"


def connect_by_secret_text(run: CheckRun) -> str:
    """Create a connection from a personal access token, which the piece checks."""
    form = {"name": f"Check {run.run_id}", "workspace": "acme", "expires": "30", "scope": "tasks:read"}
    page = run.admin.submit("/oauth/personal-tokens/new", "/personal-tokens/new", **form)
    found = TOKEN.search(page.text)
    expect(found is not None, expected="a new token", actual=describe(page), check="the page of connected apps")
    assert found is not None
    connection = run.call_api(
        "POST",
        "/connection",
        {
            "integrationId": run.integration_id,
            "accessToken": found.group(),
            "pieceName": PIECE.name,
            "connectionName": f"Check {run.run_id}, access token",
        },
        status=201,
        check=f"that {run.activepieces.url} has {PIECE.name}",
    )
    return _expect_active(run, connection)


def connect_with_one_click(run: CheckRun) -> str:
    """Tasklane issues a code in the admin's name, and Activepieces redeems it."""
    run.connection = run.call_api(
        "POST",
        f"/connections/{run.integration_id}/connect",
        status=201,
        check=f"that Activepieces reaches {run.admin.site};"
        " a private network address must be in its AP_SSRF_ALLOW_LIST",
    )
    run.token_was_used()
    summary = _expect_active(run, run.connection)
    expect(
        bool(run.events_named("token.issued")),
        expected="Activepieces to redeem the code",
        actual="no request at the token endpoint",
        check="that ACTIVEPIECES_PUBLIC_URL leads to this process",
    )
    return f"{summary}, and the code was redeemed"


def allow_embedding(run: CheckRun) -> str:
    """Pages of Tasklane may show the builder of Activepieces."""
    with run.app.app_context():
        return ", ".join(activepieces.embedding.allow_origins())


def _expect_active(run: CheckRun, connection: dict[str, Any]) -> str:
    path = f"/connections/{run.integration_id}/{connection['id']}"
    run.clean_ups.append((f"connection {connection['id']}", lambda: run.delete(path)))
    expect(
        connection["status"] == "ACTIVE",
        expected="an ACTIVE connection",
        actual=connection["status"],
        check=f"connection {connection['id']} in Activepieces",
    )
    return f"{connection['type']} connection {connection['id']}"
