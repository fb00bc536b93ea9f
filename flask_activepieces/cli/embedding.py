"""``flask activepieces embedding``: which sites embed the builder, and who is signed in to it."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup

from ..clock import as_iso
from ..integrations.embedding.store import ProvisionedUser
from ..state import get_state
from .output import HostId, counted, json_option, print_result, print_rows

embedding_cli = AppGroup("embedding", help="The embedded builder: its users, and the sites that embed it.")

_COLUMNS = ("tenant_id", "organization_id", "user_id", "project_id", "provisioned_at", "removal_due_at")


@embedding_cli.command("allow")
@click.argument("origins", nargs=-1)
@json_option
def allow(origins: tuple[str, ...], as_json: bool) -> None:
    """Let pages of these sites embed the builder, by default those of ACTIVEPIECES_PUBLIC_URL.

    Activepieces needs up to three minutes to apply it.
    """
    allowed = list(get_state().tenants.embedding.allow_origins(origins))
    print_result(allowed, f"Allowed: {', '.join(allowed)}", as_json=as_json)


@embedding_cli.command("users")
@click.option("--tenant", "tenant_id", type=HostId(), help="Only users of this tenant.")
@json_option
def list_users(tenant_id: str | None, as_json: bool) -> None:
    """List the users who may be members of a project."""
    users = get_state().tenants.embedding.provisioning.list(tenant_id=tenant_id)
    print_rows(
        [_row(user) for user in users], _COLUMNS, empty="No user is signed in to the builder.", as_json=as_json
    )


@embedding_cli.command("check")
@json_option
def check(as_json: bool) -> None:
    """Remove users who no longer have access in the app, and those whose removal has failed before.

    Exit code 1 if some could not be removed.
    """
    provisioning = get_state().tenants.embedding.provisioning
    before = len(provisioning.list())
    ended = provisioning.end_lost_access()
    left = provisioning.deprovision_due()
    result = {"checked": before, "ended": len(ended), "left": len(left)}
    lines = [f"Checked {counted(before, 'user')}, and ended the access of {len(ended)}."]
    lines += (
        [f"{counted(len(left), 'user')} could not be removed from Activepieces. The log says why."] if left else []
    )
    print_result(result, *lines, as_json=as_json)
    if left:
        raise SystemExit(1)


def _row(user: ProvisionedUser) -> dict[str, Any]:
    due = user.removal_due_at
    return {
        "tenant_id": user.tenant_id,
        "organization_id": user.organization_id or None,
        "user_id": user.user_id,
        "integration_id": user.integration_id,
        "project_id": user.project_id,
        "external_id": user.external_id,
        "provisioned_at": as_iso(user.created_at),
        "removal_due_at": None if due is None else as_iso(due),
    }
