"""``python -m example_app --demo``: Tasklane and a stand-in for Activepieces, already linked.

``flask --app example_app.demo …`` runs a command on the demo's database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event

from flask import Flask

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.errors import SetupError
from flask_activepieces.testing import ActivepiecesServer

from . import create_app as create_tasklane
from .check import flow_steps, setup_steps
from .check.browser import Browser
from .check.run import CheckRun
from .check.servers import ACCESS_TOKEN_TTL, ActivepiecesAccess
from .seed import COMPANIES, IncompatibleTables
from .serving import listen, serve
from .welcome import suggestions, welcome

FOLDER = Path(__file__).parents[1] / "instance" / "demo"
#: In the folder: the address of Tasklane and its settings for the stand-in at the last start, for commands.
SETTINGS = "settings.json"
FLOW_NAME = "Tasks by webhook"
#: A real server responds after 30 seconds if a run fails, which is too long for a demo.
WEBHOOK_TIMEOUT = 5


def serve_demo(*, host: str, port: int, activepieces_port: int) -> None:
    """Run both servers until Ctrl-C, and print what to try."""
    ports = {"port": port, "activepieces_port": activepieces_port}
    with suppress(KeyboardInterrupt), start_demo(FOLDER, host=host, **ports) as instructions:
        print(instructions, flush=True)
        Event().wait()


@contextmanager
def start_demo(folder: Path, *, host: str = "127.0.0.1", port: int = 0, activepieces_port: int = 0) -> Iterator[str]:
    """Run both servers until the block ends, with their data in ``folder``; yields the instructions for users."""
    listen("127.0.0.1", activepieces_port).close()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        ActivepiecesServer(
            port=activepieces_port, database=folder / "activepieces.db", webhook_timeout=WEBHOOK_TIMEOUT
        ) as activepieces,
        serve(lambda url: make_app(settings_for(url, activepieces, folder), folder), host=host, port=port) as (
            app,
            url,
        ),
    ):
        yield f"{welcome(url)}\n{link_acme(app, url, activepieces)}"


def create_app(folder: Path = FOLDER) -> Flask:
    """The demo's app for a command, which ``flask --app`` calls; the demo may run at the same time."""
    try:
        settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    except FileNotFoundError:
        raise SystemExit("The demo has no database yet: run `make demo` once.") from None
    return make_app(settings, folder)


def settings_for(url: str, activepieces: ActivepiecesServer, folder: Path) -> dict[str, object]:
    """Tasklane's settings for the stand-in, which has new keys at each start; commands read them from the folder."""
    key_id, signing_key = activepieces.add_signing_key()
    settings = {
        "ACTIVEPIECES_PUBLIC_URL": url,
        "ACTIVEPIECES_BASE_URL": activepieces.url,
        "ACTIVEPIECES_API_KEY": activepieces.api_key,
        "ACTIVEPIECES_SIGNING_KEY": signing_key,
        "ACTIVEPIECES_SIGNING_KEY_ID": key_id,
        "ACTIVEPIECES_EMBED_SDK_URL": activepieces.embed_sdk_url,
        # Activepieces refreshes the token on every use, so a revoked grant has an immediate effect.
        "ACTIVEPIECES_ACCESS_TOKEN_TTL": ACCESS_TOKEN_TTL,
        # Cursor and mcp-remote register themselves.
        "ACTIVEPIECES_DYNAMIC_REGISTRATION": True,
    }
    (folder / SETTINGS).write_text(json.dumps(settings), "utf-8")
    return settings


def make_app(settings: Mapping[str, object], folder: Path) -> Flask:
    """Tasklane with these settings."""
    config = dict(settings)
    if os.environ.get("DATABASE_URL"):
        return create_tasklane(config)
    config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'tasklane.db'}"
    try:
        return create_tasklane(config)
    except IncompatibleTables as error:
        remedy = f"Remove the folder {folder}; the next start creates its contents again."
        raise SetupError(f"{error} {remedy}") from error


def link_acme(app: Flask, url: str, activepieces: ActivepiecesServer) -> str:
    """Link Acme and build its flow, unless it exists. Globex stays unlinked. Returns what to try."""
    api_client = ActivepiecesClient(activepieces.url, api_key=activepieces.api_key)
    projects = {company: ensure_project(api_client, company) for company in ("acme", "globex")}
    access = ActivepiecesAccess(
        activepieces.url,
        activepieces.api_key,
        project_id=projects["acme"],
        email=activepieces.email,
        password=activepieces.password,
    )
    with closing(Browser(url)) as admin:
        run = CheckRun(app, access, admin, api_client, flow_name=FLOW_NAME)
        setup_steps.sign_in(run)
        setup_steps.install_piece(run)
        setup_steps.set_up(run)
        setup_steps.connect_with_one_click(run)
        setup_steps.allow_embedding(run)
        flows = api_client.flows.list(run.project_id, name=FLOW_NAME)
        if flows:
            run.flow_id = flows[0].id
        else:
            flow_steps.build_flow(run)
    return suggestions(
        url,
        activepieces.url,
        api_key=activepieces.api_key,
        email=activepieces.email,
        password=activepieces.password,
        integration_id=run.integration_id,
        flow_id=run.flow_id,
        project_id=run.project_id,
    )


def ensure_project(api_client: ActivepiecesClient, company: str) -> str:
    """The id of the project with the company's id as its external id, by which linking finds it."""
    project = api_client.projects.find(company)
    if project is None:
        project = api_client.projects.create(COMPANIES[company], external_id=company)
    return project.id
