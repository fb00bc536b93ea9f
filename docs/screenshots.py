"""``python -m docs.screenshots``: takes the pictures of the documentation from the running example app.

Each scene is a page with what a person does on it before the picture is taken, once in the light and once in the dark
color scheme. Chromium is Debian's (or ``TEST_CHROMIUM``); nothing is downloaded. To add a picture, add a scene.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from jinja2 import Environment, FileSystemLoader, TemplateNotFound
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import select

from docs.area_data import PIECES, fill
from example_app import create_app
from example_app.activepieces import SCOPES
from example_app.check.agent import Agent
from example_app.demo import link_acme, make_app, settings_for
from example_app.models import User, db
from example_app.seed import DEMO_PASSWORD
from example_app.serving import serve
from flask_activepieces.oauth.documents.client_urls import ClientUrl
from flask_activepieces.oauth.documents.connection import Limits
from flask_activepieces.oauth.documents.fetch import DEFAULT_LIFETIME, Fetched, Fetcher
from flask_activepieces.oauth.documents.service import DocumentClients
from flask_activepieces.state import EXTENSION, get_state
from flask_activepieces.testing import ActivepiecesServer

PICTURES = Path(__file__).parent / "_static" / "screenshots"
SCHEMES = ("light", "dark")
#: Chromium must not call other hosts.
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
ADMIN = "admin@acme.test"
QUALITY = 80
#: Of a page of the automation area, with the navigation beside it.
AREA_WIDTH = 1000
#: Shown in the pictures instead of the local addresses.
SHOWN_URL = "https://tasklane.example"
SHOWN_ACTIVEPIECES_URL = "https://activepieces.example"
SHOWN_HOST = "activepieces.example"
SHOW_ANOTHER_URL = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
}"""


#: An agent that no one registered. Its document is not fetched for the picture.
AGENT: dict[str, Any] = {
    "client_id": "https://claude.ai/oauth/claude-code-client-metadata",
    "client_name": "Claude Code",
    "redirect_uris": ["http://localhost/callback"],
}


#: The settings of the example app before and after the page about theming.
LOOKS: dict[str, dict[str, object]] = {
    "before": {"ACTIVEPIECES_APP_LOGO": ""},
    "after": {"ACTIVEPIECES_SUPPORT": "help@tasklane.example", "ACTIVEPIECES_ACCENT": "#0c6b5d"},
}


class TemplatesWithoutLayout(FileSystemLoader):
    """The templates of the example app, except for the one that puts our pages into its layout."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """A template of the example app."""
        if template == "flask_activepieces/base.html":
            raise TemplateNotFound(template)
        return super().get_source(environment, template)


class DocumentOfAgent(Fetcher):
    """Knows the document of the agent."""

    def fetch(self, url: ClientUrl, limits: Limits) -> Fetched:
        """The document, without a request."""
        return Fetched(json.dumps(AGENT).encode(), DEFAULT_LIFETIME)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running example app, and the clients that are registered for the pictures."""

    url: str
    activepieces_url: str
    automation_prefix: str
    #: By preset: what the command that registered it printed.
    clients: dict[str, dict[str, Any]]
    #: The same app in our layout instead of its own, by the names in `LOOKS`.
    looks: Mapping[str, Site] = field(default_factory=dict)

    def consent_url(self, preset: str, *scopes: str) -> str:
        """The address that a client sends its user to."""
        client = self.clients[preset]
        query = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uris"][0],
            "scope": " ".join(scopes),
            "state": "a-state",
            "code_challenge": "A" * 43,
            "code_challenge_method": "S256",
        }
        return f"{self.url}/oauth/authorize?{urlencode(query)}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One page. ``show`` leads the browser of the admin to what the picture shows."""

    name: str
    #: The alternative text, for those who do not see the picture.
    alt: str
    show: Callable[[Page, Site], object]
    width: int = 760


def show_consent(page: Page, site: Site) -> None:
    """The consent page, as Activepieces opens it."""
    page.goto(site.consent_url("activepieces", *SCOPES))


def show_customized_consent(page: Page, site: Site) -> None:
    """The same, with one permission less."""
    show_consent(page, site)
    page.get_by_text("Customize").click()
    page.get_by_label("Create and change tasks").uncheck()


def show_consent_before(page: Page, site: Site) -> None:
    """The consent page of an app that sets nothing."""
    show_consent(page, site.looks["before"])


def show_consent_after(page: Page, site: Site) -> None:
    """The consent page of an app with its brand."""
    show_consent(page, site.looks["after"])


def show_agent_consent(page: Page, site: Site) -> None:
    """The consent page, as an agent opens it."""
    page.goto(site.consent_url("agent", "profile:read", "tasks:read"))


def show_connected_apps(page: Page, site: Site) -> None:
    """The page of connected apps, with two apps."""
    page.goto(f"{site.url}/oauth/connected-apps")


def show_new_token(page: Page, site: Site) -> None:
    """The form for a personal access token, filled in."""
    page.goto(f"{site.url}/oauth/personal-tokens/new")
    page.locator("input[name=name]").fill("Nightly export")


def show_clients(page: Page, site: Site) -> None:
    """The OAuth clients of a tenant."""
    page.goto(f"{site.url}/automation/clients")


def show_client(page: Page, site: Site) -> None:
    """One OAuth client."""
    page.goto(f"{site.url}/automation/clients/{site.clients['activepieces']['client_id']}")


def show_area(path: str) -> Callable[[Page, Site], object]:
    """A page of the automation area."""
    return lambda page, site: page.goto(f"{site.url}{site.automation_prefix}{path}")


def show_wizard(page: Page, site: Site) -> None:
    """The wizard of the admin's other workspace, which is not linked."""
    show_area("/workspace?page=setup")(page, site)
    page.get_by_label("Acme Labs").check()
    page.get_by_role("button", name="Switch").click()
    show_area("/setup?with=password")(page, site)
    page.get_by_label("E-mail address").fill("automation@acme.example")


def show_builder(page: Page, site: Site) -> None:
    """The embedded builder in the automation area; that of the stand-in, which lists the flows."""
    page.goto(f"{site.url}{site.automation_prefix}/builder")
    page.frame_locator("#activepieces-builder iframe").get_by_text("Signed in as").wait_for()


def show_agents(page: Page, site: Site) -> None:
    """The page of AI agents, after the admin connected one."""
    consent = page.context.new_page()
    show_agent_consent(consent, site)
    # Nothing listens there, and an error page would interrupt the next navigation of this tab.
    with consent.expect_request("http://localhost/**"):
        consent.locator("button[value=approve]").click()
    consent.close()
    page.goto(f"{site.url}{site.automation_prefix}/agents")
    # The rest of the page would make the picture too large.
    page.evaluate("document.getElementById('activepieces').parentElement.remove()")


SCENES = (
    Scene(
        name="consent",
        alt="The consent page: Activepieces asks for access to the account of Ada Acker in the workspace Acme. She"
        " can customize the permissions, and approve or deny.",
        show=show_consent,
    ),
    Scene(
        name="consent-customized",
        alt="Customize shows a box beside each permission. The one to create and change tasks is unticked.",
        show=show_customized_consent,
    ),
    Scene(
        name="consent-agent",
        alt="The consent page of an agent says that it is not verified, that it calls itself Claude Code and comes"
        " from claude.ai, and that any program on the device can pretend to be it.",
        show=show_agent_consent,
    ),
    Scene(
        name="connected-apps",
        alt="The page of connected apps shows the permissions, workspace and dates of each app, and a button to"
        " disconnect it.",
        show=show_connected_apps,
    ),
    Scene(
        name="theming-before",
        alt="The consent page without settings: initials instead of logos, and blue buttons.",
        show=show_consent_before,
    ),
    Scene(
        name="theming-after",
        alt="The same page with the logo of Tasklane, green buttons and its support address.",
        show=show_consent_after,
    ),
    Scene(
        name="new-token",
        alt="The form for a personal access token asks for a name, a workspace, permissions and an expiry.",
        show=show_new_token,
    ),
    Scene(
        name="automation",
        alt="The overview of the automation area says that one connection needs attention, how many connections and"
        " flows there are, and which run failed.",
        show=show_area(""),
        width=AREA_WIDTH,
    ),
    Scene(
        name="connections",
        alt="The list of connections with their service and state. The broken one has a button to reconnect it.",
        show=show_area("/connections"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="new-connection",
        alt="The form for a connection with a mail server asks for its host, e-mail address, password and port.",
        show=show_area("/connections/add?piece=@activepieces/piece-smtp"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="flows",
        alt="The list of flows shows which are on, and has buttons to switch them off.",
        show=show_area("/flows"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="runs",
        alt="The list of failed runs shows the step and the reason, and a button to try again.",
        show=show_area("/runs?status=failed"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="deliveries",
        alt="The log of event deliveries: one was delivered, one failed.",
        show=show_area("/deliveries"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="mcp-server",
        alt="The page of the MCP server shows its address with a button to copy it, and what to do in Claude.",
        show=show_area("/mcp"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="app-piece",
        alt="The page of the app's piece says that the version in Activepieces is up to date, and what flows can do.",
        show=show_area("/piece"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="audit-log",
        alt="The audit log says who did what and when. It can be filtered, and downloaded as CSV.",
        show=show_area("/audit"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="area-settings",
        alt="The settings name the server, the sign-in and the project, and have buttons to change them.",
        show=show_area("/setup"),
        width=AREA_WIDTH,
    ),
    Scene(
        name="clients",
        alt="The list of a company's OAuth clients, with their state, their users and when they were last used.",
        show=show_clients,
        width=AREA_WIDTH,
    ),
    Scene(
        name="builder",
        alt="The page of the embedded builder in the automation area. In place of Activepieces, the stand-in lists"
        " the flows of the workspace, and says that Ada Acker is signed in.",
        show=show_builder,
        width=AREA_WIDTH,
    ),
    Scene(
        name="agents",
        alt="The page of AI agents shows the address and what to enter in Claude and other programs, who connected"
        " which agent, how often which tools were called and by whom, and a form to choose which agents users may"
        " connect.",
        show=show_agents,
        width=AREA_WIDTH,
    ),
    Scene(
        name="client",
        alt="The page of an OAuth client shows what to enter in Activepieces, its details, and buttons to rotate the"
        " secret and to delete it.",
        show=show_client,
        width=AREA_WIDTH,
    ),
    # The last, because it leaves the workspace.
    Scene(
        name="setup-wizard",
        alt="The first step of the set-up wizard asks for the e-mail address and password of a user of Activepieces.",
        show=show_wizard,
        width=AREA_WIDTH,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures, or those of the named scenes."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=main.__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(scene.name for scene in SCENES))
    parser.add_argument("--into", type=Path, default=PICTURES, help="the folder of the pictures (%(default)s)")
    options = parser.parse_args(arguments)
    unknown = set(options.scenes) - {scene.name for scene in SCENES}
    if unknown:
        parser.error(f"unknown scenes: {', '.join(sorted(unknown))}")
    scenes = [scene for scene in SCENES if not options.scenes or scene.name in options.scenes]
    options.into.mkdir(parents=True, exist_ok=True)
    with running_site() as site, chromium() as browser:
        for scheme in SCHEMES:
            with signed_in(browser, site, scheme) as context:
                for scene in scenes:
                    picture = take(context, site, scene)
                    target = options.into / f"{scene.name}-{scheme}.webp"
                    target.write_bytes(picture)
                    print(f"{target.name}: {len(picture) // 1024} KB")
    return 0


@contextmanager
def running_site() -> Iterator[Site]:
    """The example app, linked with the stand-in, in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            ActivepiecesServer(database=folder / "activepieces.db", pieces=PIECES) as activepieces,
            serve(lambda url: make_app(settings_for(url, activepieces, folder), folder)) as (app, url),
        ):
            link_acme(app, url, activepieces)
            clients = {preset: register(app, preset) for preset in ("activepieces", "make")} | {"agent": AGENT}
            accept_agent(app)
            call_tools(app, url)
            fill(app, url, activepieces)
            site = Site(
                url=url,
                activepieces_url=activepieces.url,
                automation_prefix=get_state(app).settings.automation_prefix,
                clients=clients,
            )
            with ExitStack() as stack:
                yield replace(site, looks={name: stack.enter_context(look(name, site, folder)) for name in LOOKS})


@contextmanager
def look(name: str, site: Site, folder: Path) -> Iterator[Site]:
    """The example app in our layout, with these settings. It has the same users and sessions."""

    def make(url: str) -> Flask:
        database = f"sqlite:///{folder / name}.db"
        app = create_app({"ACTIVEPIECES_PUBLIC_URL": url, "SQLALCHEMY_DATABASE_URI": database, **LOOKS[name]})
        app.jinja_loader = TemplatesWithoutLayout(Path(app.root_path) / "templates")
        return app

    with serve(make) as (app, url):
        yield replace(site, url=url, automation_prefix="", clients={"activepieces": register(app, "activepieces")})


def register(app: Flask, preset: str) -> dict[str, Any]:
    """Register an OAuth client of Acme."""
    arguments = ["activepieces", "client", "create", "--preset", preset, "--no-pkce", "--tenant", "acme"]
    result = app.test_cli_runner().invoke(args=[*arguments, "--scope", " ".join(SCOPES), "--yes", "--json"])
    if result.exit_code:
        raise SystemExit(result.output)
    client: dict[str, Any] = json.loads(result.stdout)
    return client


def accept_agent(app: Flask) -> None:
    """Let the app know the document of the agent."""
    state = get_state(app)
    documents = DocumentClients(
        state.database,
        DocumentOfAgent(),
        clock=state.clock,
        audit=state.audit,
        is_on=lambda: True,
        allow_loopback=False,
    )
    app.extensions[EXTENSION] = replace(state, document_clients=documents)


def call_tools(app: Flask, url: str) -> None:
    """Use the app as an agent does, with a token of its admin."""
    command = [
        "activepieces",
        "tokens",
        "create",
        "--tenant",
        "acme",
        "--name",
        "Claude",
        "--scope",
        " ".join(SCOPES),
    ]
    with app.app_context():
        user_id = str(db.session.scalars(select(User.id).filter_by(email=ADMIN)).one())
    result = app.test_cli_runner().invoke(args=[*command, "--user", user_id, "--json"])
    agent = Agent(f"{url}/mcp", tokens={"access_token": json.loads(result.stdout)["token"]})
    for number in range(3):
        agent.ask("tools/call", name="create_task", arguments={"title": f"Call supplier {number + 1}"})
    agent.ask("tools/call", name="create_task", arguments={"title": ""})


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    path = shutil.which(os.environ.get("TEST_CHROMIUM") or "chromium")
    if path is None:
        raise SystemExit("Chromium is not installed. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def signed_in(browser: Browser, site: Site, scheme: str) -> Iterator[BrowserContext]:
    """A window of the admin, who has connected two apps."""
    # The scheme is a string of the command line; Playwright wants one of its literals.
    context = browser.new_context(color_scheme=scheme, device_scale_factor=2, locale="en-GB")  # type: ignore[arg-type]
    # What a client would do with its code is not part of any picture.
    context.route("https://**", lambda route: route.fulfill(body="", content_type="text/html"))
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.get_by_label("E-mail address").fill(ADMIN)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.goto(site.consent_url("make", "profile:read", "tasks:read"))
    page.locator("button[value=approve]").click()
    page.close()
    yield context
    context.close()


def take(context: BrowserContext, site: Site, scene: Scene) -> bytes:
    """The picture of a scene, as WebP."""
    page = context.new_page()
    page.set_viewport_size({"width": scene.width, "height": 400})
    scene.show(page, site)
    for address, shown in (
        (site.url, SHOWN_URL),
        (site.activepieces_url, SHOWN_ACTIVEPIECES_URL),
        ("127.0.0.1", SHOWN_HOST),
    ):
        page.evaluate(SHOW_ANOTHER_URL, [address, shown])
    page.evaluate("document.activeElement.blur()")
    height: int = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": scene.width, "height": height})
    options = {"format": "webp", "quality": QUALITY, "optimizeForSpeed": False}
    answer = context.new_cdp_session(page).send("Page.captureScreenshot", options)
    page.close()
    return base64.b64decode(answer["data"])


if __name__ == "__main__":
    sys.exit(main())
