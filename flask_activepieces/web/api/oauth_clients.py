"""The JSON API for a tenant's OAuth clients; foreign and global ones do not exist here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import InvalidInput
from ...oauth.clients import store as clients
from ...oauth.clients.json_form import shown
from ...oauth.clients.registration import Registration
from ...oauth.clients.store import NewCredentials, OAuthClient
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
    found = call.state.database.read(
        lambda connection: clients.of_tenant(connection, call.tenant_id)
    )
    return {"data": [shown(client) for client in found]}


@operation("admin", body=RegistrationSchema(), answer=NewClientSchema(), status=201)
def create_client(call: Call) -> Any:
    """Register a client of the caller's tenant; its secret is in this answer and in no other."""
    registration = Registration(tenant_id=call.tenant_id, **({"name": ""} | dict(call.body)))
    credentials = NewCredentials()
    client, secret = call.state.database.run_in_transaction(
        lambda transaction: call.state.clients.register(
            transaction, registration, credentials, now=call.state.now()
        )
    )
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
    changed = call.state.database.run_in_transaction(
        lambda transaction: call.state.clients.change(
            transaction, client, registration, now=call.state.now()
        )
    )
    return shown(changed)


@operation("admin", body=RotationSchema(), body_optional=True, answer=NewClientSchema())
def rotate_client(call: Call, client_id: str) -> Any:
    """A new secret, shown once; ``{"keep_old": false}`` ends the old one at once."""
    client = _one(call, client_id)
    secret = clients.new_secret()
    call.state.database.run_in_transaction(
        lambda transaction: call.state.clients.rotate_secret(
            transaction, client, secret, now=call.state.now(), keep_old=call.body["keep_old"]
        )
    )
    return shown(client, secret)


@operation("admin")
def delete_client(call: Call, client_id: str) -> None:
    """Delete the client; every grant and token that it has ends."""
    client = _one(call, client_id)
    call.state.database.run_in_transaction(
        lambda transaction: call.state.clients.delete(transaction, client, now=call.state.now())
    )


def _check_redirects(client: OAuthClient, registration: Registration) -> None:
    # An operator let the client skip the consent page because of where it sends users. An admin who could change that
    # would get codes of users who never saw the new address.
    changed = set(registration.redirect_uris) != set(client.redirect_uris)
    if client.remember_consent and changed:
        words = "this client may skip the consent page, so that only an operator can change its redirect URIs"
        raise InvalidInput({"redirect_uris": words})


def _one(call: Call, client_id: str) -> OAuthClient:
    return call.state.database.read(
        lambda connection: clients.find(connection, client_id, tenant_id=call.tenant_id)
    )
