"""``flask activepieces piece``: build, show, compare and install the app's piece."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from ..api_client.client import ActivepiecesClient
from ..api_client.credentials import ApiKey, Credential, EmailPassword, UserToken
from ..errors import SetupError
from ..pieces.archive import build_archive
from ..pieces.installing.installer import PieceInstaller, Plan
from ..pieces.installing.versions import FIRST_VERSION
from ..state import get_state
from .output import counted, json_option, print_json, print_rows, printable

piece_cli = AppGroup("piece", help="Build, compare and install the app's piece.")

#: Activepieces accepts no pre-releases.
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
#: How every API key of Activepieces begins.
_API_KEY = "sk-"
_COLUMNS = ("kind", "name", "title", "fields")


def _check_version(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _VERSION.fullmatch(value):
        raise click.BadParameter("must be three numbers: 1.2.3")
    return value


@piece_cli.command("build")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    help="The directory of the package.",
)
@click.option(
    "--version", callback=_check_version, default=FIRST_VERSION, show_default=True, help="The version of the package."
)
@json_option
def build(output: Path, version: str, as_json: bool) -> None:
    """Write the piece as an npm package (.tgz)."""
    archive = build_archive(_manifest(version))
    output.mkdir(parents=True, exist_ok=True)
    path = output / archive.file_name
    path.write_bytes(archive.content)
    if as_json:
        digest = hashlib.sha256(archive.content).hexdigest()
        print_json({"name": archive.name, "version": archive.version, "path": str(path), "sha256": digest})
    else:
        click.echo(f"Built {archive.name} {archive.version}: {path}")


@piece_cli.command("show")
@json_option
def show(as_json: bool) -> None:
    """List the actions, triggers and kinds of authentication. With --json, print the whole manifest."""
    manifest = _manifest(FIRST_VERSION)
    if as_json:
        print_json(manifest)
    else:
        print_rows(list(_rows(manifest)), _COLUMNS, empty="The piece is empty.", as_json=False)


@piece_cli.command("diff")
@json_option
def diff(as_json: bool) -> None:
    """Compare the piece with the newest version on the server."""
    plan = PieceInstaller(_client()).plan(_manifest(FIRST_VERSION))
    if as_json:
        print_json(_plan_json(plan))
    else:
        _print_plan(plan)


@piece_cli.command("install")
@click.option(
    "--version", callback=_check_version, help="The version to install, instead of the one that the changes require."
)
@click.option("--force", is_flag=True, help="Install the piece even if the server has the same one.")
@json_option
def install(version: str | None, force: bool, as_json: bool) -> None:
    """Install the piece on the server, and wait until it can be used. Does nothing if the server has the same piece.

    Uses PIECE_INSTALL_TOKEN, PIECE_INSTALL_EMAIL with PIECE_INSTALL_PASSWORD, or the app's API key.
    """
    installer = PieceInstaller(_client(), node=shutil.which("node"))
    plan = installer.plan(_manifest(FIRST_VERSION))
    is_installed = plan.is_needed or force or version is not None
    new_version = version or plan.version
    if not as_json:
        _print_plan(plan)
    if is_installed:
        installer.install(build_archive(_manifest(new_version)))
    if as_json:
        print_json({**_plan_json(plan), "version": new_version, "is_installed": is_installed})
    elif is_installed:
        click.echo(f"Installed version {new_version}.")


def _manifest(version: str) -> Mapping[str, Any]:
    return get_state().piece.manifest(version=version)


def _client() -> ActivepiecesClient:
    settings = get_state().settings
    return ActivepiecesClient(settings.base_url, credential=_credential(settings.api_key))


def _credential(api_key: str | None) -> Credential:
    """The credential, from the environment: options would show it to other users and in the history of the shell."""
    token, email = os.environ.get("PIECE_INSTALL_TOKEN"), os.environ.get("PIECE_INSTALL_EMAIL")
    password = os.environ.get("PIECE_INSTALL_PASSWORD")
    if token:
        return ApiKey(token) if token.startswith(_API_KEY) else UserToken(token)
    if email and password:
        return EmailPassword(email, password)
    if api_key:
        return ApiKey(api_key)
    raise SetupError(
        "No credential for Activepieces: set the environment variable PIECE_INSTALL_TOKEN to an API key, or the app's"
        " setting ACTIVEPIECES_API_KEY. The Community Edition has no API keys: set PIECE_INSTALL_EMAIL and"
        " PIECE_INSTALL_PASSWORD of an admin, or PIECE_INSTALL_TOKEN to the token of a signed-in admin."
    )


def _rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    connections = [
        {
            "kind": "connection",
            "name": each["type"],
            "title": each["displayName"],
            "fields": list(each.get("props", ())),
        }
        for each in manifest["auth"]
    ]
    steps = [
        {"kind": kind, "name": name, "title": each["displayName"], "fields": list(each["props"])}
        for kind in ("action", "trigger")
        for name, each in manifest[f"{kind}s"].items()
    ]
    return [*connections, *steps]


def _print_plan(plan: Plan) -> None:
    for change in plan.changes:
        click.echo(printable(f"{change.level.name.lower()}: {change.text}"))
    if plan.installed is None:
        click.echo(f"The piece is not installed yet; its first version is {plan.version}.")
    elif plan.changes:
        click.echo(f"Version {plan.installed} is installed; the next version is {plan.version}.")
    else:
        click.echo(f"Version {plan.installed} is installed, and nothing has changed.")
    if plan.flows:
        flows = counted(len(plan.flows), "flow")
        click.echo(f"Warning: {flows} must be changed before using the new version:", err=True)
    for flow in plan.flows:
        click.echo(printable(f"  {flow.display_name} ({flow.id}) uses {', '.join(flow.versions)}"), err=True)


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "installed": plan.installed,
        "version": plan.version,
        "is_major": plan.is_major,
        "changes": [{"level": change.level.name.lower(), "text": change.text} for change in plan.changes],
        "flows": [{**vars(flow), "versions": list(flow.versions)} for flow in plan.flows],
    }
