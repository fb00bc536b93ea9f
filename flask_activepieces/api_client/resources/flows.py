"""Flows: create, import, publish, enable, disable, export and run them; and the folders that group them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ApiError, CallNotSupported, Conflict, ConstraintViolated, InvalidRequest, ResourceNotFound
from ..wire import ApiCall, Query, Timeout, api_path
from .resource import NO_LIMIT, Record, Resource, without_none
from .templates import FlowTemplate, Template

FlowStatus = Literal["ENABLED", "DISABLED"]

#: By default a server waits 30 seconds for the response of a flow, and then reports that it has none.
RUN_TIMEOUT = Timeout(read=45, total=50)

#: The operations for which a server checks ``metadata.embedConstraints`` of a flow (since 0.86).
_CONSTRAINED_OPERATIONS = {"LOCK_AND_PUBLISH", "UPDATE_TRIGGER", "IMPORT_FLOW"}
_OPERATION_IN_PROGRESS = "FLOW_OPERATION_IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class FlowVersion:
    """A version of a flow: its draft or a published one."""

    id: str
    display_name: str
    #: ``DRAFT`` or ``LOCKED``.
    state: str
    #: Whether every step is complete.
    valid: bool
    #: The trigger, which contains the steps and their inputs.
    trigger: Mapping[str, Any] = field(repr=False)
    #: The external ids of the connections that the steps use.
    connection_ids: tuple[str, ...] = ()
    schema_version: str | None = None

    @property
    def has_trigger(self) -> bool:
        """Whether a trigger has been chosen."""
        return self.trigger.get("type") != "EMPTY"


@dataclass(frozen=True, kw_only=True)
class Flow(Record):
    """A flow with its newest version."""

    project_id: str
    external_id: str
    #: ``ENABLED`` or ``DISABLED``.
    status: str
    version: FlowVersion
    #: ``NONE``, or what Activepieces is doing: ``ENABLING``, ``DISABLING``, ``DELETING``.
    operation_status: str = "NONE"
    published_version_id: str | None = None
    folder_id: str | None = None
    owner_id: str | None = None
    template_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def display_name(self) -> str:
        """The name of its newest version."""
        return self.version.display_name


@dataclass(frozen=True, kw_only=True)
class Folder(Record):
    """A folder of a project."""

    project_id: str
    display_name: str
    #: Activepieces sorts folders by it.
    display_order: float = 0


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
        """The flows of a project, newest first; ``connection_external_ids``: those that use one of these."""
        query: Query = {
            "projectId": project_id,
            "name": name,
            "status": statuses,
            "folderId": folder_id,
            "connectionExternalIds": connection_external_ids,
            "limit": NO_LIMIT,
        }
        return self._list(Flow, "flows.list", "/flows", query=query)

    def get(self, flow_id: str, *, version_id: str | None = None) -> Flow:
        """The flow with this id, in its newest version or this one, such as the published one."""
        return self._get(Flow, "flows.get", "/flows", flow_id, query={"versionId": version_id})

    def create(
        self,
        project_id: str,
        display_name: str,
        *,
        folder_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Flow:
        """Create an empty, disabled flow; ``embedConstraints`` in ``metadata`` are conditions for its publication."""
        body = {"projectId": project_id, "displayName": display_name, "folderId": folder_id, "metadata": metadata}
        return self._post(Flow, "flows.create", "/flows", body=body)

    def import_template(
        self,
        project_id: str,
        template: FlowTemplate,
        *,
        display_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Flow:
        """Create a disabled flow from a flow of a `Template`. If the import fails, the flow is deleted again."""
        name = display_name or template.display_name
        flow = self.create(project_id, name, metadata=metadata)
        request = {
            "displayName": name,
            "trigger": template.trigger,
            "schemaVersion": template.schema_version,
            "notes": template.notes,
        }
        try:
            return self._apply("flows.import_template", flow.id, "IMPORT_FLOW", without_none(request))
        except ApiError:
            with suppress(ApiError):
                self.delete(flow.id)
            raise

    def publish(self, flow_id: str) -> Flow:
        """Publish the draft and enable the flow; `CallNotSupported` if it has no trigger."""
        if not self.get(flow_id).version.has_trigger:
            # Seen on a 0.85.2 server: it answers 404, after it has locked and published the empty draft.
            raise CallNotSupported(
                "flows.publish", detail="the flow has no trigger", remedy="Choose a trigger, then publish the flow."
            )
        return self._apply("flows.publish", flow_id, "LOCK_AND_PUBLISH", {}, idempotent=True)

    def enable(self, flow_id: str) -> Flow:
        """Enable the flow: its trigger runs the published version."""
        return self._apply("flows.enable", flow_id, "CHANGE_STATUS", {"status": "ENABLED"}, idempotent=True)

    def disable(self, flow_id: str) -> Flow:
        """Disable the flow."""
        return self._apply("flows.disable", flow_id, "CHANGE_STATUS", {"status": "DISABLED"}, idempotent=True)

    def apply(self, flow_id: str, operation_type: str, request: Mapping[str, Any]) -> Flow:
        """Apply one of Activepieces' flow operations: ``UPDATE_TRIGGER``, ``ADD_ACTION``, …."""
        return self._apply("flows.apply", flow_id, operation_type, request)

    def delete(self, flow_id: str) -> None:
        """Delete the flow with its versions."""
        self._delete("flows.delete", "/flows", flow_id)

    def get_template(self, flow_id: str) -> Template:
        """The flow as a template, to store it or to import it elsewhere."""
        return self._get(Template, "flows.get_template", "/flows", flow_id, "template")

    def run(self, flow_id: str, payload: Any = None, *, sync: bool = True, timeout: Timeout | None = None) -> Any:
        """Run a flow with a webhook trigger; returns its response, which must be JSON.

        None if it did not respond within the server's limit (`ServerInfo.webhook_timeout`): because it never does, or
        because it failed; `client.flow_runs` tells which. Without ``sync`` the call does not wait and returns ``{}``.
        `Conflict` if the flow is disabled, `ResourceNotFound` if it does not exist.
        """
        call = ApiCall(
            "flows.run",
            "POST",
            api_path("/webhooks", flow_id, *(["sync"] if sync else [])),
            body={} if payload is None else payload,
            # The flow receives all headers of a webhook, and could read the credential.
            authenticate=False,
            timeout=timeout or (RUN_TIMEOUT if sync else None),
        )
        try:
            return self._transport.send(call)
        except ResourceNotFound as error:
            raise _webhook_error(error) from error
        except InvalidRequest as error:
            # No response of the flow is 204, and since 0.86 an empty 408.
            if not (sync and error.status == 408 and error.code is None and not error.detail):
                raise
            return None

    def _apply(
        self, operation: str, flow_id: str, type_: str, request: Mapping[str, Any], *, idempotent: bool = False
    ) -> Flow:
        body = {"type": type_, "request": request}
        try:
            return self._post(Flow, operation, "/flows", flow_id, body=body, idempotent=idempotent)
        except Conflict as error:
            if type_ not in _CONSTRAINED_OPERATIONS or error.code == _OPERATION_IN_PROGRESS:
                raise
            raise self._constraint_error(error, flow_id) or error from error

    def _constraint_error(self, error: Conflict, flow_id: str) -> ConstraintViolated | None:
        """An error that lists the constraints in the flow's metadata, if it has any; the server does not."""
        with suppress(ApiError):
            constraints = _describe_constraints(self.get(flow_id).metadata.get("embedConstraints"))
            if constraints:
                detail = ": ".join(filter(None, [constraints, error.detail]))
                return ConstraintViolated(error.operation, status=error.status, code=error.code, detail=detail)
        return None


class Folders(Resource):
    """``client.folders``"""

    def list(self, project_id: str) -> Sequence[Folder]:
        """The folders of a project."""
        query: Query = {"projectId": project_id, "limit": NO_LIMIT}
        return self._list(Folder, "folders.list", "/folders", query=query)

    def get(self, folder_id: str) -> Folder:
        """The folder with this id."""
        return self._get(Folder, "folders.get", "/folders", folder_id)

    def create(self, project_id: str, display_name: str) -> Folder:
        """A new folder."""
        body = {"projectId": project_id, "displayName": display_name}
        return self._post(Folder, "folders.create", "/folders", body=body)

    def update(self, folder_id: str, display_name: str) -> Folder:
        """Rename the folder."""
        body = {"displayName": display_name}
        return self._post(Folder, "folders.update", "/folders", folder_id, body=body, idempotent=True)

    def delete(self, folder_id: str) -> None:
        """Delete the folder; its flows stay."""
        self._delete("folders.delete", "/folders", folder_id)


def _describe_constraints(constraints: object) -> str:
    if not isinstance(constraints, Mapping):
        return ""
    descriptions: list[str] = []
    piece_names, lock = constraints.get("requiredPieceNames"), constraints.get("triggerLock")
    if isinstance(piece_names, list) and piece_names:
        descriptions.append(f"it needs a step of {' or '.join(map(str, piece_names))}")
    if lock in ("locked", "frozen"):
        descriptions.append(f"its trigger is {lock}")
    return f"the flow has publish constraints: {', and '.join(descriptions)}" if descriptions else ""


def _webhook_error(error: ResourceNotFound) -> ApiError:
    """The meaning of 404 and 410 with an empty body. A 404 with a body comes from the flow."""
    if error.status == 410:
        return ResourceNotFound(error.operation, status=410, detail="no such flow")
    if error.status == 404 and not error.detail:
        return Conflict(error.operation, status=404, detail="the flow is disabled or was never published")
    return error
