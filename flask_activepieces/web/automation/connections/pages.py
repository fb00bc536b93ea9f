"""The connections of the workspace: list, show, rename, replace, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flask import Response, request
from flask.typing import ResponseReturnValue

from ....api_client.errors import CallNotSupported, CredentialNotSupported, EditionNotSupported
from ....api_client.resources.connections import PARTIAL_REPLACEMENT, Connection, ConnectionStatus
from ....api_client.resources.flows import Flow
from ....api_client.resources.server import release
from ....errors import InvalidInput
from ....host.interface import Permission
from ....integrations.connections.ownership import PLATFORM, owner_user_id
from ....integrations.connections.service import ConnectionFilter
from ....messages import Message
from ...api.paging import page_of
from ..area.notices import notice, sign_in_notice
from ..area.upstream import Answer, Calls
from ..area.visit import Forbidden, Visit, automation_page
from ..rows import FlowRow, by_name, connection_row, flow_row, piece_titles, project_url

_PAGE_SIZE = 25
_MAX_NAME_LENGTH = 100
#: How many flows the pages of one connection name.
_NAMED_FLOWS = 10
#: What the filter offers, and which states it means.
_FILTERS: dict[str, tuple[str, Sequence[ConnectionStatus]]] = {
    "working": (Message("Works"), ("ACTIVE",)),
    "broken": (Message("Needs attention"), ("ERROR", "MISSING")),
}


#: Before `PARTIAL_REPLACEMENT`.
_ALL_OR_NOTHING = Message(
    "This version of Activepieces always changes flows that are on, and deletes the old connection. Allow both."
)


@dataclass(frozen=True)
class FlowsUsing:
    """The flows that use a connection: the first ones by name, and how many there are."""

    rows: Sequence[FlowRow]
    count: int


@automation_page("connections", "view")
def automation_connections(visit: Visit) -> ResponseReturnValue:
    """The list, filtered and paged."""
    filters = {
        name: value for name in ("search", "service", "status") if (value := request.args.get(name, "").strip())
    }
    # All of them, for the services to choose from; Activepieces is asked once in any case.
    connections = visit.state.tenants.connections.list(visit.integration)
    found = [each for each in connections if _matches(each, **filters)]
    titles = piece_titles(visit.state, connections)
    page = page_of(found, limit=_PAGE_SIZE, cursor=request.args.get("cursor"), key=by_name)
    return visit.render(
        "connections.html",
        rows=[connection_row(visit.state, each, titles) for each in page.data],
        page=page,
        filters=filters,
        # By their pieces, in the order of their names.
        service_choices=dict(sorted(titles.items(), key=lambda item: item[1].casefold())),
        status_choices={name: label for name, (label, _) in _FILTERS.items()},
        offers_one_click=_offers_one_click(visit, connections),
        notice=notice(request.args.get("done")) or sign_in_notice(request.args),
    )


def _offers_one_click(visit: Visit, connections: Sequence[Connection]) -> bool:
    """Whether there is a piece of this app, and the user has no connection with it that works."""
    name, user_id = visit.state.settings.piece_name, visit.principal.user_id
    return name is not None and not any(
        each.piece_name == name and each.status == "ACTIVE" and owner_user_id(each) == user_id for each in connections
    )


@automation_page("connections", "view")
def automation_connection(visit: Visit, connection_id: str) -> ResponseReturnValue:
    """One connection, with the flows that use it."""
    return _show(visit, visit.state.tenants.connections.get(visit.integration, connection_id))


@automation_page("connections", "edit")
def automation_rename_connection(visit: Visit, connection_id: str) -> ResponseReturnValue:
    """Give a connection another name."""
    connection = changeable_connection(visit, connection_id)
    name = request.form.get("name", "").strip()
    try:
        display_name = checked_name(name)
    except InvalidInput as problem:
        return _show(visit, connection, problem)
    visit.state.tenants.connections.update(
        visit.integration, connection.id, display_name=display_name, user_id=visit.principal.user_id
    )
    return visit.redirect("automation_connection", connection_id=connection.id, done="connection-renamed")


@automation_page("connections", "edit")
def automation_delete_connection(visit: Visit, connection_id: str) -> ResponseReturnValue:
    """Delete a connection, after a page that names the flows that break.

    If another flow has begun to use it meanwhile, the page is shown again.
    """
    connection = changeable_connection(visit, connection_id)
    flow_ids = connection.flow_ids or ()
    if request.method == "GET" or not set(flow_ids) <= set(request.form.getlist("flow")):
        return visit.render(
            "connection_delete.html",
            connection=connection_row(visit.state, connection),
            flows=_flows_using(visit, connection),
            flow_ids=flow_ids,
            status=200 if request.method == "GET" else 409,
        )
    visit.state.tenants.connections.delete(
        visit.integration, connection.id, force=bool(flow_ids), user_id=visit.principal.user_id
    )
    return visit.redirect("automation_connections", done="connection-deleted")


@automation_page("connections", "edit")
def automation_replace_connection(visit: Visit, connection_id: str) -> ResponseReturnValue:
    """Move the flows of a connection to another one of the same piece."""
    connection = changeable_connection(visit, connection_id)
    if request.method == "GET":
        return _replacement_form(visit, connection)
    try:
        result = visit.state.tenants.connections.replace(
            visit.integration,
            source_id=connection.id,
            target_id=request.form.get("target") or _missing_target(),
            apply_to_published="only_drafts" not in request.form,
            delete_source=None if "delete" in request.form else False,
            user_id=visit.principal.user_id,
        )
    except InvalidInput as problem:
        # The names of its fields are those of the API.
        return _replacement_form(visit, connection, InvalidInput({"target": " ".join(problem.fields.values())}))
    except (CredentialNotSupported, EditionNotSupported):
        raise
    except CallNotSupported:
        return _replacement_form(visit, connection, InvalidInput({"delete": _ALL_OR_NOTHING}))
    is_kept = "delete" in request.form and not result.source_deleted
    return visit.redirect("automation_connections", done="replaced-kept" if is_kept else "connection-replaced")


def changeable_connection(visit: Visit, connection_id: str) -> Connection:
    """A connection that the user may change: those of the whole platform are for administrators."""
    connection = visit.state.tenants.connections.get(visit.integration, connection_id)
    needed: Permission = "admin" if connection.scope == "PLATFORM" else "edit"
    if not visit.allows(needed):
        raise Forbidden
    return connection


def checked_name(name: str) -> str:
    """The name of a connection; `InvalidInput` if it cannot be one."""
    if not name or not name.isprintable():
        raise InvalidInput({"name": Message("Enter a name of one line.")})
    if len(name) > _MAX_NAME_LENGTH:
        raise InvalidInput({"name": Message("At most %(maximum)d characters.", maximum=_MAX_NAME_LENGTH)})
    return name


def _matches(connection: Connection, *, search: str = "", service: str = "", status: str = "") -> bool:
    statuses = _FILTERS[status][1] if status in _FILTERS else ()
    return (
        search.casefold() in connection.display_name.casefold()
        and service in ("", connection.piece_name)
        and (not statuses or connection.status in statuses)
    )


def _show(visit: Visit, connection: Connection, problem: InvalidInput | None = None) -> Response:
    owner_id = owner_user_id(connection)
    owners = visit.state.host.display_names([owner_id], visit.principal.tenant_id) if owner_id else {}
    return visit.render(
        "connection.html",
        problem=problem,
        connection=connection_row(visit.state, connection),
        name=request.form.get("name", connection.display_name) if problem else connection.display_name,
        owner_name=owners.get(owner_id or ""),
        flows=_flows_using(visit, connection),
        may_change=visit.allows("admin" if connection.scope == "PLATFORM" else "edit"),
        project_url=project_url(visit),
    )


def _flows_using(visit: Visit, connection: Connection) -> Answer[FlowsUsing]:
    """The flows; only their number is known in a project that tenants share."""
    if visit.state.tenants.integrations.shares_project(visit.integration):
        return Answer()
    answer: Answer[Sequence[Flow]] = Calls(visit.integration).try_call(
        partial(visit.state.tenants.flows.list, visit.integration, connection_external_ids=[connection.external_id])
    )
    if answer.value is None:
        return Answer(error=answer.error)
    first = sorted(answer.value, key=by_name)[:_NAMED_FLOWS]
    return Answer(FlowsUsing([flow_row(visit, flow) for flow in first], len(answer.value)))


def _replacement_form(visit: Visit, source: Connection, problem: InvalidInput | None = None) -> Response:
    same_piece = ConnectionFilter(piece_name=source.piece_name)
    candidates = visit.state.tenants.connections.list(visit.integration, same_piece)
    is_partial = _replaces_partially(visit)
    return visit.render(
        "connection_replace.html",
        problem=problem,
        connection=connection_row(visit.state, source),
        candidates=[connection_row(visit.state, each) for each in candidates if each.id != source.id],
        flows=_flows_using(visit, source),
        selected=request.form.get("target"),
        only_drafts="only_drafts" in request.form,
        deletes="delete" in request.form,
        is_partial=is_partial,
        # Other projects use it, too.
        is_impossible=source.scope == PLATFORM and not is_partial,
    )


def _replaces_partially(visit: Visit) -> bool:
    """Whether this Activepieces can change drafts only, and keep the old connection; yes if it does not say."""
    tenants = visit.state.tenants
    info = Calls(visit.integration).try_call(
        lambda: tenants.integrations.client_for(visit.integration, "server.info").server.info()
    )
    return info.value is None or release(info.value.version) >= PARTIAL_REPLACEMENT


def _missing_target() -> str:
    raise InvalidInput({"target": Message("Choose the other connection.")})
