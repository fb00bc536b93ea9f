"""``flask activepieces``: the group of all commands."""

from __future__ import annotations

from .clients import client_cli
from .grants import grants_cli
from .integrations import integrations_cli
from .keys import keys_cli
from .openapi import openapi_command
from .output import CommandGroup
from .prune import prune_command
from .tenants import tenants_cli

activepieces_cli = CommandGroup(
    "activepieces", help="Manage the Activepieces integration of this app."
)
activepieces_cli.add_command(client_cli)
activepieces_cli.add_command(grants_cli)
activepieces_cli.add_command(integrations_cli)
activepieces_cli.add_command(keys_cli)
activepieces_cli.add_command(tenants_cli)
activepieces_cli.add_command(prune_command)
activepieces_cli.add_command(openapi_command)
