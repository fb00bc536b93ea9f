"""The JSON API for a tenant's OAuth clients; foreign and global ones do not exist here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import InvalidInput
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.json_form import shown
from ...oauth.clients.registration import Registration
from .oauth_client_schemas import (
    ClientChangeSchema,
    ClientListSchema,
    ClientSchema,
    NewClientSchema,
    RegistrationSchema,
    RotationSchema,
)
from .operations import Call, operation


@operation("view", answer=ClientListSchema())
def list_clients(call: Call) -> Any:
    """The tenant's clients."""
    clients = call.state.oauth_clients.list_for_tenant(call.tenant_id)
    return {"data": [shown(client) for client in clients]}


@operation("admin", body=RegistrationSchema(), answer=NewClientSchema(), status=201)
def create_client(call: Call) -> Any:
    """Register a client of the caller's tenant; its secret is in this answer and in no other."""
    registration = Registration(tenant_id=call.tenant_id, **({"name": ""} | dict(call.body)))
    client, secret = call.state.oauth_clients.register(registration)
    return shown(client, secret)


@operation("view", answer=ClientSchema())
def show_client(call: Call, client_id: str) -> Any:
    """One of the tenant's clients."""
    return shown(_one(call, client_id))


@operation("admin", body=ClientChangeSchema(), answer=ClientSchema())
def change_client(call: Call, client_id: str) -> Any:
    """Change what is named in the body; a client stays public or confidential, and in its tenant."""
    client = _one(call, client_id)
    registration = replace(client.registration(), **call.body)
    _check_redirects(client, registration)
    return shown(call.state.oauth_clients.update(client, registration))


@operation("admin", body=RotationSchema(), body_optional=True, answer=NewClientSchema())
def rotate_client(call: Call, client_id: str) -> Any:
    """A new secret, shown once; ``{"keep_old": false}`` ends the old one at once."""
    client = _one(call, client_id)
    secret = call.state.oauth_clients.rotate_secret(client, keep_old=call.body["keep_old"])
    return shown(client, secret)


@operation("admin")
def delete_client(call: Call, client_id: str) -> None:
    """Delete the client; every grant and token that it has ends."""
    call.state.oauth_clients.delete(_one(call, client_id))


def _check_redirects(client: OAuthClient, registration: Registration) -> None:
    # An operator let the client skip the consent page because of where it sends users. An admin who could change that
    # would get codes of users who never saw the new address.
    changed = set(registration.redirect_uris) != set(client.redirect_uris)
    if client.remember_consent and changed:
        words = "this client may skip the consent page, so that only an operator can change its redirect URIs"
        raise InvalidInput({"redirect_uris": words})


def _one(call: Call, client_id: str) -> OAuthClient:
    return call.state.oauth_clients.get_for_tenant(client_id, tenant_id=call.tenant_id)
