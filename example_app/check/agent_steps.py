"""The steps of an agent: it signs in from the URL alone, calls tools, refreshes, and is disconnected."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask_activepieces import get_state
from flask_activepieces.oauth.clients.registration import Registration

from .agent import REDIRECT_URI, REGISTRATION, Agent
from .report import expect
from .run import CheckRun


def sign_in(run: CheckRun) -> str:
    """From the URL of the endpoint to a token: discovery, registration, consent."""
    run.agent = agent = Agent(f"{run.admin.site}/mcp")
    agent.discover()
    agent.register(lambda: _register(run, agent.scope))
    asked = urlsplit(agent.authorization_url())
    callback = run.admin.decide(
        f"{asked.path}?{asked.query}", "/authorize", decision="approve", workspace="acme", scope=agent.scope.split()
    )
    agent.finish(callback)
    return f"the agent found the sign-in from {agent.url} alone, and may use {agent.tokens['scope']}"


def call_tool(run: CheckRun) -> str:
    """The agent lists the tools and adds a task, which the app's page then shows."""
    agent, title = run.agent, f"Task of an agent ({run.run_id})"
    tools = [tool["name"] for tool in agent.ask("tools/list")["tools"]]
    result = agent.ask("tools/call", name="create_task", arguments={"title": title})
    expect(not result["isError"], expected="a new task", actual=result["content"], check="the log of the app")
    expect(
        title in run.admin.open("/").text,
        expected=f"'{title}' in the task list",
        actual="a list without it",
        check="which workspace the agent may use",
    )
    return f"of {len(tools)} tools, create_task added '{title}'"


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
    return "the agent exchanged its token"


def disconnect(run: CheckRun) -> str:
    """The admin revokes the agent's grant; its token and its refresh token end at once."""
    grant_id = run.events_named("token.issued")[-1].grant_id
    run.admin.submit("/oauth/connected-apps", f"/{grant_id}/disconnect")
    answer = run.agent.send("tools/list")
    expect(
        answer.status_code == 401,
        expected="401 after the grant was revoked",
        actual=answer.status_code,
        check="the revocations in the app's database",
    )
    return "after it was disconnected, the agent gets a 401"


def _register(run: CheckRun, scope: str) -> str:
    """Register the agent as the admin of the app would, on the command line or the page of OAuth clients."""
    with run.app.app_context():
        state = get_state()
        client, _ = state.oauth_clients.register(
            Registration(
                name=str(REGISTRATION["client_name"]), redirect_uris=(REDIRECT_URI,), scope=scope, public=True
            )
        )

    def remove() -> None:
        with run.app.app_context():
            state.oauth_clients.delete(client)

    run.clean_ups.append((f"OAuth client {client.client_id}", remove))
    return client.client_id
