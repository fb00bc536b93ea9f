"""Routes as the stand-in's areas declare them, and what happens to a request before a route sees it.

The order is the servers' own: the route exists · the body can be read · path, query and body have the right shape ·
the token is good · it is of a kind that this route is for · the project exists · the user may · the plan includes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, request

from ..state import Edition, World
from ..versions import ZOD, Change
from .authentication import (
    SERVICE,
    USER,
    Principal,
    authenticate,
    check_permission,
    check_platform_admin,
    find_project,
    not_allowed,
)
from .bodies import nested, read_body
from .responses import Json, Refusal, Row, business, invalid, respond
from .validation import Misshapen, Shape, an_id, complaints, fields

#: Kinds of principal that most routes are for; an empty set is a public route.
KEY_OR_USER = frozenset({SERVICE, USER})
USER_ONLY = frozenset({USER})
PUBLIC: frozenset[str] = frozenset()


@dataclass
class Call:
    """A request that has passed all checks, as its route sees it."""

    world: World
    params: Row
    query: Row
    body: Json
    #: Who calls; None on a public route.
    caller: Principal | None = None
    #: The project that the call is about, on routes that belong to one.
    project: Row | None = None

    @property
    def principal(self) -> Principal:
        """Who calls, on a route that is not public."""
        assert self.caller is not None, "a public route has no principal"
        return self.caller

    @property
    def project_id(self) -> str:
        """The id of the project that the call is about."""
        assert self.project is not None, "the route names no project"
        return str(self.project["id"])


#: Where a route finds the id of its project; None: no project is meant after all.
FindProject = Callable[[Call], "str | None"]
View = Callable[[Call], "tuple[int, Json] | Response"]


def in_query(call: Call) -> str | None:
    """The project is named by the query."""
    return call.query.get("projectId")


def in_body(call: Call) -> str | None:
    """The project is named by the body."""
    project_id: str | None = call.body.get("projectId")
    return project_id


def in_path(call: Call) -> str | None:
    """The project is named by the path."""
    return str(call.params["projectId"])


@dataclass(frozen=True)
class Route:
    """One route and its conditions."""

    method: str
    path: str
    view: View
    body: Shape | None
    query: Shape
    params: Shape
    who: frozenset[str]
    project: FindProject | None
    permission: str | None
    platform_admin: bool
    plan: str | None
    editions: frozenset[Edition]
    since: Change | None
    before: Change | None

    def is_on(self, world: World) -> bool:
        """Whether the server has the route, by its edition and version."""
        return (
            world.edition in self.editions
            and (self.since is None or world.has(self.since))
            and (self.before is None or not world.has(self.before))
        )


@dataclass
class Area:
    """The routes of one file. ``scoped``: its router looks the project up first (see `authenticate`)."""

    name: str
    scoped: bool = False
    #: Outside the API's prefix, such as ``/redirect``.
    at_root: bool = False
    #: Whether bodies are read before a route sees the call; if not, the area understands them in its own way.
    reads_bodies: bool = True
    routes: list[Route] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        *,
        body: Shape | None = None,
        query: Mapping[str, Shape] | None = None,
        params: Mapping[str, Shape] | None = None,
        who: frozenset[str] = KEY_OR_USER,
        project: FindProject | None = None,
        permission: str | None = None,
        platform_admin: bool = False,
        plan: str | None = None,
        editions: tuple[Edition, ...] = ("ee", "ce"),
        since: Change | None = None,
        before: Change | None = None,
    ) -> Callable[[View], View]:
        """Declare a route; path parameters are ids unless ``params`` gives them another shape."""

        def declare(view: View) -> View:
            names = [part[1:-1] for part in path.split("/") if part.startswith("<")]
            plain = [name.rpartition(":")[2] for name in names]
            shapes = {name: (params or {}).get(name, an_id) for name in plain}
            self.routes.append(
                Route(
                    method,
                    path,
                    view,
                    body,
                    fields(query or {}),
                    fields(shapes),
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

    def blueprint(self, world: World) -> Blueprint:
        """The routes that this server has, for its edition and version."""
        blueprint = Blueprint(self.name, __name__)
        for place, route in enumerate(self.routes):
            if route.is_on(world):
                blueprint.add_url_rule(
                    route.path,
                    endpoint=f"{place}_{route.view.__name__}",
                    view_func=self._view(world, route),
                    methods=[route.method],
                    provide_automatic_options=False,
                    strict_slashes=False,
                )
        return blueprint

    def _view(self, world: World, route: Route) -> Callable[..., Response]:
        def view(**params: str) -> Response:
            try:
                answer = route.view(self._admit(world, route, params))
            except Refusal as refusal:
                return respond(refusal.status, refusal.body)
            return answer if isinstance(answer, Response) else respond(*answer)

        return view

    def _admit(self, world: World, route: Route, params: Row) -> Call:
        raw = read_body(request) if self.reads_bodies else None
        call = Call(
            world,
            params=_read(world, route.params, params, "params"),
            query=_read(world, route.query, nested(request.args.items(multi=True)), "querystring"),
            body=_read(world, route.body, raw, "body") if route.body else raw,
        )
        if not route.who:
            return call
        header = request.headers.get("Authorization", "")
        principal = authenticate(world, header, scoped=self.scoped)
        if principal is None or principal.kind not in route.who:
            raise not_allowed()
        call.caller = principal
        _check_scope(call, route)
        return call


def _check_scope(call: Call, route: Route) -> None:
    project_id = route.project(call) if route.project else None
    if project_id is not None:
        call.project = find_project(call.world, call.principal, project_id)
        check_permission(call.world, call.principal, call.project, route.permission)
    if route.platform_admin:
        check_platform_admin(call.world, call.principal)
    # The Community Edition installs pieces although its plan does not include them.
    if call.world.edition == "ee" and route.plan not in {None, *call.world.plan}:
        raise business(402, "FEATURE_DISABLED", {"message": "Feature is disabled"})


def _read(world: World, shape: Shape, value: Any, where: str) -> Json:
    try:
        return shape.read(value, (where,))
    except Misshapen as wrong:
        raise invalid(complaints(shape, value, wrong, where=where, zod=world.has(ZOD))) from None
