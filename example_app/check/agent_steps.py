"""The steps of an agent, one for each part of its way from the URL alone to a tool, and back out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask_activepieces import get_state
from flask_activepieces.oauth.clients.registration import Registration

from .agent import REDIRECT_URI, REGISTRATION, Agent
from .report import expect
from .run import CheckRun


def read_challenge(run: CheckRun) -> str:
    """The agent knows the URL, calls it, and learns where to go on."""
    run.agent = Agent(f"{run.admin.site}/mcp")
    run.agent.read_challenge()
    return f"401 from {run.agent.url}, which asks for {run.agent.scope}"


def read_resource_metadata(run: CheckRun) -> str:
    """The metadata of the endpoint names the authorization server."""
    run.agent.read_resource_metadata()
    return f"the endpoint is protected by {run.agent.issuer}"


def read_server_metadata(run: CheckRun) -> str:
    """The metadata of the authorization server names its endpoints."""
    run.agent.read_server_metadata()
    return f"users sign in at {run.agent.metadata['authorization_endpoint']}"


def register(run: CheckRun) -> str:
    """The agent registers itself; where it may not, an admin registers it."""
    if run.agent.register():
        run.clean_ups.append((f"registration {run.agent.client_id}", run.agent.unregister))
        return f"the agent registered itself as {run.agent.client_id}"
    run.agent.client_id = _register_by_hand(run)
    return f"agents may not register themselves, so an admin registered {run.agent.client_id}"


def consent(run: CheckRun) -> str:
    """The admin sees who asks, and approves for one workspace."""
    agent = run.agent
    asked = urlsplit(agent.authorization_url())
    path = f"{asked.path}?{asked.query}"
    page = run.admin.open(path).text
    expect(
        ("not verified" in page.lower()) == bool(agent.registration),
        expected="a consent page that says whether the agent is verified",
        actual="a page that does not",
        check="the templates of the app",
    )
    callback = run.admin.decide(path, "/authorize", decision="approve", workspace="acme", scope=agent.scope.split())
    agent.read_callback(callback)
    return f"the admin approved {REGISTRATION['client_name']}"


def get_token(run: CheckRun) -> str:
    """The agent exchanges the code for a token that only this endpoint accepts."""
    agent = run.agent
    claims = agent.redeem()
    expect(
        claims["aud"] == agent.url, expected=f"a token for {agent.url}", actual=claims["aud"], check="the resource"
    )
    return f"the token is for {claims['aud']} and may {agent.tokens['scope']}"


def list_tools(run: CheckRun) -> str:
    """The agent sees the tools that its token allows."""
    tools = [tool["name"] for tool in run.agent.ask("tools/list")["tools"]]
    expect("create_task" in tools, expected="create_task", actual=tools, check="the scopes of the token")
    return ", ".join(tools)


def call_tool(run: CheckRun) -> str:
    """The agent adds a task, which the app's page then shows."""
    title = f"Task of an agent ({run.run_id})"
    result = run.agent.ask("tools/call", name="create_task", arguments={"title": title})
    expect(not result["isError"], expected="a new task", actual=result["content"], check="the log of the app")
    expect(
        title in run.admin.open("/").text,
        expected=f"'{title}' in the task list",
        actual="a list without it",
        check="which workspace the agent may use",
    )
    return f"create_task added '{title}'"


def refresh(run: CheckRun) -> str:
    """The agent refreshes its token and uses the new one."""
    before = run.agent.tokens["access_token"]
    run.agent.refresh()
    expect(
        run.agent.tokens["access_token"] != before,
        expected="a new token",
        actual="the same one",
        check="the token endpoint",
    )
    run.agent.ask("tools/list")
    return "the agent exchanged its token, and used the new one"


def disconnect(run: CheckRun) -> str:
    """The admin revokes the agent's grant; its token and its refresh token end at once."""
    grant_id = run.events_named("token.issued")[-1].grant_id
    run.admin.submit("/oauth/connected-apps", f"/{grant_id}/disconnect")
    answer, refreshed = run.agent.send("tools/list"), run.agent.try_refresh()
    expect(
        (answer.status_code, refreshed.status_code) == (401, 400),
        expected="401 for the token and 400 for the refresh token after the grant was revoked",
        actual=(answer.status_code, refreshed.status_code),
        check="the revocations in the app's database",
    )
    return "after it was disconnected, the agent gets a 401, and no new token"


def _register_by_hand(run: CheckRun) -> str:
    """Register the agent as the admin of the app would, on the command line or the page of OAuth clients."""
    with run.app.app_context():
        state = get_state()
        client, _ = state.oauth_clients.register(
            Registration(
                name=str(REGISTRATION["client_name"]),
                redirect_uris=(REDIRECT_URI,),
                scope=run.agent.scope,
                public=True,
            )
        )

    def remove() -> None:
        with run.app.app_context():
            state.oauth_clients.delete(client)

    run.clean_ups.append((f"OAuth client {client.client_id}", remove))
    return client.client_id
