"""Every page of the package and of the example app, and how a person gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page
from sqlalchemy import update

from flask_activepieces.storage.tables import personal_tokens
from tests.browser.site import BASIC, EVERY_FIELD, MACHINES, OWN_PIECE, SECRET, SERVICE, Site, add_agent_flow
from tests.support.storage import engine_of

ADA, MILO, GWEN, NOBODY = "admin@acme.test", "member@acme.test", "admin@globex.test", ""
#: Ada in her other workspace, which is not linked yet.
LABS = "acme-labs"

AREA = "/automation"
ADD = f"{AREA}/connections/add?piece="

Act = Callable[[Page, Site], object]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A page, whose it is, and what they do there before it is looked at."""

    path: str
    who: str = ADA
    #: What the server answers at last: 422 if it refused a form.
    status: int = 200
    act: Act | None = None
    #: What it shows, if the path does not say it.
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.path

    def show(self, page: Page, site: Site) -> None:
        """Open the page, and do there what leads to what is looked at."""
        page.goto(site.address_of(self.path))
        if self.act:
            self.act(page, site)
        page.wait_for_load_state()


def press(name: str) -> Act:
    """Press a button, and wait for the next page."""

    def act(page: Page, site: Site) -> None:
        page.locator("main").get_by_role("button", name=name, exact=True).first.click()

    return act


def open_questions(page: Page, site: Site) -> None:
    """Open the question before each button that ends something."""
    for question in page.locator("summary").all():
        question.click()


def confirm(name: str) -> Act:
    """Press a button that asks first, and answer yes."""

    def act(page: Page, site: Site) -> None:
        page.locator("main summary", has_text=name).first.click()
        press(name)(page, site)

    return act


def switch_in_another_tab(page: Page, site: Site) -> None:
    """Press a button of one workspace while another one is open."""
    other = page.context.new_page()
    other.goto(f"{AREA}/workspace")
    other.get_by_label("Acme Labs").check()
    press("Switch")(other, site)
    other.close()
    press("Switch off")(page, site)
    page.wait_for_load_state()
    page.context.clear_cookies(name="activepieces_workspace")


def enter_key(page: Page, site: Site) -> None:
    """The first step of the wizard, which leads to the second."""
    page.get_by_label("API key").fill(site.activepieces.api_key)
    press("Check and continue")(page, site)


def enter_key_of_many_projects(page: Page, site: Site) -> None:
    """The same, on a server with so many projects that they are in a list."""
    for number in range(12):
        site.api_client.projects.create(f"Branch {number}")
    enter_key(page, site)


def link_with_key(page: Page, site: Site) -> None:
    """Link with a key only, with which Activepieces shows no MCP server."""
    enter_key(page, site)
    page.get_by_label("Globex").check()
    press("Use this project")(page, site)
    page.goto("/automation/mcp")


def lose_activepieces(page: Page, site: Site) -> None:
    """The same page while Activepieces reports errors."""
    site.activepieces.faults.fail("*", "*", 500, times=None)
    page.reload()


def lose_activepieces_while_connecting(page: Page, site: Site) -> None:
    """Send the form while Activepieces reports errors."""
    page.get_by_label("Text", exact=True).fill("a text")
    page.get_by_label("Secret").fill("hush")
    page.get_by_label("Size").select_option("Large")
    site.activepieces.faults.fail("POST", "/app-connections", 500)
    press("Connect")(page, site)


def replace_without_permission(page: Page, site: Site) -> None:
    """Choose another connection, but do not allow that the old one is deleted."""
    page.get_by_label("Another key").check()
    press("Replace")(page, site)


def uninstall_piece(page: Page, site: Site) -> None:
    """The same page before the piece is installed."""
    store = site.activepieces.state.store
    store.drop("piece", store.all("piece", name=OWN_PIECE)[0]["id"])
    page.reload()


def lack_an_action(page: Page, site: Site) -> None:
    """The same page with a piece in Activepieces that lacks an action: the update is a minor version."""
    store = site.activepieces.state.store
    piece = store.all("piece", name=OWN_PIECE)[0]
    actions = {name: action for name, action in piece["actions"].items() if name != "import_tasks"}
    store.change("piece", piece["id"], actions=actions)
    page.reload()


def have_an_old_action(page: Page, site: Site) -> None:
    """The same page with a piece in Activepieces that has an action more: the update is a major version."""
    store = site.activepieces.state.store
    piece = store.all("piece", name=OWN_PIECE)[0]
    old = {"archive_task": {**piece["actions"]["create_task"], "name": "archive_task"}}
    store.change("piece", piece["id"], actions=piece["actions"] | old)
    page.reload()


def make_flows_tools(page: Page, site: Site) -> None:
    """The same page with flows that agents use as tools."""
    store = site.activepieces.state.store
    flows = [{"version": {"displayName": name}} for name in ("Answer a customer", "Look up an order")]
    for server in store.all("mcp_server", type="PROJECT"):
        store.change("mcp_server", server["id"], flows=flows)
    page.reload()


def let_tokens_expire(page: Page, site: Site) -> None:
    """The same page when the personal access tokens have expired."""
    with engine_of(site.app).begin() as conn:
        conn.execute(update(personal_tokens).values(expires_at=personal_tokens.c.created_at))
    page.reload()


def create_token(page: Page, site: Site) -> None:
    """A personal access token, which the next page shows once."""
    page.get_by_role("textbox", name="Name").fill("Report")
    page.locator("[name=scope]").first.check()
    press("Create token")(page, site)


def offer_an_agent_step(page: Page, site: Site) -> None:
    """The same page when a flow has the step "Run Agent"."""
    add_agent_flow(site)
    page.reload()


def list_no_host(page: Page, site: Site) -> None:
    """Allow only agents from listed origins, and list none."""
    page.get_by_label("Only agents from the hosts below").check()
    page.locator("form", has=page.locator("[name=mode]")).get_by_role("button", name="Save").click()


PAGES = (
    # The example app
    Scene(path="/", who=NOBODY, name="welcome"),
    Scene(path="/login", who=NOBODY),
    Scene(path="/login?next=/automation", who=NOBODY, name="sign-in to continue"),
    Scene(path="/"),
    Scene(path="/unknown", status=404),
    Scene(path="/builder"),
    # OAuth and end users
    Scene(path="{authorize}", name="consent"),
    Scene(path="{agent}", name="consent of an agent"),
    Scene(path="{deleting authorize}", name="consent to delete"),
    Scene(path="/oauth/authorize", status=400, name="consent without a client"),
    Scene(path="/oauth/connected-apps"),
    Scene(path="/oauth/connected-apps", act=open_questions, name="questions of the connected apps"),
    Scene(path="/oauth/connected-apps", act=let_tokens_expire, name="expired personal access token"),
    Scene(path="/oauth/connected-apps", who=GWEN, name="no connected apps"),
    Scene(path="/oauth/personal-tokens/new"),
    Scene(path="/oauth/personal-tokens/new", act=press("Create token"), status=422, name="token form with errors"),
    Scene(
        path="/api/integration/activepieces/connections/{globex}/oauth2/start?pieceName=" + SERVICE,
        who=GWEN,
        name="question before a sign-in",
    ),
    Scene(
        path="/api/integration/activepieces/connections/{globex}/oauth2/start", who=GWEN, status=422, name="bad link"
    ),
    Scene(path="/oauth/personal-tokens/new", act=create_token, name="new token"),
    # The automation area
    Scene(path=AREA),
    Scene(path=AREA, who=GWEN, name="overview without connections"),
    Scene(path=AREA, who=LABS, name="invitation"),
    Scene(path=AREA, act=lose_activepieces, name="overview without Activepieces"),
    Scene(path=AREA, who=MILO, status=403, name="area of a member"),
    Scene(path=f"{AREA}/connections"),
    Scene(path=f"{AREA}/connections", who=GWEN, name="no connections"),
    Scene(path=f"{AREA}/connections", act=lose_activepieces, status=502, name="connections without Activepieces"),
    Scene(path=f"{AREA}/connections?search=zzz", name="no connection found"),
    Scene(path=f"{AREA}/connections/services"),
    Scene(path=f"{AREA}/connections/services?search=zzz", name="no service found"),
    Scene(path=ADD + SECRET),
    Scene(path=ADD + SECRET, act=press("Connect"), status=422, name="connection form with errors"),
    Scene(path=ADD + BASIC),
    Scene(path=ADD + EVERY_FIELD),
    Scene(
        path=ADD + EVERY_FIELD,
        act=lose_activepieces_while_connecting,
        status=502,
        name="connection form without Activepieces",
    ),
    Scene(path=ADD + MACHINES),
    Scene(path=ADD + SERVICE, name="sign-in only in Activepieces"),
    Scene(path=ADD + SERVICE, who=GWEN, name="sign-in at a third party"),
    *(Scene(path=f"{ADD}{OWN_PIECE}&way={way}", name=f"own piece, way {way}") for way in range(4)),
    Scene(path=f"{AREA}/connections/{{Our key}}"),
    Scene(path=f"{AREA}/connections/{{Broken key}}"),
    Scene(path=f"{AREA}/connections/{{own connection}}"),
    Scene(path=f"{AREA}/connections/unknown", status=404),
    Scene(path=f"{AREA}/connections/{{Broken key}}/reconnect"),
    Scene(path=f"{AREA}/connections/{{own connection}}/reconnect"),
    Scene(path=f"{AREA}/connections/{{Our key}}/replace"),
    Scene(
        path=f"{AREA}/connections/{{Our key}}/replace",
        act=replace_without_permission,
        status=422,
        name="replacement without permission",
    ),
    Scene(path=f"{AREA}/connections/{{own connection}}/replace", name="nothing to replace it with"),
    Scene(path=f"{AREA}/connections/{{Our key}}/delete"),
    Scene(path=f"{AREA}/connections/{{Another key}}/delete"),
    Scene(path=f"{AREA}/flows"),
    Scene(path=f"{AREA}/flows", who=GWEN, name="no flows"),
    Scene(path=f"{AREA}/flows?search=zzz", name="no flow found"),
    Scene(path=f"{AREA}/runs"),
    Scene(path=f"{AREA}/runs", who=GWEN, name="no runs"),
    Scene(path=f"{AREA}/runs?flow={{flow}}"),
    Scene(path=f"{AREA}/builder", name="builder of the area"),
    Scene(path=f"{AREA}/deliveries"),
    Scene(path=f"{AREA}/deliveries", who=GWEN, name="no deliveries"),
    Scene(path=f"{AREA}/deliveries/1"),
    Scene(path=f"{AREA}/deliveries/2"),
    Scene(path=f"{AREA}/subscriptions", act=press("Pause Tasks by webhook: new tasks"), name="paused subscription"),
    Scene(path=f"{AREA}/subscriptions"),
    Scene(path=f"{AREA}/subscriptions", who=GWEN, name="no subscriptions"),
    Scene(path=f"{AREA}/mcp"),
    Scene(path=f"{AREA}/mcp", act=make_flows_tools, name="MCP with flows as tools"),
    Scene(path=f"{AREA}/mcp", who=GWEN, name="MCP with the key of the app"),
    Scene(path=f"{AREA}/setup?with=key", who=LABS, act=link_with_key, name="MCP without a user"),
    Scene(path=f"{AREA}/mcp", act=open_questions, name="question before a new MCP token"),
    Scene(path=f"{AREA}/mcp", act=confirm("New token"), name="new MCP token"),
    Scene(path=f"{AREA}/mcp/platform"),
    Scene(path=f"{AREA}/agents"),
    Scene(path=f"{AREA}/agents", who=GWEN, name="no agents"),
    Scene(path=f"{AREA}/agents", act=offer_an_agent_step, name="agents with a step of Activepieces"),
    Scene(path=f"{AREA}/agents", act=list_no_host, status=422, name="agents with errors"),
    Scene(path=f"{AREA}/piece"),
    Scene(path=f"{AREA}/piece", act=uninstall_piece, name="piece before it is installed"),
    Scene(path=f"{AREA}/piece", act=lack_an_action, name="piece with an update"),
    Scene(path=f"{AREA}/piece", act=have_an_old_action, name="piece with a new major version"),
    Scene(path=f"{AREA}/piece", act=lose_activepieces, name="piece without Activepieces"),
    Scene(path=f"{AREA}/piece", who=GWEN, name="piece of the operator"),
    Scene(path=f"{AREA}/clients"),
    Scene(path=f"{AREA}/clients", who=GWEN, name="no clients"),
    Scene(path=f"{AREA}/clients/new"),
    Scene(path=f"{AREA}/clients/new?preset=activepieces"),
    Scene(path=f"{AREA}/clients/new", act=press("Create client"), status=422, name="client with errors"),
    Scene(path=f"{AREA}/clients/{{program}}"),
    Scene(path=f"{AREA}/clients/{{program}}/edit"),
    Scene(path=f"{AREA}/clients/{{program}}/delete"),
    Scene(path=f"{AREA}/clients/{{client}}", act=press("Rotate secret"), name="client with its secret"),
    Scene(path=f"{AREA}/clients/{{program}}", act=press("Suspend"), name="suspended client"),
    Scene(path=f"{AREA}/clients/unknown", status=404),
    Scene(path=f"{AREA}/audit"),
    Scene(path=f"{AREA}/audit?kind=flows&since=2030-01-01", name="nothing in the audit log"),
    Scene(path=f"{AREA}/audit?since=never", status=422, name="audit log with errors"),
    Scene(path=f"{AREA}/setup"),
    Scene(path=f"{AREA}/setup", who=GWEN, name="settings with the key of the app"),
    Scene(path=f"{AREA}/setup", who=LABS, name="wizard"),
    Scene(path=f"{AREA}/setup?with=key", who=LABS, act=enter_key, name="wizard, project"),
    Scene(path=f"{AREA}/setup?with=key", who=LABS, act=enter_key_of_many_projects, name="wizard, many projects"),
    *(Scene(path=f"{AREA}/setup?change=1&with={way}", name=f"wizard, {way}") for way in ("app", "key", "password")),
    Scene(
        path=f"{AREA}/setup?change=1&with=key", act=press("Check and continue"), status=422, name="wizard with errors"
    ),
    Scene(path=f"{AREA}/setup", act=press("Switch off"), name="settings, switched off"),
    Scene(path=f"{AREA}/setup", act=lose_activepieces, name="settings without Activepieces"),
    Scene(path=f"{AREA}/setup", act=switch_in_another_tab, status=409, name="form of another workspace"),
    Scene(path=f"{AREA}/setup/unlink"),
    Scene(path=f"{AREA}/workspace"),
    Scene(path=f"{AREA}/nothing", status=404),
)
