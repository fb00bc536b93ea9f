"""The forms for a new OAuth client, filled in for a known platform, and for an existing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from ...errors import DeclarationError, InvalidInput
from ...integrations.client_factory import site_url
from ...messages import Message
from ...oauth import scopes
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.registration import PRESETS, Preset, Registration, row_values
from ...state import State
from .. import tenant_clients
from ..pages.scopes import descriptions
from .area.visit import Visit, automation_page
from .clients import get_client, redirect_with_secret

#: The platform whose piece asks for known scopes.
_ACTIVEPIECES = "activepieces"


@automation_page("clients", "admin")
def client_new(visit: Visit) -> ResponseReturnValue:
    """The form, filled in for a platform, and the registration of the client."""
    # The form keeps it in its address.
    preset = PRESETS.get(request.args.get("preset", ""))
    if request.method == "GET":
        return _form(visit, _preset_values(visit, preset))
    values = _form_values()
    fields = {**values, "redirect_uris": values["redirect_uris"].split(), "tenant_id": visit.principal.tenant_id}
    try:
        client, secret = visit.state.oauth_clients.register(Registration(**fields), user_id=visit.principal.user_id)
    except InvalidInput as problem:
        return _form(visit, {**values, "preset": preset and preset.name}, problem=problem)
    return redirect_with_secret(visit, client, secret)


@automation_page("clients", "admin")
def client_edit(visit: Visit, client_id: str) -> ResponseReturnValue:
    """The form for an existing client, which stays public or confidential."""
    client = get_client(visit, client_id)
    if request.method == "GET":
        return _form(visit, _stored_values(client), client=client)
    values, version = _form_values(), request.form.get("version", "")
    fields = {name: value for name, value in values.items() if name != "public"}
    fields["redirect_uris"] = values["redirect_uris"].split()
    try:
        registration = replace(client.registration(), **fields)
        tenant_clients.check_redirect_uris(client, registration)
        visit.state.oauth_clients.update(
            client, registration, expected_version=version, user_id=visit.principal.user_id
        )
    except InvalidInput as problem:
        values["public"] = not client.is_confidential
        if "version" in problem.fields:
            # Saved again, the form replaces what it shows now.
            version = client.registration_version
            problem = InvalidInput({**problem.fields, **_meanwhile(visit.state, client, fields)})
        return _form(visit, {**values, "version": version}, client=client, problem=problem)
    return visit.redirect("client_show", client_id=client.client_id, done="client-saved")


def _form_values() -> dict[str, Any]:
    form = request.form
    return {
        **{name: form.get(name, "") for name in ("name", "description", "logo_uri", "redirect_uris")},
        **{name: name in form for name in ("public", "require_pkce")},
        "scope": scopes.join(form.getlist("scope")),
    }


def _stored_values(client: OAuthClient) -> dict[str, Any]:
    return {
        "name": client.name,
        "description": client.description,
        "logo_uri": client.logo_uri,
        "redirect_uris": "\n".join(client.redirect_uris),
        "public": not client.is_confidential,
        "require_pkce": client.require_pkce,
        "scope": client.scope,
        "version": client.registration_version,
    }


def _meanwhile(state: State, client: OAuthClient, fields: Mapping[str, Any]) -> dict[str, str]:
    """What is stored now, beside each field that has another value."""
    shown = {
        "name": client.name,
        "description": client.description,
        "logo_uri": client.logo_uri,
        "redirect_uris": ", ".join(client.redirect_uris),
        "scope": ", ".join(descriptions(state, client.scope)),
        "require_pkce": Message("Required") if client.require_pkce else Message("Optional"),
    }
    stored = client.registration()
    before, entered = row_values(stored), row_values(replace(stored, **fields))
    return {
        name: Message("It is now: %(value)s", value=value) if value else Message("It is empty now.")
        for name, value in shown.items()
        if entered[name] != before[name]
    }


def _preset_values(visit: Visit, preset: Preset | None) -> dict[str, Any]:
    if preset is None:
        return {"require_pkce": True}
    redirect_uris, scope = preset.redirect_uris, ""
    if preset.name == _ACTIVEPIECES:
        # The Activepieces that this workspace uses.
        integration = visit.found_integration
        stored = integration.base_url if integration else None
        redirect_uris = preset.redirect_uris_for(site_url(stored or visit.state.settings.base_url))
        scope = _scope_of_piece(visit.state)
    return {
        "preset": preset.name,
        "name": preset.title,
        "redirect_uris": "\n".join(redirect_uris),
        "require_pkce": preset.require_pkce,
        "scope": scope,
    }


def _scope_of_piece(state: State) -> str:
    """What the app's piece asks for: its users would miss every other permission."""
    if not state.piece.title:
        return ""
    try:
        needed = state.piece.definition().scopes
    except DeclarationError:
        return ""  # it stands in the log since the start
    return scopes.join(scope for scope in needed if scope in state.settings.scopes)


def _form(
    visit: Visit, values: Mapping[str, Any], *, client: OAuthClient | None = None, problem: InvalidInput | None = None
) -> Response:
    if problem is not None and not values["scope"]:
        # Without the names of scopes, which only developers know.
        problem = InvalidInput({**problem.fields, "scope": Message("Choose at least one permission.")})
    return visit.render(
        "client_form.html",
        problem=problem,
        client=client,
        values=values,
        scopes=visit.state.settings.scopes.values(),
        presets=PRESETS.values(),
    )
