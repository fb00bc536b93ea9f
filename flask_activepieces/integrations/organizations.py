"""Which organizations of a tenant a user may act for; the integrations of all others are not found."""

from __future__ import annotations

from collections.abc import Collection

from ..host.interface import Host, Principal


def accessible(
    host: Host, principal: Principal, organization_ids: Collection[str | None]
) -> set[str | None]:
    """Those of these organizations that the user may act for; None is the tenant as a whole.

    That is the tenant as a whole, the organization that the user is in, and those among their workspaces.
    """
    allowed = {None, principal.organization_id}
    if not allowed.issuperset(organization_ids):
        allowed |= {
            workspace.organization_id
            for workspace in host.workspaces(principal)
            # An organization of another tenant may have the same id.
            if workspace.tenant_id == principal.tenant_id
        }
    return allowed.intersection(organization_ids)
