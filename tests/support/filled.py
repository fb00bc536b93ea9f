"""An app in which everything exists once, in each state, and a crawl of all of its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from sqlalchemy import insert

from flask_activepieces import get_state, signals
from flask_activepieces.storage import tables
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp

from .actors import Person, Program, answer_of
from .api_user import PIECE, ApiUser
from .automation import AREA, AreaUser
from .clock import START
from .document_clients import ACCEPTING, Site, agent
from .pages import Form, Page
from .pieces import Flow, create_token, emit, make_piece_app
from .standin import Standin, action, answering, standin
from .storage import engine_of

SITE = "http://localhost"
#: Where the crawl begins; it follows the links.
ENTRANCES = [AREA, "/oauth/connected-apps", "/oauth/personal-tokens/new", f"{AREA}/workspace"]
#: Pages for people; what other links of the pages lead to is not.
_PAGES = re.compile(rf"({AREA}|/oauth/(connected-apps|personal-tokens))(?!.*(\.csv|\.css|\.js)$)")


@dataclass
class Filled:
    """The app, its admin, and the pages that were found."""

    app: Flask
    server: ActivepiecesServer
    admin: AreaUser
    consents: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[tuple[str, Page]]:
        """Every page that the admin can reach by links, the forms with their errors included."""
        waiting, seen = [*ENTRANCES, *self.consents, f"{AREA}/clients/unknown"], set()
        while waiting:
            address = waiting.pop(0)
            if _pattern(address) in seen:
                continue
            seen.add(_pattern(address))
            page = self.open(address)
            yield address, page
            waiting += [link for link in page.links.values() if _PAGES.match(link)]
            for form in page.forms:
                if form.action.endswith(("/new", "/edit", "/link", "/add", "/rename", "/replace", "/mcp")):
                    yield f"{address} with an invalid form", self.send_nothing(form)

    def failing_pages(self) -> Iterator[tuple[str, Page]]:
        """The pages of the area while Activepieces refuses or fails, and those of other users."""
        for status in (401, 402, 403, 404, 429, 500):
            self.server.faults.fail("*", "*", status, times=None)
            for name in ("", "/connections", "/flows", "/runs", "/mcp", "/piece", "/setup"):
                yield f"{AREA}{name} while Activepieces answers {status}", self.open(AREA + name)
            self.server.faults.clear()
        for user in ("bob", "carol"):
            self.admin.browser.get("/login", query_string={"as": user}, base_url=SITE)
            for address in ENTRANCES:
                yield f"{address} for {user}", self.open(address)

    def mistyped_pages(self) -> Iterator[tuple[str, Page]]:
        """The pages at addresses that someone cut off or mistyped."""
        lists = ("/connections", "/connections/services", "/flows", "/runs", "/deliveries", "/subscriptions")
        others = ("/clients", "/agents", "/audit", "/setup", "/workspace", "/connections/add", "/builder", "/mcp")
        queries = (
            "?cursor=x&tokens_cursor=x&page=x&status=x&state=x&flow=x&order=x&kind=x&since=x&until=x&piece=x&way=x"
        )
        for name in (*lists, *others):
            for query in ("", queries, *(f"?{one}" for one in queries[1:].split("&"))):
                yield AREA + name + query, self.open(AREA + name + query)
        for query in ("?cursor=x", "?tokens_cursor=x"):
            yield f"/oauth/connected-apps{query}", self.open(f"/oauth/connected-apps{query}")
        for name in (
            "/deliveries/x",
            "/deliveries/0",
            "/connections/x",
            "/connections/x/reconnect",
            "/clients/x/edit",
        ):
            yield AREA + name, self.open(AREA + name)

    def open(self, address: str) -> Page:
        return Page(self.admin.browser.get(address, follow_redirects=True, base_url=SITE))

    def send_nothing(self, form: Form) -> Page:
        """What an empty form leads to."""
        kept = {name: value for name, value in form.values.items() if name.endswith(("token", "with", "external_id"))}
        return Page(self.admin.browser.post(form.action, data=kept, follow_redirects=True, base_url=SITE))


def _pattern(address: str) -> str:
    """The page without the values of its filters: each kind of filter is visited once."""
    return re.sub(r"(cursor|flow|status)=[^&]*", r"\1", address)


def filled_app(make_app: MakeApp, server: ActivepiecesServer, agents: Site, **options: Any) -> Filled:
    """The small host with a piece, linked, and with one of everything."""
    app, effects = make_piece_app(
        make_app, **ACCEPTING, ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_PUBLIC_URL=SITE, **options
    )
    admin = AreaUser(app)
    admin.site = SITE
    admin.browser.get("/login?as=alice", base_url=SITE)
    admin.links(server)
    add_connections(admin, server)
    flows = add_flows(server)
    add_runs(server, flows)
    add_deliveries(app, effects.triggers["task_done"], server, flows)
    consents = add_clients(app, agents)
    add_events(app)
    return Filled(app, server, admin, consents)


def add_connections(admin: AreaUser, server: ActivepiecesServer) -> None:
    """One that works, with a flow, and one that is broken."""
    user = ApiUser(admin, SITE)
    working, broken = user.saves("Our key"), user.saves("Old key")
    auth = f"{{{{connections['{working['externalId']}']}}}}"
    flow = standin(server).flow(action("step_1", PIECE, "whoami", auth=auth))
    standin(server).operate(flow, "CHANGE_NAME", {"displayName": "With our key"})
    server.break_connection(broken["externalId"])


def add_flows(server: ActivepiecesServer) -> dict[str, str]:
    """One that is on, one that is off, and a draft."""
    activepieces, flows = standin(server), {}
    for name in ("Welcome", "Goodbye", "Sketch"):
        flows[name] = activepieces.flow(answering("step_1", "done"), publish=False)
        activepieces.operate(flows[name], "CHANGE_NAME", {"displayName": name})
        if name != "Sketch":
            activepieces.operate(flows[name], "LOCK_AND_PUBLISH", {})
    activepieces.operate(flows["Goodbye"], "CHANGE_STATUS", {"status": "DISABLED"})
    return flows


def add_runs(server: ActivepiecesServer, flows: dict[str, str]) -> None:
    """A run that failed, and one that succeeded."""
    failing = standin(server).flow(action("step_1", PIECE, "whoami", auth="{{connections['missing']}}"))
    standin(server).operate(failing, "CHANGE_NAME", {"displayName": "Failing"})
    for flow in (failing, flows["Welcome"]):
        Standin(server, "").ask("POST", f"/webhooks/{flow}", {})
    server.finish_runs()


def add_deliveries(app: Flask, trigger: Any, server: ActivepiecesServer, flows: dict[str, str]) -> None:
    """Events that arrived and events that did not, to flows of which one is paused."""
    person = Person(app, "bob")
    known = {"Welcome": flows["Welcome"], "Goodbye": flows["Goodbye"], "A deleted flow": "abcdefghijklmnopqrstu"}
    for name, flow in known.items():
        flow_user = Flow(app, create_token(person, name=name))
        answer_of(flow_user.subscribes(url=f"{server.url}/api/v1/webhooks/{flow}"), 201)
    emit(app, trigger, "Sweep")
    with app.app_context():
        get_state().delivery.worker(threads=1).run_once()
    emit(app, trigger, "Mop")


def add_clients(app: Flask, agents: Site) -> list[str]:
    """Clients in use and not in use, and an agent; returns authorization URLs that show the consent page."""
    program = Program.registered(app, "--tenant", "acme", "--description", "Moves your tasks about")
    program.connects(Person(app, "bob"))
    Program.registered(app, "--tenant", "acme", "--public")
    admin = Person(app, "alice")
    program.connects(admin)
    robin = agent(app, agents, client_name="Robin")
    robin.connects(admin)
    create_token(admin, name="Nightly export")
    return [program.question(), robin.question()]


def add_events(app: Flask) -> None:
    """An audit event of each kind, and one of a later version."""
    detail = {
        "display_name": "Our key",
        "flow": "Welcome",
        "name": "Nightly export",
        "version": "1.0.0",
        "tool": "Add",
    }
    ids = dict.fromkeys(("client_id", "grant_id", "family_id"))
    event = {"tenant_id": "acme", "user_id": "alice", "detail": json.dumps(detail), "at": START, **ids}
    with engine_of(app).begin() as conn:
        conn.execute(insert(tables.audit_events), [{**event, "name": name} for name in signals.BY_NAME])


class ShownTexts(HTMLParser):
    """The texts of a page that we wrote, apart from values to copy, times, and what people entered."""

    _SKIPPED = ("script", "style", "code", "pre", "textarea", "time")
    _READ_ALOUD = ("aria-label", "alt", "title", "placeholder", "data-label", "data-copy-label", "data-busy")
    _WITHOUT_END = ("input", "meta", "link", "img", "br", "hr")
    #: What does not end a text.
    _INLINE = ("a", "bdi", "span", "strong", "time", "code")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        #: Names that people chose are isolated, so that they do not disturb the direction of the text around them.
        self.names: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._text = ""
        self.feed(html)
        self._end_text()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag not in self._INLINE:
            self._end_text()
        if tag not in self._WITHOUT_END:
            is_name = tag == "bdi" or attributes.get("dir") in ("auto", "ltr")
            self._open.append((tag, is_name and tag != "html"))
        if tag != "time":
            self.texts += [value for name in self._READ_ALOUD if (value := attributes.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._INLINE:
            self._end_text()
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(tag in self._SKIPPED for tag, _ in self._open):
            return
        if any(is_name for _, is_name in self._open):
            self.names.append(" ".join(data.split()))
        else:
            self._text += data

    def _end_text(self) -> None:
        text, self._text = " ".join(self._text.split()), ""
        if text:
            self.texts.append(text)
