"""Runs of flows: their results, why they failed, and how to retry them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..decoding import decode_list
from ..wire import ApiCall, Query
from .resource import Record, Resource

#: Continue at the failed step with the previous results, or start again with the current flow.
RetryStrategy = Literal["FROM_FAILED_STEP", "ON_LATEST_VERSION"]

_STACK_FRAME = re.compile(r"\s+at \S")
_HTTP_ERROR = re.compile(r'\s*\{\s*"response"\s*:\s*\{\s*"status"\s*:\s*(\d{3})\b')


@dataclass(frozen=True, kw_only=True)
class FailedStep:
    """The step that failed."""

    name: str
    display_name: str
    #: As Activepieces stores it, with the stack trace; it may contain data of the flow.
    message: str | None = field(default=None, repr=False)

    @property
    def error_name(self) -> str | None:
        """The kind of error, if Activepieces names it: ``ConnectionExpired``, ``ConnectionNotFound``, …."""
        return _json_string("errorName", self.message or "")

    @property
    def reason(self) -> str:
        """The message without the stack trace, for people."""
        reason = self.message or ""
        # Seen on a 0.85.2 server: JSON with a message that is again JSON with a message.
        while (inner := _json_string("message", reason)) is not None:
            reason = inner
        return "\n".join(line for line in reason.split("\n") if not _STACK_FRAME.match(line))

    @property
    def http_status(self) -> int | None:
        """The status of the response, if the step called a service that answered with an error."""
        # In the form of the piece framework's HttpError: {"response": {"status": 401, "body": …}, "request": …}.
        match = _HTTP_ERROR.match(self.reason)
        return None if match is None else int(match[1])


@dataclass(frozen=True, kw_only=True)
class RunVersion:
    """The version of the flow that ran."""

    display_name: str


@dataclass(frozen=True, kw_only=True)
class FlowRun(Record):
    """A run of a flow."""

    project_id: str
    flow_id: str
    flow_version_id: str
    #: ``QUEUED``, ``RUNNING``, ``PAUSED``, ``SUCCEEDED``, ``FAILED``, ``TIMEOUT``, ``CANCELED``, ….
    status: str
    #: ``PRODUCTION`` or ``TESTING``.
    environment: str
    flow_version: RunVersion | None = None
    start_time: str | None = None
    finish_time: str | None = None
    failed_step: FailedStep | None = None
    steps_count: int | None = None
    tags: tuple[str, ...] = ()
    #: Input and output of each step, by name; not in lists. It contains the data of the flow.
    steps: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RunPage:
    """A page of runs, newest first; ``next_cursor`` is None on the last page."""

    runs: Sequence[FlowRun]
    next_cursor: str | None


class FlowRuns(Resource):
    """``client.flow_runs``"""

    def list(
        self,
        project_id: str,
        *,
        flow_ids: Sequence[str] = (),
        statuses: Sequence[str] = (),
        created_after: str | None = None,
        created_before: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """The newest runs of a project, up to ``limit``; times are RFC 3339 strings."""
        query: Query = {
            "projectId": project_id,
            "flowId": flow_ids,
            "status": statuses,
            "createdAfter": created_after,
            "createdBefore": created_before,
            "limit": limit,
            "cursor": cursor,
        }
        # Unlike the cursors of other lists, that of runs contains time and id, so paging skips none.
        call = ApiCall("flow_runs.list", "GET", "/flow-runs", query=query)
        page = self._transport.send(call)
        runs = decode_list(FlowRun, page, call.operation)
        return RunPage(runs, page.get("next") if isinstance(page, dict) else None)

    def get(self, run_id: str) -> FlowRun:
        """The run with this id, with its steps."""
        return self._get(FlowRun, "flow_runs.get", "/flow-runs", run_id)

    def retry(self, run_id: str, *, project_id: str, strategy: RetryStrategy = "FROM_FAILED_STEP") -> FlowRun:
        """Run it again under the same id; returns the queued run."""
        body = {"projectId": project_id, "strategy": strategy}
        return self._post(FlowRun, "flow_runs.retry", "/flow-runs", run_id, "retry", body=body)


def _json_string(name: str, document: str) -> str | None:
    """The value of a member in a JSON document that may be cut off, as Activepieces does with long messages."""
    match = re.match(rf'\s*\{{.*?"{name}"\s*:\s*("(?:[^"\\]|\\.)*")', document, re.DOTALL)
    try:
        return None if match is None else str(json.loads(match[1], strict=False))
    except ValueError:
        return None
