"""Runs of flows: what happened, why it failed, and trying it again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..wire import segment
from .resource import Resource, shape

#: On from the failed step with what the run had so far; or from the start, with the flow as it is now.
RetryStrategy = Literal["FROM_FAILED_STEP", "ON_LATEST_VERSION"]


@dataclass(frozen=True, kw_only=True)
class FailedStep:
    """The step at which a run failed."""

    name: str
    display_name: str
    #: As Activepieces keeps it, with its stack; it may quote what the step worked on.
    message: str | None = field(default=None, repr=False)

    @property
    def error_name(self) -> str | None:
        """What kind of error it was, if Activepieces says so: ``ConnectionExpired``, ``ConnectionNotFound``, …."""
        return _member("errorName", self.message or "")

    @property
    def reason(self) -> str:
        """The message without its stack, for people."""
        reason = self.message or ""
        # Seen on a 0.85.2 server: JSON with a message, which is JSON with a message.
        while (inner := _member("message", reason)) is not None:
            reason = inner
        return reason


@dataclass(frozen=True, kw_only=True)
class RunVersion:
    """The version of the flow that ran."""

    display_name: str


@dataclass(frozen=True, kw_only=True)
class FlowRun:
    """One run of a flow."""

    id: str
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
    #: Input and output of each step, by its name; not in lists. Whatever the flow worked on is in it.
    steps: Mapping[str, Any] = field(default_factory=dict, repr=False)
    created: str
    updated: str


@dataclass(frozen=True)
class RunPage:
    """Some runs, newest first; ``next_cursor`` leads to older ones, and is None when there are none."""

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
        """The newest runs of a project, up to ``limit``; times are RFC 3339 text.

        Runs are many, and their cursor holds time and id: unlike those of other lists, it loses none.
        """
        query = {
            "projectId": project_id,
            "flowId": flow_ids,
            "status": statuses,
            "createdAfter": created_after,
            "createdBefore": created_before,
            "limit": limit,
            "cursor": cursor,
        }
        answer = self._transport.call("flow_runs.list", "GET", "/flow-runs", query=query)
        runs = shape(FlowRun).many(answer, "flow_runs.list")
        return RunPage(runs, answer.get("next") if isinstance(answer, dict) else None)

    def get(self, run_id: str) -> FlowRun:
        """One run, with its steps."""
        return self._one(FlowRun, "flow_runs.get", "GET", f"/flow-runs/{segment(run_id)}")

    def retry(
        self, run_id: str, *, project_id: str, strategy: RetryStrategy = "FROM_FAILED_STEP"
    ) -> FlowRun:
        """Run it again, under the same id; the answer is the run as it waits for its turn."""
        return self._one(
            FlowRun,
            "flow_runs.retry",
            "POST",
            f"/flow-runs/{segment(run_id)}/retry",
            body={"projectId": project_id, "strategy": strategy},
        )


def _member(name: str, text: str) -> str | None:
    """A text within JSON. Activepieces cuts long messages off, so that the JSON as a whole is often none."""
    found = re.match(rf'\s*\{{.*?"{name}"\s*:\s*("(?:[^"\\]|\\.)*")', text, re.DOTALL)
    try:
        return None if found is None else str(json.loads(found[1], strict=False))
    except ValueError:
        return None
