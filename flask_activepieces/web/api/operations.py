"""What a view of the JSON API declares, and what is done for it: who may call, what comes in, what goes out.

    @operation("edit", body=RenameSchema, answer=ConnectionSchema)
    def rename(call: Call, connection_id: str) -> Any:
        \"\"\"Give a connection another name.\"\"\"

The declaration hangs on the view. `openapi` makes the document from it, and the same declaration is what runs:
the caller's permission, then query and body by their schemas, then the view, then its answer by its schema. An
answer therefore never holds a field that the document does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from ...api_client.errors import ApiError
from ...errors import InvalidInput
from ...host.interface import Permission, Principal
from ...integrations.store import Integration
from ...state import State, get_state
from ..routes import View
from .problems import api, caller, json_object
from .upstream import problem_of

OPERATION = "operation"


@dataclass(frozen=True)
class Call:
    """One call of the API, allowed and checked."""

    state: State
    principal: Principal
    query: Mapping[str, Any]
    body: Mapping[str, Any] = field(repr=False)

    @property
    def tenant_id(self) -> str:
        """The tenant that the caller acts in."""
        return self.principal.tenant_id

    def integration(self, integration_id: str) -> Integration:
        """An integration that the caller may look at; `NotFound` for any other."""
        return self.state.integrations.find(integration_id, principal=self.principal)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a view declares. A schema that is None: nothing of the kind is read or answered."""

    permission: Permission
    query: Schema | None = None
    body: Schema | None = None
    #: Whether the call may come without any body; the schema's defaults hold then.
    body_optional: bool = False
    answer: Schema | None = None
    status: int = 200
    #: Statuses of problems that this view has besides those that any may have.
    problems: tuple[int, ...] = ()

    def call(self, state: State) -> Call:
        """The call under way, by somebody who may make it and with values that fit."""
        principal = caller(state, self.permission)
        query = _read(self.query, "query")
        without_body = self.body_optional and not request.content_length
        body = self.body.load({}) if self.body and without_body else _read(self.body, "json")
        return Call(state, principal, query, body)

    def answered(self, result: Any) -> ResponseReturnValue:
        """The view's result as a response."""
        if isinstance(result, Response):
            return result
        if self.answer is None:
            return Response(status=self.status)
        return jsonify(self.answer.dump(result)), self.status


def operation(
    permission: Permission,
    *,
    query: Schema | None = None,
    body: Schema | None = None,
    body_optional: bool = False,
    answer: Schema | None = None,
    status: int | None = None,
    problems: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], View]:
    """Make a view of the JSON API from a function of a `Call` and the parts of the path."""
    declared = Operation(
        permission=permission,
        query=query,
        body=body,
        body_optional=body_optional,
        answer=answer,
        status=status or (204 if answer is None else 200),
        problems=problems,
    )

    def decorate(function: Callable[..., Any]) -> View:
        @api
        @wraps(function)
        def view(**path: str) -> ResponseReturnValue:
            call = declared.call(get_state())
            try:
                return declared.answered(function(call, **path))
            except ApiError as error:
                raise problem_of(error) from error

        setattr(view, OPERATION, declared)
        return view

    return decorate


def declaration_of(view: View) -> Operation | None:
    """What the view declares, if it is an operation."""
    return getattr(view, OPERATION, None)


class _Parser(FlaskParser):
    """webargs, with our rules for bodies and our words for mistakes."""

    def load_json(self, req: Any, schema: Schema) -> dict[str, Any]:
        """The body, which must be a JSON object and say that it is JSON."""
        return json_object()

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> Any:
        """Name every field that does not fit."""
        (told,) = error.normalized_messages().values()  # type: ignore[no-untyped-call]
        raise InvalidInput({str(name): _words(words) for name, words in told.items()}) from None


_parser = _Parser()


def _read(schema: Schema | None, location: str) -> Mapping[str, Any]:
    if schema is None:
        return {}
    # As the schema says, and that is: an unknown name is an error, not a silent nothing.
    values: Mapping[str, Any] = _parser.parse(schema, request, location=location, unknown=None)
    return values


def _words(told: Any) -> str:
    if isinstance(told, dict):
        return "; ".join(f"{key}: {_words(value)}" for key, value in told.items())
    return " ".join(str(word) for word in told) if isinstance(told, list) else str(told)
