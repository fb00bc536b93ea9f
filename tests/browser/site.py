"""The example app and the stand-in on local ports, with one of everything that the pages show."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import StrictUndefined
from sqlalchemy import insert

from docs.screenshots import AGENT, accept_agent
from example_app.activepieces import SCOPES
from example_app.check import flow_steps, setup_steps
from example_app.check.browser import Browser
from example_app.check.run import CheckRun
from example_app.check.servers import ActivepiecesAccess
from example_app.demo import ensure_project, make_app, settings_for
from example_app.serving import serve
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.browser.service import Service, service
from tests.example_app.actors import ALL_SCOPES, Person, Program
from tests.flows.automation.test_new_connection import CREDENTIALS_ONLY, client_credentials, every_field
from tests.support.acme import acme_pieces
from tests.support.standin import action, catch_webhook, standin
from tests.support.storage import engine_of, rows_of

SECRET = "@activepieces/piece-acme-secret"
BASIC = "@activepieces/piece-acme-basic"
SERVICE = "@activepieces/piece-acme-oauth"
EVERY_FIELD = "@acme/piece-every-field"
MACHINES = CREDENTIALS_ONLY
OWN_PIECE = "@tasklane/piece-tasklane"
AI = "@activepieces/piece-ai"
#: The scopes of a program that deletes something.
DELETING = f"{ALL_SCOPES} tasks:delete"
#: What the demo adds to Tasklane's settings here.
SETTINGS = {
    "ACTIVEPIECES_THIRD_PARTY_APPS": {SERVICE: {"client_id": "our-app", "client_secret": "our-secret"}},
    "ACTIVEPIECES_SCOPES": {**SCOPES, "tasks:delete": "Delete tasks of the workspace"},
}


@dataclass
class Site:
    """Tasklane and Activepieces. Acme is linked with a key and a user, Globex with the key of the app."""

    app: Flask
    url: str
    activepieces: ActivepiecesServer
    #: The third party at which users sign in.
    service: Service
    database: Path
    #: Names of what the pages need in their addresses: the connection, flow, client, …
    ids: dict[str, str] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)

    @property
    def api_client(self) -> ActivepiecesClient:
        """Calls Activepieces as its own admin."""
        return ActivepiecesClient(self.activepieces.url, api_key=self.activepieces.api_key)

    def address_of(self, path: str) -> str:
        """The path with the ids that it names."""
        return self.url + path.format(**self.ids)

    def run(self, *arguments: str) -> str:
        """The output of a command."""
        result = self.app.test_cli_runner().invoke(args=["activepieces", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    def keep(self) -> None:
        """Remember the data of both servers, for `restore`."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self.database)) as live:
            live.backup(copy)
        self._kept = [copy, self.activepieces.state.store.snapshot()]

    def restore(self) -> None:
        """Bring the data of both servers back."""
        copy, rows = self._kept
        self.activepieces.state.jobs.wait()
        self.activepieces.state.store.restore(rows)
        self.activepieces.faults.clear()
        with closing(sqlite3.connect(self.database)) as live:
            copy.backup(live)


@contextmanager
def example_site(folder: Path, **settings: object) -> Iterator[Site]:
    """Both servers, with one of everything, and Tasklane with these settings."""
    with ExitStack() as stack:
        third_party = stack.enter_context(service())
        pieces = [*acme_pieces(third_party.url), every_field(), client_credentials(third_party.url)]
        activepieces = stack.enter_context(
            ActivepiecesServer(database=folder / "activepieces.db", pieces=pieces, webhook_timeout=5)
        )
        app, url = stack.enter_context(
            serve(lambda url: make_app(settings_for(url, activepieces, folder) | SETTINGS | settings, folder))
        )
        app.jinja_env.undefined = StrictUndefined
        site = Site(app, url, activepieces, third_party, folder / "tasklane.db")
        fill(site)
        site.keep()
        yield site


def fill(site: Site) -> None:
    """Link the companies, and make one of everything."""
    projects = {company: ensure_project(site.api_client, company) for company in ("acme", "globex")}
    access = ActivepiecesAccess(
        site.activepieces.url,
        site.activepieces.api_key,
        project_id=projects["acme"],
        email=site.activepieces.email,
        password=site.activepieces.password,
    )
    with closing(Browser(site.url)) as admin:
        run = CheckRun(site.app, access, admin, site.api_client, flow_name="Tasks by webhook")
        for step in (
            setup_steps.sign_in,
            setup_steps.install_piece,
            setup_steps.set_up,
            setup_steps.connect_with_one_click,
            setup_steps.allow_embedding,
            flow_steps.build_flow,
            flow_steps.run_flow,
            flow_steps.enable_trigger,
        ):
            step(run)
        _add_connections(site, run)
        _add_flows(site, run)
        _add_runs(site)
        _add_deliveries(site, run)
    _add_clients(site)
    _add_tool_calls(site)
    _link_globex(site)


def _add_connections(site: Site, run: CheckRun) -> None:
    """A connection that works and is used, another one, and one that stopped working."""
    site.ids |= {"acme": run.integration_id, "own connection": run.connection["id"]}
    for name in ("Our key", "Another key", "Broken key"):
        body = {
            "integrationId": run.integration_id,
            "accessToken": "ok-secret",
            "pieceName": SECRET,
            "connectionName": name,
        }
        saved = run.call_api("POST", "/connection", body, status=201, check="the piece")
        site.ids[name] = saved["id"]
    site.activepieces.break_connection(saved["externalId"], project_id=run.project_id)


def _add_flows(site: Site, run: CheckRun) -> None:
    """Besides the two flows that are on: one that is off and uses a connection, and a draft."""
    site.ids |= {"flow": run.flow_id, "new tasks": run.trigger_flow_id}
    flows, activepieces = site.api_client.flows, standin(site.activepieces)
    external_id = site.api_client.connections.get(run.project_id, site.ids["Our key"]).external_id
    archive = flows.create(run.project_id, "Archive").id
    activepieces.operate(archive, "UPDATE_TRIGGER", catch_webhook())
    ask = action("step_1", SECRET, "whoami", auth=f"{{{{connections['{external_id}']}}}}")
    activepieces.operate(archive, "ADD_ACTION", {"parentStep": "trigger", "action": ask})
    flows.publish(archive)
    flows.disable(archive)
    flows.create(run.project_id, "Draft")


def add_agent_flow(site: Site) -> None:
    """A draft of Acme with the step "Run Agent"."""
    activepieces = standin(site.activepieces)
    project_id = site.api_client.flows.get(site.ids["flow"]).project_id
    flow_id = site.api_client.flows.create(project_id, "Sort tasks").id
    activepieces.operate(flow_id, "UPDATE_TRIGGER", catch_webhook())
    ask = action("step_1", AI, "run_agent", prompt="Sort the tasks", agentTools=[])
    activepieces.operate(flow_id, "ADD_ACTION", {"parentStep": "trigger", "action": ask})
    site.ids["agent flow"] = flow_id


def _add_runs(site: Site) -> None:
    """A run that failed, beside one that succeeded."""
    store = site.activepieces.state.store
    succeeded = store.all("flow_run")[0]
    failed = {"displayName": "Create task", "name": "step_1", "message": '{"message": "The title is too long."}'}
    row = {name: value for name, value in succeeded.items() if name not in ("id", "created", "updated")}
    site.ids["failed run"] = store.add("flow_run", {**row, "status": "FAILED", "failedStep": failed})["id"]


def _add_deliveries(site: Site, run: CheckRun) -> None:
    """An event that arrived, and one that Activepieces did not accept."""
    for number, status in enumerate((None, 400), start=1):
        if status:
            site.activepieces.faults.fail("POST", "/webhooks/*", status)
        run.admin.submit("/", "/tasks", title=f"Task {number} ({run.run_id})")
        wait_until(partial(_has_ended, site, number))


def _has_ended(site: Site, number: int) -> bool:
    """Whether this many deliveries are over."""
    states = [row["state"] for row in rows_of(site.app, "deliveries")]
    return len(states) == number and "pending" not in states


def _add_clients(site: Site) -> None:
    """A client that Ada and Milo approved, one for Activepieces, an agent, and a personal access token of Ada."""
    ada, milo = Person(site.app, "admin@acme.test"), Person(site.app, "member@acme.test")
    program = Program.register(site.app, "--tenant", "acme", redirect_uri=site.service.callback)
    for person in (ada, milo):
        program.connect(person)
    site.ids |= {"program": program.client_id, "authorize": program.authorize_url()}
    public = Program.register(site.app, redirect_uri=site.service.callback)
    site.ids["public authorize"] = public.authorize_url()
    options = ["--preset", "activepieces", "--no-pkce", "--tenant", "acme", "--scope", ALL_SCOPES]
    created = site.run("client", "create", *options, "--yes", "--json")
    site.ids["client"] = json.loads(created)["client_id"]
    accept_agent(site.app)
    agent = Program(site.app, AGENT["client_id"], "", redirect_uri=AGENT["redirect_uris"][0])
    site.ids["agent"] = agent.authorize_url("profile:read tasks:read")
    form = ada.get_page("/oauth/personal-tokens/new").form("name")
    ada.submit(form, name="Nightly export", scope="tasks:read")
    cleaner = Program.register(site.app, "--name", "Cleaner", "--scope", DELETING, redirect_uri=site.service.callback)
    site.ids["deleting authorize"] = cleaner.authorize_url(DELETING)


def _add_tool_calls(site: Site) -> None:
    """Calls of an agent and of a script, among them of a tool that Tasklane no longer has."""
    grant = next(row for row in rows_of(site.app, "grants") if row["client_id"] == site.ids["program"])
    (token,) = rows_of(site.app, "personal_tokens")
    now = int(time.time())
    row = {
        "tenant_id": "acme",
        "organization_id": None,
        "user_id": grant["user_id"],
        "client_id": grant["client_id"],
        "personal_token_id": None,
        "outcome": "succeeded",
        "count": 12,
        "first_at": now,
        "last_at": now,
    }
    rows: list[dict[str, Any]] = [
        {"tool": "create_task"},
        {"tool": "create_task", "outcome": "rejected", "count": 2},
        {"tool": "create_task", "client_id": None, "personal_token_id": token["id"], "outcome": "denied", "count": 1},
        {"tool": "archive_task", "count": 3},
    ]
    with engine_of(site.app).begin() as conn:
        conn.execute(insert(tables.tool_calls), [{**row, **calls, "id": f"{n:064}"} for n, calls in enumerate(rows)])


def _link_globex(site: Site) -> None:
    """Globex, on the key of the app."""
    gwen = Person(site.app, "admin@globex.test")
    gwen.submit(gwen.get_page("/automation/setup").form("with"))
    (site.ids["globex"],) = [row["id"] for row in rows_of(site.app, "integrations") if row["tenant_id"] == "globex"]


def wait_until(is_true: Callable[[], bool], seconds: float = 10) -> None:
    """Return as soon as the condition is true."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
