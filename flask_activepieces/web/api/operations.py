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
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields

from ...errors import InvalidInput
from ...host.interface import Permission, Principal
from ...integrations.store import Integration
from ...state import State, get_state
from ..csrf import check_host_csrf
from ..routes import View
from .problems import Problem, ProblemType, problem_from

MAX_BODY_BYTES = 256 * 1024
_ATTRIBUTE = "operation"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def json_view(view: View) -> View:
    """Decorate a view of the JSON API: cross-site calls are rejected, and errors become problem details."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        try:
            request.max_content_length = MAX_BODY_BYTES
            _reject_cross_site_call(get_state())
            response = make_response(view(*args, **kwargs))
        except Exception as error:
            problem = problem_from(error)
            if problem is None:
                raise
            response = problem.to_response()
        # Responses are about one signed-in person, and some contain a secret.
        response.headers["Cache-Control"] = "no-store"
        return response

    return wrapper


def json_body() -> dict[str, Any]:
    """The JSON object in the request's body."""
    try:
        body = request.get_json()
    except RecursionError:
        raise Problem(ProblemType.BAD_REQUEST, "The JSON is nested too deeply.") from None
    if not isinstance(body, dict):
        raise InvalidInput({"body": "Must be a JSON object."})
    return body


def require_permission(state: State, permission: Permission) -> Principal:
    """The signed-in principal with this permission; `Problem` 401 or 403 for anyone else."""
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(ProblemType.NOT_SIGNED_IN, "Sign in first.")
    if not state.host.allows(principal, permission):
        detail = f"This requires the permission {permission!r} in your workspace."
        raise Problem(ProblemType.NOT_ALLOWED, detail)
    return principal


@dataclass(frozen=True)
class OperationContext:
    """A call of the API that has passed all checks."""

    state: State
    principal: Principal
    integration_id: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] = field(repr=False)

    @cached_property
    def integration(self) -> Integration:
        """The integration in the path; `NotFound` if the caller may not see it."""
        return self.state.tenants.integrations.find(self.integration_id, principal=self.principal)


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
            context = self._context(get_state(), path.pop("integration_id", ""))
            return self._to_response(function(context, **path))

        setattr(view, _ATTRIBUTE, self)
        return view

    def _context(self, state: State, integration_id: str) -> OperationContext:
        principal = require_permission(state, self.permission)
        query = load(self.query, _query_values(self.query)) if self.query else {}
        body: Mapping[str, Any] = {}
        if self.body:
            is_missing = self.body_optional and not request.content_length
            body = load(self.body, {} if is_missing else json_body())
        return OperationContext(state, principal, integration_id, query, body)

    def _to_response(self, result: Any) -> ResponseReturnValue:
        if isinstance(result, Response):
            return result
        if self.answer is None:
            return Response(status=self.status)
        return jsonify(self.answer.dump(result)), self.status


def get_operation(view: View) -> Operation | None:
    """The declaration of the view, if it has one."""
    return getattr(view, _ATTRIBUTE, None)


def _reject_cross_site_call(state: State) -> None:
    # A browser says where a request comes from, and a script cannot forge it (Fetch Metadata; RFC 6454 §7). Other
    # programs send neither header, and have no cookies that another site could use; a host that does not rely on
    # that has its own protection.
    if request.method in _SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        check_host_csrf()
    elif site not in (None, "same-origin", "none") or (
        site is None and origin is not None and origin not in _app_origins(state)
    ):
        raise Problem(ProblemType.CROSS_SITE_CALL, "This call must come from a page of this app.")


def _app_origins(state: State) -> set[str]:
    # RFC 6454 §4: the scheme counts. Someone who can write into plain http is not the app that https serves.
    requested = _origin(request.host_url)
    if state.settings.public_url is None:
        return {requested}
    public = _origin(state.settings.public_url)
    # Behind a proxy the app may have another host name, while browsers know the public one.
    same_host = urlsplit(requested).netloc == urlsplit(public).netloc
    return {public} if same_host else {public, requested}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _query_values(schema: Schema) -> dict[str, Any]:
    repeatable = {each.data_key for each in schema.fields.values() if isinstance(each, fields.List)}
    return {name: values if name in repeatable else values[0] for name, values in request.args.lists()}


def load(schema: Schema, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the schema loads; `InvalidInput` with a message for each field."""
    try:
        values: Mapping[str, Any] = schema.load(raw)
    except ValidationError as error:
        raise invalid_input(error) from None
    return values


def invalid_input(error: ValidationError) -> InvalidInput:
    """The same error with one text for each field."""
    # The errors of the input as a whole may have no name; marshmallow's own is ``_schema``.
    messages = error.messages if isinstance(error.messages, dict) else {"_schema": error.messages}
    return InvalidInput({str(name): _join(each) for name, each in messages.items()})


def _join(messages: Any) -> str:
    if isinstance(messages, dict):
        return "; ".join(f"{key}: {_join(value)}" for key, value in messages.items())
    return " ".join(map(str, messages)) if isinstance(messages, list) else str(messages)
