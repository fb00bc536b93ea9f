"""The audit log of the workspace: who did what and when, filtered, paged, and as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Response, request, stream_with_context
from flask.typing import ResponseReturnValue

from ...clock import as_iso
from ...errors import InvalidInput
from ...messages import Message
from ...storage.audit import Event
from ...storage.audit_log import AuditFilter
from ..pages.i18n import gettext, start_of_day
from .area.visit import Visit, automation_page
from .area.words import trigger_title, triggers_of
from .audit_words import KINDS, event_names, sentence

_PAGE_SIZE = 50
#: What a spreadsheet would run as a formula (OWASP: CSV injection); the wide characters in some languages.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # meant
_EXPORT_BATCH = 200
_FORMER_USER, _SYSTEM = Message("a former user"), Message("the system")


@dataclass(frozen=True, kw_only=True)
class _Row:
    """An event in words."""

    at: int
    what: Message
    #: None: no person, or one who is no longer known.
    who: str | None
    was_person: bool


@automation_page("audit", "admin")
def automation_audit(visit: Visit) -> ResponseReturnValue:
    """The events, newest first."""
    try:
        chosen = _filter()
    except InvalidInput as problem:
        return _show(visit, [], problem=problem)
    page = visit.state.audit_log.list(
        visit.principal.tenant_id, chosen, limit=_PAGE_SIZE, cursor=request.args.get("cursor")
    )
    return _show(visit, _rows(visit, page.items), next_cursor=page.next, previous_cursor=page.previous)


@automation_page("audit", "admin")
def automation_audit_csv(visit: Visit) -> ResponseReturnValue:
    """All events of the filter as a CSV file, which is sent while it is read."""
    events = visit.state.audit_log.iterate(visit.principal.tenant_id, _filter())
    response = Response(stream_with_context(_csv_lines(visit, events)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _show(
    visit: Visit,
    rows: Sequence[_Row],
    *,
    next_cursor: str | None = None,
    previous_cursor: str | None = None,
    problem: InvalidInput | None = None,
) -> Response:
    filters = {name: value for name in ("kind", "since", "until") if (value := request.args.get(name))}
    return visit.render(
        "audit.html",
        problem=problem,
        rows=rows,
        next_cursor=next_cursor,
        previous_cursor=previous_cursor,
        filters=filters,
        kind_choices={name: label for name, (label, _) in KINDS.items()},
    )


def _filter() -> AuditFilter:
    since, until = _day("since"), _day("until")
    return AuditFilter(
        names=event_names(request.args.get("kind", "")),
        since=None if since is None else start_of_day(since),
        # The whole day.
        until=None if until is None else start_of_day(until + timedelta(days=1)),
    )


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.max
    if day is not None and day.year >= 9999:
        raise InvalidInput({name: Message("Enter a date, such as 2026-11-30.")})
    return day


def _rows(visit: Visit, events: Sequence[Event]) -> list[_Row]:
    """The events with the names of their people and clients, which take one query each."""
    state, tenant_id = visit.state, visit.principal.tenant_id
    user_ids = sorted({event.user_id for event in events if event.user_id})
    client_ids = sorted({event.client_id for event in events if event.client_id})
    users = state.host.display_names(user_ids, tenant_id) if user_ids else {}
    clients = state.oauth_clients.names_of(client_ids) if client_ids else {}
    triggers = triggers_of(state)
    return [
        _Row(
            at=event.at,
            what=sentence(
                event,
                client=clients.get(event.client_id or ""),
                trigger=trigger_title(triggers, event.detail.get("trigger", "")),
            ),
            who=users.get(event.user_id or ""),
            was_person=event.user_id is not None,
        )
        for event in events
    ]


def _csv_lines(visit: Visit, events: Iterable[Event]) -> Iterator[str]:
    # For Excel, which otherwise does not take it for UTF-8.
    yield "\ufeff" + _csv_line([gettext("Time (UTC)"), gettext("What"), gettext("Who")])
    for batch in _batches(events):
        for row in _rows(visit, batch):
            someone = _FORMER_USER if row.was_person else _SYSTEM
            yield _csv_line([as_iso(row.at), gettext(row.what), row.who or gettext(someone)])


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == _EXPORT_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue()
