"""Flows: made, imported, published, switched on and off, exported, and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ..connection_pool import Timeout
from ..errors import (
    ApiError,
    CallNotSupported,
    Conflict,
    ConstraintViolated,
    InvalidRequest,
    ResourceNotFound,
)
from ..wire import segment
from .resource import ALL, Resource, given
from .templates import FlowTemplate, Template

FlowStatus = Literal["ENABLED", "DISABLED"]

#: A server waits 30 seconds for the answer of a flow, unless told otherwise, and then says that there is none.
RUN_TIMEOUT = Timeout(read=45, total=50)

#: Where a server checks the publish constraints that stand in ``metadata.embedConstraints`` of a flow (since 0.86).
_CONSTRAINED = {"LOCK_AND_PUBLISH", "UPDATE_TRIGGER", "IMPORT_FLOW"}
_BUSY = "FLOW_OPERATION_IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class FlowVersion:
    """One version of a flow: its draft, or one that was published."""

    id: str
    display_name: str
    #: ``DRAFT`` or ``LOCKED``.
    state: str
    #: Whether every step is filled in.
    valid: bool
    #: The trigger, and within it the steps with all that was typed into them.
    trigger: Mapping[str, Any] = field(repr=False)
    #: The external ids of the connections that the steps use.
    connection_ids: tuple[str, ...] = ()
    schema_version: str | None = None

    @property
    def has_trigger(self) -> bool:
        """Whether it was chosen what starts the flow."""
        return self.trigger.get("type") != "EMPTY"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One flow with its newest version."""

    id: str
    project_id: str
    external_id: str
    #: ``ENABLED`` or ``DISABLED``.
    status: str
    version: FlowVersion
    #: ``NONE``, or what Activepieces is about to do: ``ENABLING``, ``DISABLING``, ``DELETING``.
    operation_status: str = "NONE"
    published_version_id: str | None = None
    folder_id: str | None = None
    owner_id: str | None = None
    template_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    created: str
    updated: str

    @property
    def display_name(self) -> str:
        """The flow's name, which is that of its version."""
        return self.version.display_name


class Flows(Resource):
    """``client.flows``"""

    def list(
        self,
        project_id: str,
        *,
        name: str | None = None,
        statuses: Sequence[FlowStatus] = (),
        folder_id: str | None = None,
        connection_external_ids: Sequence[str] = (),
    ) -> Sequence[Flow]:
        """The flows of a project, newest first; with ``connection_external_ids``, those that use one of them."""
        return self._all(
            Flow,
            "flows.list",
            "/flows",
            projectId=project_id,
            name=name,
            status=statuses,
            folderId=folder_id,
            connectionExternalIds=connection_external_ids,
            limit=ALL,
        )

    def get(self, flow_id: str) -> Flow:
        """One flow."""
        return self._one(Flow, "flows.get", "GET", f"/flows/{segment(flow_id)}")

    def create(
        self,
        project_id: str,
        display_name: str,
        *,
        folder_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Flow:
        """An empty flow, disabled; Activepieces gives it an external id of its own.

        ``metadata`` may hold ``embedConstraints``: what the flow must have to be published.
        """
        body = given(
            projectId=project_id, displayName=display_name, folderId=folder_id, metadata=metadata
        )
        return self._one(Flow, "flows.create", "POST", "/flows", body=body)

    def import_template(
        self,
        project_id: str,
        template: FlowTemplate,
        *,
        display_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Flow:
        """A new flow like this one of a `Template`, disabled; none is left behind if it does not fit."""
        name = display_name or template.display_name
        flow = self.create(project_id, name, metadata=metadata)
        request = given(
            displayName=name,
            trigger=template.trigger,
            schemaVersion=template.schema_version,
            notes=template.notes,
        )
        try:
            return self._apply("flows.import_template", flow.id, "IMPORT_FLOW", request)
        except ApiError:
            with suppress(ApiError):
                self.delete(flow.id)
            raise

    def publish(self, flow_id: str) -> Flow:
        """Publish the draft, which also enables the flow; `CallNotSupported` while it has no trigger."""
        if not self.get(flow_id).version.has_trigger:
            # Seen on a 0.85.2 server: it answers 404, and has locked and published the empty draft all the same.
            raise CallNotSupported(
                "flows.publish",
                detail="the flow has no trigger",
                remedy="Choose what starts the flow, then publish it.",
            )
        return self._apply("flows.publish", flow_id, "LOCK_AND_PUBLISH", {}, repeatable=True)

    def enable(self, flow_id: str) -> Flow:
        """Let the published version run when its trigger fires."""
        return self._switch("flows.enable", flow_id, "ENABLED")

    def disable(self, flow_id: str) -> Flow:
        """Let the flow no longer run."""
        return self._switch("flows.disable", flow_id, "DISABLED")

    def apply(self, flow_id: str, operation_type: str, request: Mapping[str, Any]) -> Flow:
        """The flow after one of Activepieces' operations on it: ``UPDATE_TRIGGER``, ``ADD_ACTION``, ….

        Activepieces refuses a request that does not fit without naming what is wrong with it.
        """
        return self._apply("flows.apply", flow_id, operation_type, request)

    def delete(self, flow_id: str) -> None:
        """Delete the flow with its versions."""
        self._transport.call("flows.delete", "DELETE", f"/flows/{segment(flow_id)}")

    def get_template(self, flow_id: str) -> Template:
        """The flow as a template, to be kept or imported elsewhere."""
        path = f"/flows/{segment(flow_id)}/template"
        return self._one(Template, "flows.get_template", "GET", path)

    def run(
        self,
        flow_id: str,
        payload: Any = None,
        *,
        sync: bool = True,
        timeout: Timeout | None = None,
    ) -> Any:
        """Run a flow that a webhook starts; its answer, which has to be JSON.

        None if it gave no answer within the server's time for it (`ServerInfo.webhook_timeout`): because it has
        none, or because it failed, which only its run says. Without ``sync`` nobody waits, and the answer is ``{}``.
        `Conflict` if the flow is disabled, `ResourceNotFound` if there is none.
        """
        path = f"/webhooks/{segment(flow_id)}" + ("/sync" if sync else "")
        try:
            return self._transport.call(
                "flows.run",
                "POST",
                path,
                body={} if payload is None else payload,
                # All headers of a webhook are input of the flow, and so would be the credential.
                anonymous=True,
                timeout=timeout or (RUN_TIMEOUT if sync else None),
            )
        except ResourceNotFound as error:
            raise _not_run(error) from error
        except InvalidRequest as error:
            # Since 0.86 a server says by 408, in no words, what it said by 204: the flow gave no answer.
            if not (sync and error.status == 408 and error.code is None and not error.detail):
                raise
            return None

    def _switch(self, operation: str, flow_id: str, status: FlowStatus) -> Flow:
        request = {"status": status}
        return self._apply(operation, flow_id, "CHANGE_STATUS", request, repeatable=True)

    def _apply(
        self,
        operation: str,
        flow_id: str,
        operation_type: str,
        request: Mapping[str, Any],
        *,
        repeatable: bool = False,
    ) -> Flow:
        try:
            return self._one(
                Flow,
                operation,
                "POST",
                f"/flows/{segment(flow_id)}",
                body={"type": operation_type, "request": request},
                repeatable=repeatable,
            )
        except Conflict as error:
            if operation_type not in _CONSTRAINED or error.code == _BUSY:
                raise
            raise self._constraint(error, flow_id) or error from error

    def _constraint(self, error: Conflict, flow_id: str) -> ConstraintViolated | None:
        """What the flow's metadata ask for, if they ask for anything: the server's own words are few."""
        with suppress(ApiError):
            constraints = self.get(flow_id).metadata.get("embedConstraints")
            if isinstance(constraints, Mapping) and (asked := _in_words(constraints)):
                detail = ": ".join(filter(None, [asked, error.detail]))
                return ConstraintViolated(
                    error.operation, status=error.status, code=error.code, detail=detail
                )
        return None


def _in_words(constraints: Mapping[str, Any]) -> str:
    """What the publish constraints of a flow are; empty when they ask for nothing."""
    found: list[str] = []
    names, lock = constraints.get("requiredPieceNames"), constraints.get("triggerLock")
    if isinstance(names, list) and names:
        found.append(f"it needs a step of {' or '.join(map(str, names))}")
    if lock in ("locked", "frozen"):
        found.append(f"its trigger is {lock}")
    return f"the flow has publish constraints: {', and '.join(found)}" if found else ""


def _not_run(error: ResourceNotFound) -> ApiError:
    """What a webhook means by 404 and 410, both with an empty body; a flow may answer 404 in words of its own."""
    if error.status == 410:
        return ResourceNotFound(error.operation, status=410, detail="no such flow")
    if error.status == 404 and not error.detail:
        return Conflict(
            error.operation, status=404, detail="the flow is disabled, or was never published"
        )
    return error
