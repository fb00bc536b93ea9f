"""The JSON API for a tenant's OAuth clients; foreign and global ones do not exist here."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from ..host import Permission
from ..oauth import clients
from ..oauth.client_json import shown
from ..oauth.clients import OAuthClient
from ..oauth.registration import Registration
from ..state import State, get_state
from .client_schemas import RegistrationSchema, RotationSchema, load
from .problems import api, caller, json_object


@api
def list_clients() -> ResponseReturnValue:
    """The tenant's clients."""
    state = get_state()
    principal = caller(state, "view")
    found = state.database.read(
        lambda connection: clients.of_tenant(connection, principal.tenant_id)
    )
    return jsonify({"data": [shown(client) for client in found]})


@api
def create_client() -> ResponseReturnValue:
    """Register a client of the caller's tenant; its secret is in this answer and in no other."""
    state = get_state()
    principal = caller(state, "admin")
    values = {"name": ""} | load(RegistrationSchema(), json_object())
    registration = Registration(tenant_id=principal.tenant_id, **values)
    client, secret = state.database.transact(
        lambda transaction: state.clients.register(transaction, registration, now=state.now())
    )
    return jsonify(shown(client, secret)), 201


@api
def show_client(client_id: str) -> ResponseReturnValue:
    """One of the tenant's clients."""
    _, client = _one(client_id, "view")
    return jsonify(shown(client))


@api
def change_client(client_id: str) -> ResponseReturnValue:
    """Change what is named in the body; a client stays public or confidential, and in its tenant."""
    state, client = _one(client_id, "admin")
    values = load(RegistrationSchema(exclude=["public"]), json_object())
    registration = replace(client.registration(), **values)
    changed = state.database.transact(
        lambda transaction: state.clients.change(transaction, client, registration, now=state.now())
    )
    return jsonify(shown(changed))


@api
def rotate_client(client_id: str) -> ResponseReturnValue:
    """A new secret, shown once; ``{"keep_old": false}`` ends the old one at once."""
    state, client = _one(client_id, "admin")
    options = load(RotationSchema(), json_object() if request.content_length else {})
    secret = state.database.transact(
        lambda transaction: state.clients.rotate_secret(
            transaction, client, now=state.now(), keep_old=options["keep_old"]
        )
    )
    return jsonify(shown(client, secret))


@api
def delete_client(client_id: str) -> ResponseReturnValue:
    """Delete the client; every grant and token that it has ends."""
    state, client = _one(client_id, "admin")
    state.database.transact(
        lambda transaction: state.clients.delete(transaction, client, now=state.now())
    )
    return Response(status=204)


def _one(client_id: str, permission: Permission) -> tuple[State, OAuthClient]:
    state = get_state()
    principal = caller(state, permission)
    client = state.database.read(
        lambda connection: clients.find(connection, client_id, tenant_id=principal.tenant_id)
    )
    return state, client
