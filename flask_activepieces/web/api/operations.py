"""What a view of the JSON API declares: who may call it, what it reads, what it returns.

    @Operation("edit", body=RenameSchema(), answer=ConnectionSchema())
    def rename_connection(context: OperationContext, connection_id: str) -> Any:
        \"\"\"Rename a connection.\"\"\"

The same declaration runs the view and becomes the OpenAPI document, so a response never has a field that the
document does not list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import wraps
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields

from ...api_client.errors import ApiError
from ...errors import InvalidInput
from ...host.interface import Permission, Principal
from ...integrations.store import Integration
from ...state import State, get_state
from ..routes import View
from .api_error_mapping import problem_from
from .problems import json_body, json_view, require_permission

_ATTRIBUTE = "operation"


@dataclass(frozen=True)
class OperationContext:
    """A call of the API that has passed all checks."""

    state: State
    principal: Principal
    query: Mapping[str, Any]
    body: Mapping[str, Any] = field(repr=False)

    @property
    def tenant_id(self) -> str:
        """The tenant that the caller acts in."""
        return self.principal.tenant_id

    def integration(self, integration_id: str) -> Integration:
        """An integration that the caller may see; `NotFound` for any other."""
        return self.state.integrations.find(integration_id, principal=self.principal)


@dataclass(frozen=True)
class Operation:
    """The declaration of a view, and the decorator that makes the view from a function."""

    permission: Permission
    _: KW_ONLY
    query: Schema | None = None
    body: Schema | None = None
    #: Whether the body may be missing; the schema's defaults then apply.
    body_optional: bool = False
    answer: Schema | None = None
    success: int | None = None
    calls_activepieces: bool = True

    @property
    def status(self) -> int:
        """The status of a successful response."""
        return self.success or (204 if self.answer is None else 200)

    def __call__(self, function: Callable[..., Any]) -> View:
        """The view that checks the call, runs the function, and returns its result by the schema."""

        @json_view
        @wraps(function)
        def view(**path: str) -> ResponseReturnValue:
            try:
                return self._to_response(function(self._context(get_state()), **path))
            except ApiError as error:
                raise problem_from(error) from error

        setattr(view, _ATTRIBUTE, self)
        return view

    def _context(self, state: State) -> OperationContext:
        principal = require_permission(state, self.permission)
        query = _load(self.query, _query_values(self.query)) if self.query else {}
        body: Mapping[str, Any] = {}
        if self.body:
            is_missing = self.body_optional and not request.content_length
            body = _load(self.body, {} if is_missing else json_body())
        return OperationContext(state, principal, query, body)

    def _to_response(self, result: Any) -> ResponseReturnValue:
        if isinstance(result, Response):
            return result
        if self.answer is None:
            return Response(status=self.status)
        return jsonify(self.answer.dump(result)), self.status


def get_operation(view: View) -> Operation | None:
    """The declaration of the view, if it has one."""
    return getattr(view, _ATTRIBUTE, None)


def _query_values(schema: Schema) -> dict[str, Any]:
    repeatable = {each.data_key for each in schema.fields.values() if isinstance(each, fields.List)}
    return {name: values if name in repeatable else values[0] for name, values in request.args.lists()}


def _load(schema: Schema, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        values: Mapping[str, Any] = schema.load(raw)
    except ValidationError as error:
        problems = {str(name): _join(messages) for name, messages in error.messages_dict.items()}
        raise InvalidInput(problems) from None
    return values


def _join(messages: Any) -> str:
    if isinstance(messages, dict):
        return "; ".join(f"{key}: {_join(value)}" for key, value in messages.items())
    return " ".join(map(str, messages)) if isinstance(messages, list) else str(messages)
