"""A user in another of their workspaces."""

from __future__ import annotations

from dataclasses import replace

from .interface import Host, Principal, Workspace


def principal_in(host: Host, principal: Principal, workspace: Workspace) -> Principal | None:
    """The user as a member of the workspace, which must be one of theirs; None if they no longer are."""
    member: Principal | None = principal
    if workspace.tenant_id != principal.tenant_id:
        member = host.load_principal(principal.user_id, workspace.tenant_id)
    if member is None or (member.user_id, member.tenant_id) != (principal.user_id, workspace.tenant_id):
        return None
    return replace(member, organization_id=workspace.organization_id)
