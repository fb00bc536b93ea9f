"""Declares routes in groups, and checks each request before its route is called.

The order of the checks is that of real servers: the route exists · the body can be decoded · path, query and body
are valid · the token is valid · its kind is accepted · the project exists · the user has the permission · the plan
includes the feature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, request

from ..state import Edition, ServerState
from ..versions import ZOD, Change
from .authentication import (
    SERVICE,
    USER,
    Caller,
    authenticate,
    check_permission,
    check_platform_admin,
    find_project,
    not_allowed,
)
from .bodies import nested, read_body
from .responses import ErrorResponse, Json, Row, activepieces_error, invalid, not_found, respond
from .validation import ValidationFailed, Validator, fields, row_id_string, validation_errors

#: Kinds of callers that a route accepts; an empty set means a public route.
KEY_OR_USER = frozenset({SERVICE, USER})
USER_ONLY = frozenset({USER})
PUBLIC: frozenset[str] = frozenset()


@dataclass
class RouteCall:
    """A request that has passed all checks."""

    state: ServerState
    params: Row
    query: Row
    body: Json
    #: The caller; None on a public route.
    optional_caller: Caller | None = None
    #: The project of the call, on routes that belong to one.
    project: Row | None = None

    @property
    def caller(self) -> Caller:
        """The caller, on a route that is not public."""
        assert self.optional_caller is not None, "a public route has no caller"
        return self.optional_caller

    @property
    def project_id(self) -> str:
        """The id of the call's project."""
        assert self.project is not None, "the route names no project"
        return str(self.project["id"])


#: Returns the id of a route's project, or None if the call does not concern one.
FindProject = Callable[[RouteCall], "str | None"]
View = Callable[[RouteCall], "tuple[int, Json] | Response"]


def in_query(call: RouteCall) -> str | None:
    """The project id in the query."""
    return call.query.get("projectId")


def in_body(call: RouteCall) -> str | None:
    """The project id in the body."""
    project_id: str | None = call.body.get("projectId")
    return project_id


def in_path(call: RouteCall) -> str | None:
    """The project id in the path."""
    return str(call.params["projectId"])


def find_on_platform(call: RouteCall, kind: str) -> Row:
    """The row with the id in the path, which must belong to the caller's platform."""
    row = call.state.store.get(kind, call.params["id"])
    if row is None or row["platformId"] != call.caller.platform_id:
        raise not_found(kind, call.params["id"])
    return row


@dataclass(frozen=True)
class RouteRule:
    """One route and its conditions."""

    method: str
    path: str
    view: View
    body: Validator | None
    query: Validator
    params: Validator
    who: frozenset[str]
    project: FindProject | None
    permission: str | None
    platform_admin: bool
    plan: str | None
    editions: frozenset[Edition]
    since: Change | None
    before: Change | None

    def is_on(self, state: ServerState) -> bool:
        """Whether the server has the route, by its edition and version."""
        return (
            state.edition in self.editions
            and (self.since is None or state.has(self.since))
            and (self.before is None or not state.has(self.before))
        )


@dataclass
class RouteGroup:
    """The routes of one module. ``scoped``: its router looks up the project first (see `authenticate`)."""

    name: str
    scoped: bool = False
    #: Outside the API's prefix, such as ``/redirect``.
    at_root: bool = False
    #: Whether bodies are decoded before the route is called.
    reads_bodies: bool = True
    routes: list[RouteRule] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        *,
        body: Validator | None = None,
        query: Mapping[str, Validator] | None = None,
        params: Mapping[str, Validator] | None = None,
        who: frozenset[str] = KEY_OR_USER,
        project: FindProject | None = None,
        permission: str | None = None,
        platform_admin: bool = False,
        plan: str | None = None,
        editions: tuple[Edition, ...] = ("ee", "ce"),
        since: Change | None = None,
        before: Change | None = None,
    ) -> Callable[[View], View]:
        """Declare a route; path parameters are ids unless ``params`` has another validator."""

        def declare(view: View) -> View:
            names = [part[1:-1] for part in path.split("/") if part.startswith("<")]
            plain = [name.rpartition(":")[2] for name in names]
            validators = {name: (params or {}).get(name, row_id_string) for name in plain}
            self.routes.append(
                RouteRule(
                    method,
                    path,
                    view,
                    body,
                    fields(query or {}),
                    fields(validators),
                    who,
                    project,
                    permission,
                    platform_admin,
                    plan,
                    frozenset(editions),
                    since,
                    before,
                )
            )
            return view

        return declare

    def blueprint(self, state: ServerState) -> Blueprint:
        """The routes that this server has, for its edition and version."""
        blueprint = Blueprint(self.name, __name__)
        for place, route in enumerate(self.routes):
            if route.is_on(state):
                blueprint.add_url_rule(
                    route.path,
                    endpoint=f"{place}_{route.view.__name__}",
                    view_func=self._view(state, route),
                    methods=[route.method],
                    provide_automatic_options=False,
                    strict_slashes=False,
                )
        return blueprint

    def _view(self, state: ServerState, route: RouteRule) -> Callable[..., Response]:
        def view(**params: str) -> Response:
            try:
                response = route.view(self._admit(state, route, params))
            except ErrorResponse as error_response:
                return respond(error_response.status, error_response.body)
            return response if isinstance(response, Response) else respond(*response)

        return view

    def _admit(self, state: ServerState, route: RouteRule, params: Row) -> RouteCall:
        raw = read_body(request) if self.reads_bodies else None
        call = RouteCall(
            state,
            params=_read(state, route.params, params, "params"),
            query=_read(state, route.query, nested(request.args.items(multi=True)), "querystring"),
            body=_read(state, route.body, raw, "body") if route.body else raw,
        )
        if not route.who:
            return call
        header = request.headers.get("Authorization", "")
        caller = authenticate(state, header, scoped=self.scoped)
        if caller is None or caller.kind not in route.who:
            raise not_allowed()
        call.optional_caller = caller
        _check_scope(call, route)
        return call


def _check_scope(call: RouteCall, route: RouteRule) -> None:
    project_id = route.project(call) if route.project else None
    if project_id is not None:
        call.project = find_project(call.state, call.caller, project_id)
        check_permission(call.state, call.caller, call.project, route.permission)
    if route.platform_admin:
        check_platform_admin(call.state, call.caller)
    # The Community Edition installs pieces although its plan does not include the feature.
    if call.state.edition == "ee" and route.plan not in {None, *call.state.plan}:
        raise activepieces_error(402, "FEATURE_DISABLED", {"message": "Feature is disabled"})


def _read(state: ServerState, validator: Validator, value: Any, where: str) -> Json:
    try:
        return validator.read(value, (where,))
    except ValidationFailed as error:
        raise invalid(validation_errors(validator, value, error, where=where, zod=state.has(ZOD))) from None
