"""The JSON API for a tenant's integrations: setting one up, looking at it, changing it, removing it."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidInput
from ...integrations import organizations
from ...integrations.setup.credentials import Credentials
from ...integrations.setup.verifier import SetupRequest
from .integration_schemas import (
    ChangeSchema,
    IntegrationListSchema,
    IntegrationSchema,
    SetupDoneSchema,
    SetupSchema,
    StatusSchema,
)
from .operations import Call, operation
from .upstream import UPSTREAM

_CREDENTIALS = ("api_key", "user_token", "email", "password")


@operation("admin", body=SetupSchema(), answer=SetupDoneSchema(), status=201, problems=UPSTREAM)
def set_up(call: Call) -> Any:
    """Link the tenant, or an organization in it, with Activepieces; again for the same one is a change.

    The credentials are tried first and then kept encrypted. Without any, the app's own key is used.
    """
    place = {"organization_id": _organization_id(call)}
    setup = SetupRequest(tenant_id=call.tenant_id, **(dict(call.body) | place))
    integration = call.state.integrations.set_up(
        setup, user_id=call.principal.user_id, now=call.state.now()
    )
    return {"integration_tenant_id": integration.id}


@operation("view", answer=IntegrationListSchema())
def list_integrations(call: Call) -> Any:
    """The integrations of the tenant, and of the caller's organizations."""
    return {"data": call.state.integrations.visible_to(call.principal)}


@operation("view", answer=IntegrationSchema())
def show_setup(call: Call, integration_id: str) -> Any:
    """One integration; of its credentials the last four characters."""
    return call.integration(integration_id)


@operation("view", answer=IntegrationSchema())
def show_integration(call: Call, integration_id: str) -> Any:
    """The settings of one integration, without its secrets."""
    return call.integration(integration_id)


@operation("view", answer=StatusSchema())
def show_status(call: Call, integration_id: str) -> Any:
    """Whether the integration may be used."""
    return call.integration(integration_id)


@operation("admin", body=ChangeSchema(), answer=IntegrationSchema(), problems=UPSTREAM)
def change_setup(call: Call, integration_id: str) -> Any:
    """Switch an integration on or off, give it other credentials or none, or another project."""
    integration = call.integration(integration_id)
    told = {name: call.body[name] for name in _CREDENTIALS if name in call.body}
    given = {name: value for name, value in told.items() if value is not None}
    return call.state.integrations.update(
        integration,
        enabled=call.body.get("enabled"),
        credentials=Credentials(**given) if given else None,
        removed=told.keys() - given.keys(),
        project_id=call.body.get("project_id"),
        user_id=call.principal.user_id,
        now=call.state.now(),
    )


@operation("admin")
def remove_setup(call: Call, integration_id: str) -> None:
    """Forget the integration and its key; what it made in Activepieces stays there."""
    call.state.integrations.remove(
        call.integration(integration_id), user_id=call.principal.user_id, now=call.state.now()
    )


def _organization_id(call: Call) -> str | None:
    """The organization to set up, None for the tenant as a whole; one that the caller may act for."""
    wanted: str | None = call.body.get("organization_id", call.principal.organization_id)
    if not organizations.accessible(call.state.host, call.principal, [wanted]):
        raise InvalidInput({"organizationId": "you have no such organization in this tenant"})
    return wanted
