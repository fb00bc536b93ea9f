"""The set-up wizard and, once the workspace is linked, its settings.

The wizard verifies a key, or an e-mail address with a password, and then asks for the project if there are several.
What the first step verified is not stored until the second step: it travels in the form, encrypted for this user and
this workspace, for ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from ...api_client.resources.projects import Project
from ...crypto.keyring import Encryptor, context_of
from ...errors import InvalidInput, SignatureExpired
from ...integrations.setup import SetupRequest
from ...integrations.store import project_external_id
from ...messages import Message
from .area.upstream import Calls
from .area.visit import Visit, automation_page

_LIFETIME = 10 * 60
#: The fields of the form, by the names that the services use in errors.
_FIELDS = {"apiKey": "api_key", "email": "email", "password": "password", "baseUrl": "base_url"}
_CREDENTIALS = ("api_key", "email", "password")


@automation_page("setup", "admin")
def automation_setup(visit: Visit) -> ResponseReturnValue:
    """The wizard, or the settings of a linked workspace."""
    if visit.found_integration is None or "change" in request.args:
        return _wizard(visit)
    integration, tenants = visit.integration, visit.state.tenants
    calls = Calls(integration)
    projects = calls.try_call(partial(tenants.projects.list, integration))
    server = calls.try_call(lambda: tenants.integrations.client_for(integration, "server.info").server.info())
    names = {project.id: project.display_name for project in projects.value or ()}
    return visit.render(
        "settings.html",
        trouble=projects.error or server.error,
        project_name=names.get(integration.project_id),
        projects=sorted(projects.value or (), key=_by_name) if integration.has_credentials else (),
        server_url=integration.base_url or visit.state.settings.base_url,
        server=server.value,
    )


@automation_page("setup", "admin")
def automation_link(visit: Visit) -> ResponseReturnValue:
    """The first step: verify what was entered. With one project, that is the last step, too."""
    entered = _entered()
    try:
        if not any(entered[name] for name in _CREDENTIALS):
            if request.form.get("with") != "app":
                raise InvalidInput(_missing(request.form.get("with")))
            return _link(visit, {})
        projects = visit.state.tenants.integrations.accessible_projects(_request(visit, entered))
        if not projects:
            raise InvalidInput({"projectId": Message("Activepieces has no project for this key or user.")})
    except InvalidInput as problem:
        return _wizard(visit, entered, problem)
    if len(projects) == 1:
        return _link(visit, entered | {"project_id": projects[0].id})
    return _project_picker(visit, projects, entered)


@automation_page("setup", "admin")
def automation_choose_project(visit: Visit) -> ResponseReturnValue:
    """The second step: link the workspace with the chosen project, or change the project of a linked one."""
    sealed, project_id = request.form.get("sealed"), request.form.get("project", "")
    if sealed is None:
        visit.state.tenants.integrations.update(
            visit.integration, project_id=project_id, user_id=visit.principal.user_id
        )
        return visit.redirect("automation_setup", done="settings-saved")
    entered = _unseal(visit, sealed)
    if not project_id:
        projects = visit.state.tenants.integrations.accessible_projects(_request(visit, entered))
        return _project_picker(visit, projects, entered, InvalidInput({"project": Message("Choose a project.")}))
    return _link(visit, entered | {"project_id": project_id})


@automation_page("setup", "admin")
def automation_switch(visit: Visit) -> ResponseReturnValue:
    """Switch automation on or off."""
    enabled = request.form.get("enabled") == "1"
    visit.state.tenants.integrations.update(visit.integration, enabled=enabled, user_id=visit.principal.user_id)
    return visit.redirect("automation_setup", done="enabled" if enabled else "disabled")


@automation_page("setup", "admin")
def automation_unlink(visit: Visit) -> ResponseReturnValue:
    """Remove the link, after a page that says what stops."""
    integration = visit.integration
    if request.method == "GET":
        return visit.render("unlink.html")
    visit.state.tenants.integrations.remove(integration, user_id=visit.principal.user_id)
    return _to_home(visit, done="unlinked")


@dataclass(frozen=True)
class _Way:
    """A way to link a workspace."""

    name: str
    label: str


def _wizard(visit: Visit, entered: Mapping[str, Any] | None = None, problem: InvalidInput | None = None) -> Response:
    ways = _ways(visit)
    chosen = request.form.get("with") or request.args.get("with")
    return visit.render(
        "setup.html",
        problem=_with_form_names(problem),
        ways=ways,
        chosen=chosen if chosen in [way.name for way in ways] else ways[0].name,
        # Never the key or the password.
        email=(entered or {}).get("email") or "",
        base_url=_base_url(visit, entered or {}) or "",
        may_choose_server=bool(visit.state.settings.allowed_base_urls),
        default_server=visit.state.settings.base_url,
    )


def _ways(visit: Visit) -> Sequence[_Way]:
    own = [_Way("key", Message("API key")), _Way("password", Message("E-mail and password"))]
    if visit.state.settings.api_key is None:
        return own
    return [_Way("app", Message("Managed for you")), *own]


def _project_picker(
    visit: Visit, projects: Sequence[Project], entered: Mapping[str, Any], problem: InvalidInput | None = None
) -> Response:
    return visit.render(
        "setup_project.html",
        problem=problem,
        project_options=[(project.id, project.display_name) for project in sorted(projects, key=_by_name)],
        selected=_expected_project(visit, projects),
        sealed=_seal(visit, entered),
    )


def _expected_project(visit: Visit, projects: Sequence[Project]) -> str | None:
    """The id of the current project, else of the one with the workspace's external id."""
    if visit.found_integration is not None:
        return visit.found_integration.project_id
    external_id = project_external_id(visit.principal.tenant_id, visit.principal.organization_id)
    return next((project.id for project in projects if project.external_id == external_id), None)


def _link(visit: Visit, entered: Mapping[str, Any]) -> Response:
    integrations, user_id = visit.state.tenants.integrations, visit.principal.user_id
    current = visit.found_integration
    try:
        if current is not None and not any(entered.get(name) for name in _CREDENTIALS):
            # Back to the app's own key.
            stored = ("api_key", "user_token", "email", "password")
            integrations.update(current, removed=stored, user_id=user_id)
        else:
            integrations.set_up(_request(visit, entered), user_id=user_id)
    except InvalidInput as problem:
        return _wizard(visit, entered, problem)
    return _to_home(visit, done="linked")


def _to_home(visit: Visit, *, done: str) -> Response:
    # A new visit, because there are other pages now.
    return visit.redirect(replace(visit).home, done=done)


def _request(visit: Visit, entered: Mapping[str, Any]) -> SetupRequest:
    current = visit.found_integration
    organization_id = visit.principal.organization_id if current is None else current.organization_id
    values = {name: entered.get(name) for name in (*_CREDENTIALS, "project_id")}
    return SetupRequest(
        tenant_id=visit.principal.tenant_id,
        organization_id=organization_id,
        base_url=_base_url(visit, entered),
        **values,
    )


def _base_url(visit: Visit, entered: Mapping[str, Any]) -> str | None:
    """The server that was entered, else the stored one."""
    stored = visit.found_integration.base_url if visit.found_integration else None
    entered_url: str | None = entered.get("base_url")
    return entered_url or stored


def _entered() -> dict[str, str | None]:
    entered = {name: request.form.get(name, "").strip() or None for name in ("api_key", "email", "base_url")}
    return {**entered, "password": request.form.get("password") or None}


def _missing(way: str | None) -> dict[str, str]:
    if way == "password":
        return {
            "email": Message("Enter the e-mail address of an Activepieces user."),
            "password": Message("Enter the password."),
        }
    return {"apiKey": Message("Enter the API key.")}


def _with_form_names(problem: InvalidInput | None) -> InvalidInput | None:
    return problem and InvalidInput({_FIELDS.get(name, name): text for name, text in problem.fields.items()})


def _by_name(project: Project) -> tuple[str, str]:
    return project.display_name.casefold(), project.id


def _seal(visit: Visit, entered: Mapping[str, Any]) -> str:
    content = {"entered": dict(entered), "exp": visit.state.now() + _LIFETIME}
    return _encryptor(visit).encrypt(content, context=_context(visit))


def _unseal(visit: Visit, sealed: str) -> dict[str, Any]:
    content = _encryptor(visit).decrypt(sealed, context=_context(visit))
    if content["exp"] <= visit.state.now():
        raise SignatureExpired("this set-up took too long")
    entered: dict[str, Any] = content["entered"]
    return entered


def _encryptor(visit: Visit) -> Encryptor:
    return Encryptor(visit.state.settings.secret_keys, "set-up wizard")


def _context(visit: Visit) -> str:
    return context_of(visit.principal.tenant_id, visit.principal.user_id)
