"""``python -m example_app --demo``: Tasklane with a small Activepieces beside it, the two linked already.

``flask --app example_app.demo …`` runs a command on the demo's database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event

from flask import Flask

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.errors import SetupError
from flask_activepieces.testing import ActivepiecesServer

from . import create_app as create_tasklane
from .check import linking, running
from .check.browser import Browser
from .check.loop import Loop
from .check.places import ACCESS_TOKEN_TTL, Place
from .seed import COMPANIES, OtherTables
from .serving import listening, served
from .welcome import welcome, what_to_try

FOLDER = Path(__file__).parents[1] / "instance" / "demo"
#: In the folder: where the two servers were served last, for commands.
ADDRESSES = "addresses.json"
FLOW = "Tasks by webhook"
#: A real server answers for a failed run after 30 seconds, which is long for a demo.
WEBHOOK_SECONDS = 5


def demo(*, host: str, port: int, activepieces_port: int) -> None:
    """Serve both until Ctrl-C, and tell what to try."""
    ports = {"port": port, "activepieces_port": activepieces_port}
    with suppress(KeyboardInterrupt), running_demo(FOLDER, host=host, **ports) as what_to_do:
        print(what_to_do, flush=True)
        Event().wait()


@contextmanager
def running_demo(
    folder: Path, *, host: str = "127.0.0.1", port: int = 0, activepieces_port: int = 0
) -> Iterator[str]:
    """What to do with the two servers, which run as long as the block and remember things in ``folder``."""
    listening("127.0.0.1", activepieces_port).close()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        ActivepiecesServer(
            port=activepieces_port,
            database=folder / "activepieces.db",
            webhook_timeout=WEBHOOK_SECONDS,
        ) as activepieces,
        served(lambda url: make_app(url, activepieces.url, folder), host=host, port=port) as (
            app,
            url,
        ),
    ):
        addresses = {"url": url, "activepieces_url": activepieces.url}
        (folder / ADDRESSES).write_text(json.dumps(addresses), "utf-8")
        yield f"{welcome(url)}\n{linked(app, url, activepieces)}"


def create_app(folder: Path = FOLDER) -> Flask:
    """The demo's app for a command; the demo itself may run at the same time. Called by ``flask --app``."""
    try:
        addresses = json.loads((folder / ADDRESSES).read_text("utf-8"))
    except FileNotFoundError:
        raise SystemExit("The demo has no database yet: run `make demo` once.") from None
    return make_app(addresses["url"], addresses["activepieces_url"], folder)


def make_app(url: str, activepieces_url: str, folder: Path) -> Flask:
    """Tasklane at this address, beside this Activepieces."""
    config: dict[str, object] = {
        "ACTIVEPIECES_BASE_URL": activepieces_url,
        "ACTIVEPIECES_PUBLIC_URL": url,
        # Refreshed at every use, so that a permission that was taken back shows at once.
        "ACTIVEPIECES_ACCESS_TOKEN_TTL": ACCESS_TOKEN_TTL,
    }
    if os.environ.get("DATABASE_URL"):
        return create_tasklane(config)
    config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'tasklane.db'}"
    try:
        return create_tasklane(config)
    except OtherTables as error:
        remedy = f"Remove the folder {folder}: all that is in it is made anew."
        raise SetupError(f"{error} {remedy}") from error


def linked(app: Flask, url: str, activepieces: ActivepiecesServer) -> str:
    """What there is to try, once Acme is linked and a flow of its own works; Globex is left as it is."""
    client = ActivepiecesClient(activepieces.url, api_key=activepieces.api_key)
    projects = {company: project_of(client, company) for company in ("acme", "globex")}
    place = Place(
        activepieces.url,
        activepieces.api_key,
        project_id=projects["acme"],
        email=activepieces.email,
        password=activepieces.password,
    )
    with closing(Browser(url)) as admin:
        loop = Loop(app, place, admin, client, flow_name=FLOW)
        for step in (
            linking.sign_in,
            linking.install_pieces,
            linking.set_up,
            linking.connect_with_one_click,
        ):
            step(loop)
        flows = client.flows.list(loop.project_id, name=FLOW)
        if flows:
            loop.flow_id = flows[0].id
        else:
            running.build_flow(loop)
    return what_to_try(
        url,
        activepieces.url,
        api_key=activepieces.api_key,
        email=activepieces.email,
        password=activepieces.password,
        integration_id=loop.integration_id,
        flow_id=loop.flow_id,
        project_id=loop.project_id,
    )


def project_of(client: ActivepiecesClient, company: str) -> str:
    """The project of this company, by whose id it is found when the company is linked."""
    found = client.projects.find(company)
    return (found or client.projects.create(COMPANIES[company], external_id=company)).id
