"""Connections, flows and runs as the pages show them: names and words, never a constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flask import url_for

from ...api_client.resources.connections import Connection
from ...api_client.resources.flow_runs import FailedStep, FlowRun
from ...api_client.resources.flows import Flow
from ...integrations.client_factory import site_url
from ...integrations.connections.ownership import ACCOUNT, piece_title
from ...state import State
from ..pages.i18n import gettext
from .area import words
from .area.visit import Visit
from .area.words import Status

#: What a page shows of the reason of a failed run.
_MAX_REASON = 300


@dataclass(frozen=True, kw_only=True)
class ConnectionRow:
    """A connection in a list."""

    id: str
    name: str
    piece: str
    #: The account that it signs in with, if Activepieces knows it.
    account: str | None
    status: Status
    is_broken: bool
    is_global: bool
    flow_count: int | None
    updated_at: int | None


@dataclass(frozen=True, kw_only=True)
class FlowRow:
    """A flow in a list."""

    id: str
    name: str
    status: Status
    is_enabled: bool
    is_published: bool
    is_changing: bool
    updated_at: int | None
    builder_url: str


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run in a list."""

    id: str
    flow_id: str
    flow_name: str | None
    status: Status
    is_failed: bool
    is_test: bool
    started_at: int | None
    seconds: int | None
    failed_step: str | None
    #: Only for users who may edit flows: it may contain the data of the run.
    reason: str | None
    url: str


def piece_titles(state: State, connections: Sequence[Connection]) -> dict[str, str]:
    """The titles of the pieces of these connections, of which one may know more than another."""
    known = {each.piece_name: title for each in connections if (title := piece_title(each))}
    names = {each.piece_name for each in connections}
    return {name: words.piece_title(state, name, known.get(name)) for name in names}


def connection_row(state: State, connection: Connection, titles: Mapping[str, str] | None = None) -> ConnectionRow:
    """The row of a connection, in a list whose titles of pieces are known."""
    titles = piece_titles(state, [connection]) if titles is None else titles
    account = connection.metadata.get(ACCOUNT)
    return ConnectionRow(
        id=connection.id,
        name=connection.display_name,
        piece=titles[connection.piece_name],
        account=account if isinstance(account, str) else None,
        status=words.connection_status(connection.status),
        is_broken=connection.status != "ACTIVE",
        is_global=connection.scope == "PLATFORM",
        flow_count=None if connection.flow_ids is None else len(connection.flow_ids),
        updated_at=words.instant(connection.updated),
    )


def flow_row(visit: Visit, flow: Flow) -> FlowRow:
    """The row of a flow."""
    return FlowRow(
        id=flow.id,
        name=flow.display_name,
        status=words.flow_status(flow),
        is_enabled=flow.status == "ENABLED",
        is_published=flow.published_version_id is not None,
        is_changing=flow.operation_status != "NONE",
        updated_at=words.instant(flow.updated),
        builder_url=builder_url(visit, flow.id),
    )


def by_name(record: Connection | Flow) -> tuple[str, str]:
    """The order of connections and flows on pages."""
    return record.display_name.casefold(), record.id


def run_row(visit: Visit, run: FlowRun) -> RunRow:
    """The row of a run."""
    started, finished = words.instant(run.start_time or run.created), words.instant(run.finish_time)
    status = words.run_status(run)
    reason = _reason(run.failed_step) if run.failed_step and visit.allows("edit") else None
    return RunRow(
        id=run.id,
        flow_id=run.flow_id,
        flow_name=run.flow_version.display_name if run.flow_version else None,
        status=status,
        is_failed=status.tone == "bad",
        is_test=run.environment == "TESTING",
        started_at=started,
        seconds=None if started is None or finished is None else max(0, finished - started),
        failed_step=run.failed_step.display_name if run.failed_step else None,
        reason=reason,
        url=f"{project_url(visit)}/runs/{quote(run.id, safe='')}",
    )


def builder_url(visit: Visit, flow_id: str | None = None) -> str:
    """Where flows are built: on a page of the area if users have no account of Activepieces, else there."""
    if "builder" in visit.pages and not visit.integration.has_credentials:
        return url_for("activepieces.automation_builder", flow=flow_id)
    return f"{project_url(visit)}/flows" + ("" if flow_id is None else f"/{quote(flow_id, safe='')}")


def project_url(visit: Visit) -> str:
    """The pages of the project at Activepieces."""
    integration = visit.integration
    base_url = integration.base_url or visit.state.settings.base_url
    return f"{site_url(base_url)}/projects/{quote(integration.project_id, safe='')}"


def _reason(step: FailedStep) -> str | None:
    """Why a step failed, in words; None if Activepieces only has data about it."""
    if step.http_status is not None:
        return gettext("The service answered with the status %(status)s.", status=step.http_status)
    line = " ".join(step.reason.split())
    if not line or line[0] in "{[":
        return None
    return line if len(line) <= _MAX_REASON else f"{line[: _MAX_REASON - 1]}…"
