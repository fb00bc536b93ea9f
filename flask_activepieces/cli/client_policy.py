"""``flask activepieces client-policy``: which MCP clients the users of a tenant may approve."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ..oauth.clients.policy import MODES, ClientPolicy, checked_policy
from ..state import get_state
from ..storage.maintenance import has_tenant
from ..web.api.client_policy import client_in_use_to_json
from .output import HostId, confirm, counted, json_option, print_result, printable, yes_option

client_policy_cli = AppGroup("client-policy", help="Which MCP clients the users of a tenant may approve.")


@client_policy_cli.command("show")
@click.argument("tenant_id", type=HostId())
@json_option
def show(tenant_id: str, as_json: bool) -> None:
    """Print the policy of a tenant, and the MCP clients that its users approved."""
    state = get_state()
    policy = state.client_policies.get(tenant_id)
    clients = [client_in_use_to_json(each) for each in state.client_policies.clients_in_use(tenant_id)]
    lines = [
        f"{printable(each['name'])} ({', '.join(each['hosts'])}): {counted(each['grants'], 'grant')}"
        for each in clients
    ]
    result = {"mode": policy.mode, "hosts": list(policy.hosts), "clients": clients}
    print_result(result, _sentence(policy), *(lines or ["No MCP client is in use."]), as_json=as_json)


@client_policy_cli.command("set")
@click.argument("tenant_id", type=HostId())
@click.option("--allow", "mode", type=click.Choice(MODES), required=True, help="Which clients users may approve.")
@click.option(
    "--host", "hosts", multiple=True, help="With --allow listed: a host whose clients are allowed. Repeatable."
)
@yes_option
@json_option
def set_policy(tenant_id: str, mode: str, hosts: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Change the policy of a tenant, and revoke the grants that it no longer allows.

    Asks for confirmation if the tenant has no data yet.
    """
    state = get_state()
    policy = checked_policy(mode, hosts)
    if not has_tenant(state.database, tenant_id):
        question = f"Tenant {tenant_id!r} has no client, grant or integration yet. Set a policy for it?"
        confirm(question, yes=yes, as_json=as_json)
    revoked = state.client_policies.set(tenant_id, policy)
    result = {"mode": policy.mode, "hosts": list(policy.hosts), "revoked_grants": revoked}
    print_result(result, _sentence(policy), f"Revoked {counted(revoked, 'grant')}.", as_json=as_json)


def _sentence(policy: ClientPolicy) -> str:
    match policy.mode:
        case "all":
            return "Users may approve all MCP clients."
        case "none":
            return "Users may not approve MCP clients."
        case _:
            return f"Users may approve MCP clients from {', '.join(policy.hosts)}."
