"""The JSON API for what a tenant's admin decides about clients that registered themselves."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length

from ...oauth.client_policies import ClientInUse
from ...oauth.clients.policy import MAX_HOSTS, ClientPolicy, checked_policy
from ...state import State
from .answers import AnswerSchema
from .operations import Operation, OperationContext

_MODE = "all, listed or none"


class PolicySchema(Schema):
    mode = fields.String(required=True, metadata={"description": _MODE, "examples": ["listed"]})
    hosts = fields.List(
        fields.String(),
        load_default=list,
        validate=Length(max=MAX_HOSTS),
        metadata={"description": "with the mode listed", "examples": [["claude.ai", "chatgpt.com"]]},
    )


class ClientInUseSchema(AnswerSchema):
    """A client that registered itself, and that users of the tenant approved."""

    client_id = fields.String()
    name = fields.String(metadata={"description": "as it calls itself"})
    document_url = fields.String(allow_none=True)
    hosts = fields.List(fields.String(), metadata={"description": "where it comes from, or sends its users"})
    grants = fields.Integer(metadata={"description": "how many users approved it"})


class PolicyAnswerSchema(AnswerSchema):
    """Which clients users may approve, and those that they use."""

    mode = fields.String(metadata={"description": _MODE})
    hosts = fields.List(fields.String())
    clients = fields.List(fields.Nested(ClientInUseSchema))
    revoked_grants = fields.Integer(metadata={"description": "how many grants the change revoked"})


@Operation("view", calls_activepieces=False, answer=PolicyAnswerSchema())
def get_client_policy(context: OperationContext) -> Any:
    """Which clients that registered themselves users of the tenant may approve."""
    tenant_id = context.principal.tenant_id
    return _to_json(context.state, tenant_id, context.state.client_policies.get(tenant_id))


@Operation("admin", calls_activepieces=False, body=PolicySchema(), answer=PolicyAnswerSchema())
def set_client_policy(context: OperationContext) -> Any:
    """Decide it; grants that are no longer allowed are revoked."""
    policy = checked_policy(context.body["mode"], context.body["hosts"])
    tenant_id, user_id = context.principal.tenant_id, context.principal.user_id
    revoked = context.state.client_policies.set(tenant_id, policy, user_id=user_id)
    return _to_json(context.state, tenant_id, policy, revoked)


def _to_json(state: State, tenant_id: str, policy: ClientPolicy, revoked: int = 0) -> dict[str, Any]:
    clients = state.client_policies.clients_in_use(tenant_id)
    return {
        "mode": policy.mode,
        "hosts": list(policy.hosts),
        "clients": [client_in_use_to_json(each) for each in clients],
        "revoked_grants": revoked,
    }


def client_in_use_to_json(used: ClientInUse) -> dict[str, Any]:
    """The client for the API and the command line."""
    client = used.client
    return {
        "client_id": client.client_id,
        "name": client.name,
        "document_url": client.document_url,
        "hosts": sorted(client.hosts),
        "grants": used.grants,
    }
