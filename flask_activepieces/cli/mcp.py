"""``flask activepieces mcp``: MCP servers of a tenant's Activepieces, and this app's endpoint in its agent steps."""

from __future__ import annotations

from typing import Any, TextIO

import click
from flask.cli import AppGroup

from ..api_client.resources.agent_tools import McpTool
from ..api_client.resources.mcp import McpServer
from ..errors import InvalidInput, NotFound, SetupError
from ..integrations.agent_steps import AgentStep
from ..integrations.store import Integration
from ..state import State, get_state
from ..web.automation.agents.instructions import short_name
from .output import counted, json_option, print_json, print_result, print_rows, printable

mcp_cli = AppGroup("mcp", help="Show MCP servers of Activepieces, and add this app's endpoint to its agent steps.")

_COLUMNS = ("project_id", "dialect", "enabled", "enabled_tools", "disabled_tools", "token")
_STEP_COLUMNS = ("flow_id", "flow", "step", "name", "uses_this_app")


@mcp_cli.command("list")
@click.argument("integration_id")
@click.option("--platform", "of_platform", is_flag=True, help="Show the server of the tenant's platform instead.")
@json_option
def list_servers(integration_id: str, of_platform: bool, as_json: bool) -> None:
    """List the MCP servers of the projects that the integration's user can access; tokens are masked."""
    state = get_state()
    integration, mcp = _integration(state, integration_id), state.tenants.mcp
    if of_platform:
        servers, count = [mcp.get_platform(integration)], 1
    else:
        listed = mcp.list(integration)
        servers, count = list(listed.servers), listed.project_count
    print_rows([_row(server) for server in servers], _COLUMNS, empty="There are no projects.", as_json=as_json)
    if count > len(servers):
        # On standard error, because standard output may be JSON.
        click.echo(f"These are {len(servers)} of {counted(count, 'project')}.", err=True)


@mcp_cli.command("register")
@click.argument("integration_id")
@click.option("--flow", "flow_id", help="The id of the flow with the agent step.")
@click.option("--step", help="The name of the step in the flow, such as step_2.")
@click.option(
    "--token-file",
    type=click.File(),
    help="A file with the personal access token for the agent; - for standard input. Default: ask for it.",
)
@json_option
def register(
    integration_id: str, flow_id: str | None, step: str | None, token_file: TextIO | None, as_json: bool
) -> None:
    """Add this app's MCP endpoint to an agent step of Activepieces, in the draft of its flow.

    Without --flow and --step, print the agent steps, and the values to enter in Activepieces manually.
    """
    state = get_state()
    integration, url = _integration(state, integration_id), _endpoint(state)
    name = short_name(state.title())
    if flow_id is None and step is None:
        _print_steps(state, integration, url, name, as_json=as_json)
        return
    if flow_id is None or step is None:
        raise click.UsageError("Pass both --flow and --step.")
    tool = McpTool(name=name, url=url, access_token=_token(state, integration, token_file))
    added = state.tenants.agent_steps.add(integration, flow_id, step, tool, user_id=None)
    checked = (
        "Activepieces did not check it: test the step."
        if added.tools is None
        else f"Activepieces found {counted(len(added.tools), 'tool')}."
    )
    print_result(
        {**_step_row(added.step, url), "tools": None if added.tools is None else list(added.tools)},
        f"Added {url} to the step {step} in the draft of {printable(added.step.flow_name)}. {checked}",
        "Publish the flow to use the change.",
        as_json=as_json,
    )


def _integration(state: State, integration_id: str) -> Integration:
    found = next((each for each in state.tenants.integrations.list_all() if each.id == integration_id), None)
    if found is None:
        raise NotFound("integration", integration_id)
    return found


def _endpoint(state: State) -> str:
    if not state.serves_mcp():
        raise SetupError("This app has no MCP endpoint: declare an action, or set ACTIVEPIECES_MCP.")
    if state.settings.public_url is None:
        raise SetupError("Activepieces must know the address of this app: set ACTIVEPIECES_PUBLIC_URL.")
    return state.settings.public_url + state.settings.mcp_path


def _token(state: State, integration: Integration, file: TextIO | None) -> str:
    text = file.read().strip() if file else click.prompt("Personal access token", hide_input=True, err=True).strip()
    token = state.personal_tokens.find(text)
    if token is None or token.tenant_id != integration.tenant_id:
        raise InvalidInput({"token_file": "It must be a personal access token for this tenant."})
    return text


def _print_steps(state: State, integration: Integration, url: str, name: str, *, as_json: bool) -> None:
    rows = [_step_row(step, url) for step in state.tenants.agent_steps.list(integration)]
    by_hand = {
        "MCP Name": name,
        "Server URL": url,
        "Protocol": "Streamable HTTP",
        "Authentication Type": "Access Token",
        "Access Token": "a personal access token: flask activepieces tokens create",
    }
    if as_json:
        print_json({"steps": rows, "by_hand": by_hand})
        return
    print_rows(rows, _STEP_COLUMNS, empty="No flow has an agent step.", as_json=False)
    click.echo("\nActivepieces has no list of MCP servers: add the app to each step, with --flow and --step,")
    click.echo("or by hand, with “Add tool” and “MCP server” in the step:")
    for label, value in by_hand.items():
        click.echo(f"  {label}: {value}")


def _step_row(step: AgentStep, url: str) -> dict[str, Any]:
    return {
        "flow_id": step.flow_id,
        "flow": step.flow_name,
        "step": step.name,
        "name": step.display_name,
        "uses_this_app": url in step.servers,
    }


def _row(server: McpServer) -> dict[str, Any]:
    return {
        "project_id": server.project_id,
        "dialect": server.dialect,
        "enabled": server.enabled,
        "enabled_tools": None if server.enabled_tools is None else list(server.enabled_tools),
        "disabled_tools": None if server.disabled_tools is None else list(server.disabled_tools),
        "token": server.masked_token,
    }
