"""The pages for personal access tokens: create, see once, revoke. The list is on the page of connected apps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...crypto.keyring import context_of
from ...errors import InvalidInput
from ...host.interface import Principal, Workspace
from ...messages import Message
from ...oauth.personal_tokens import PersonalToken
from ...state import State
from .base import login_required
from .i18n import gettext, relative_time
from .rendering import render_with_forms, see_other
from .scopes import descriptions
from .shown_once import ShownOnce

_NEW_TOKEN = ShownOnce("activepieces_new_token", "new personal access token")
_DAY = 86_400

#: What the form offers: days, or None for a token that does not expire.
LIFETIMES: Mapping[str, int | None] = {"30": 30, "90": 90, "365": 365, "never": None}
DEFAULT_LIFETIME = "90"


@login_required(return_to="personal_token_new")
def personal_token_new(state: State, principal: Principal) -> ResponseReturnValue:
    """The form, and the creation of a token."""
    if request.method == "GET":
        return _form(state, principal, {"expires": DEFAULT_LIFETIME})
    values = {name: request.form.get(name, "") for name in ("name", "workspace", "expires")}
    chosen = request.form.getlist("scope")
    try:
        token, text = state.personal_tokens.create(
            principal.user_id,
            _workspace(_workspaces(state, principal), values["workspace"]),
            name=values["name"],
            scopes=chosen,
            expires_at=_expires_at(state, values["expires"]),
        )
    except InvalidInput as problem:
        return _form(state, principal, {**values, "scope": chosen}, problem)
    home, content = _home(), {"id": token.id, "text": text}
    return _NEW_TOKEN.redirect(state, f"{home}#personal-tokens", content, context=_context(principal), path=home)


@login_required(return_to="connected_apps")
def personal_token_revoke(state: State, principal: Principal, token_id: str) -> ResponseReturnValue:
    """Revoke one token of the user."""
    state.personal_tokens.revoke(token_id, user_id=principal.user_id, tenant_ids=tenant_ids(state, principal))
    return see_other(url_for("activepieces.connected_apps", revoked=1, _anchor="personal-tokens"))


def tenant_ids(state: State, principal: Principal) -> list[str]:
    """The tenants of the user."""
    return list(dict.fromkeys([principal.tenant_id, *(each.tenant_id for each in _workspaces(state, principal))]))


def to_template(state: State, token: PersonalToken, names: Counter[str]) -> dict[str, object]:
    """The token as the connected-apps page shows it, among tokens with these names."""
    return {
        "id": token.id,
        "name": token.name,
        "label": token.name if names[token.name] == 1 else _distinct_label(state, token),
        "workspace_name": token.workspace_name,
        "scopes": descriptions(state, token.scope),
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "expires_at": token.expires_at,
        "has_expired": token.expires_at is not None and token.expires_at <= state.now(),
    }


def _distinct_label(state: State, token: PersonalToken) -> str:
    """What tells this token from another one of the same name, for those who hear only the button."""
    created = relative_time(token.created_at, state.now())
    return gettext(
        "%(token)s in %(workspace)s, created %(time)s", token=token.name, workspace=token.workspace_name, time=created
    )


def new_token(state: State, principal: Principal, tokens: Sequence[PersonalToken]) -> str | None:
    """The text of the token that this browser has just created, if it was not revoked meanwhile."""
    content = _NEW_TOKEN.read(state, context=_context(principal))
    if content is None or all(token.id != content["id"] for token in tokens):
        return None
    return str(content["text"])


def forget_new_token(response: Response) -> Response:
    """The response, after which a reload no longer shows the token."""
    return _NEW_TOKEN.forget(response, path=_home())


def _form(
    state: State, principal: Principal, values: Mapping[str, Any], problem: InvalidInput | None = None
) -> Response:
    errors = problem.fields if problem else {}
    workspaces = _workspaces(state, principal)
    return render_with_forms(
        state,
        principal,
        "personal_token_form.html",
        status=422 if problem else 200,
        values=values,
        errors={name: gettext(message) for name, message in errors.items()},
        scopes=state.settings.scopes.values(),
        workspaces=workspaces,
        selected_workspace=values.get("workspace") or workspaces[0].form_value,
        lifetimes=LIFETIMES,
    )


def _workspaces(state: State, principal: Principal) -> Sequence[Workspace]:
    return state.host.workspaces(principal)


def _workspace(offered: Sequence[Workspace], form_value: str) -> Workspace:
    for workspace in offered:
        if workspace.form_value == form_value:
            return workspace
    raise InvalidInput({"workspace": Message("Choose one of your workspaces.")})


def _expires_at(state: State, choice: str) -> int | None:
    if choice not in LIFETIMES:
        raise InvalidInput({"expires": Message("Choose when the token expires.")})
    days = LIFETIMES[choice]
    return None if days is None else state.now() + days * _DAY


def _home() -> str:
    return url_for("activepieces.connected_apps")


def _context(principal: Principal) -> str:
    return context_of(principal.tenant_id, principal.user_id)
