"""The app's own piece: what it offers, which version Activepieces has, and its installation there."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue

from ...api_client.errors import ResourceNotFound
from ...errors import InvalidInput
from ...messages import Message
from ...pieces.installing.installer import Plan
from ...pieces.installing.versions import FIRST_VERSION, Level
from .area.upstream import Answer, Calls
from .area.visit import Forbidden, Visit, automation_page

_CHANGES = {
    Level.MAJOR: Message("Some steps changed so that flows need work when someone chooses the new version in them."),
    Level.MINOR: Message("There is something new. Flows keep working without a change."),
    Level.PATCH: Message("Only texts changed."),
}


@automation_page("piece", "admin")
def automation_piece(visit: Visit) -> ResponseReturnValue:
    """What the piece offers, and its versions here and there."""
    integration = visit.integration
    if not integration.has_credentials:
        # The platform is the operator's, and all tenants use the same version.
        return _show(visit, None, Calls(integration).try_call(lambda: _installed_version(visit)))
    plan = Calls(integration).try_call(lambda: _plan(visit))
    return _show(visit, plan, Answer(plan.value.installed if plan.value else None, plan.error))


@automation_page("piece", "admin")
def automation_install_piece(visit: Visit) -> ResponseReturnValue:
    """Install the version that the page showed; if it must be another one meanwhile, the page is shown again."""
    if not visit.integration.has_credentials:
        raise Forbidden
    plan = _plan(visit)
    if not plan.is_needed:
        return visit.redirect("automation_piece")
    if request.form.get("version") != plan.version:
        message = Message("The piece has changed since you opened this page. This is what it is now.")
        return _show(visit, Answer(plan), Answer(plan.installed), InvalidInput({"version": message}))
    manifest = visit.state.piece.manifest(version=plan.version)
    visit.state.tenants.pieces.install(visit.integration, manifest, user_id=visit.principal.user_id)
    return visit.redirect("automation_piece", done="piece-installed")


def _show(
    visit: Visit, plan: Answer[Plan] | None, installed: Answer[str | None], problem: InvalidInput | None = None
) -> Response:
    definition = visit.state.piece.definition()
    changes = plan.value.changes if plan and plan.value else ()
    return visit.render(
        "piece.html",
        problem=problem,
        piece_title=definition.piece.title,
        description=definition.piece.description,
        action_titles=sorted(action.title for action in definition.actions.values()),
        trigger_titles=sorted(trigger.title for trigger in definition.triggers.values()),
        trouble=installed.error,
        installed_version=installed.value,
        plan=plan.value if plan else None,
        change=_CHANGES[max(change.level for change in changes)] if changes else None,
        is_managed=plan is None,
    )


def _plan(visit: Visit) -> Plan:
    manifest = visit.state.piece.manifest(version=FIRST_VERSION)
    return visit.state.tenants.pieces.compare(visit.integration, manifest)


def _installed_version(visit: Visit) -> str | None:
    name = visit.state.piece.definition().piece.name
    try:
        return visit.state.tenants.pieces.get(visit.integration, name).version
    except ResourceNotFound:
        return None
