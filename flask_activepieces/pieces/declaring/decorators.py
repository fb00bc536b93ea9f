"""Methods of the extension object with which an app declares its actions, triggers and options.

    activepieces = Activepieces(host, piece=Piece(name="@acme/piece-acme", title="Acme"))

    @activepieces.action("create_task", scope="tasks:write", input=NewTaskSchema, output=TaskSchema)
    def create_task(data): ...

    task_done = activepieces.trigger("task_done", scope="tasks:read", payload=TaskSchema, samples=latest_done_tasks)

Nothing is checked here: `checks` reports all problems together when the app has all its routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..declarations import (
    Account,
    Action,
    Audience,
    Declared,
    Emit,
    Options,
    SchemaLike,
    Trigger,
    as_schema,
    first_paragraph,
    optional_schema,
    scope_set,
    title_from,
)

F = TypeVar("F", bound=Callable[..., Any])


class Declarations:
    """The declarations of an extension object or of one blueprint (see `on`), in their order."""

    def __init__(self, emit: Emit, *, blueprint: object = None) -> None:
        self._emit = emit
        self._blueprint = blueprint
        self._children: list[Declarations] = []
        self._own: list[Declared] = []

    def __iter__(self) -> Iterator[Declared]:
        yield from self._own
        for child in self._children:
            yield from child

    def on(self, blueprint: object) -> Declarations:
        """Declarations that only apps with this Flask blueprint have."""
        child = Declarations(self._emit, blueprint=blueprint)
        self._children.append(child)
        return child

    def account(self, function: F) -> F:
        """Declare the function that describes the account of a token: ``{"id", "name", "email", "workspace"}``."""
        self._own.append(Account(function=function, blueprint=self._blueprint))
        return function

    def action(
        self,
        name: str,
        *,
        scope: str | Iterable[str] = (),
        input: SchemaLike | None = None,
        output: SchemaLike | None = None,
        title: str | None = None,
        description: str | None = None,
        retry: bool | None = False,
        continue_on_failure: bool | None = False,
        audience: Audience = "both",
        ai: str | None = None,
        idempotent: bool = False,
        read_only: bool | None = None,
        destructive: bool | None = None,
        open_world: bool = False,
    ) -> Callable[[F], F]:
        """Declare a function, or a view with `require_scope`, as an action.

        A function gets the loaded ``input``, if there is one, and returns what ``output`` dumps. A view is not
        changed: write the decorator directly below ``@app.route``. Its scopes are those of `require_scope`.
        """

        def decorate(function: F) -> F:
            self._own.append(
                Action(
                    name=name,
                    function=function,
                    blueprint=self._blueprint,
                    scopes=scope_set(scope),
                    input=optional_schema(input),
                    output=optional_schema(output),
                    title=title or title_from(name),
                    description=description or first_paragraph(function),
                    retry=retry,
                    continue_on_failure=continue_on_failure,
                    audience=audience,
                    ai=ai,
                    idempotent=idempotent,
                    read_only=read_only,
                    destructive=destructive,
                    open_world=open_world,
                )
            )
            return function

        return decorate

    def options(
        self, name: str, *, scope: str | Iterable[str] = (), refreshers: Sequence[str] = (), search: bool = False
    ) -> Callable[[F], F]:
        """Declare a function ``(inputs, search)`` that returns the choices of a dropdown: ``[(label, value), …]``.

        For a `Dynamic` field, it returns a schema with the fields to show.
        """

        def decorate(function: F) -> F:
            self._own.append(
                Options(
                    name=name,
                    function=function,
                    blueprint=self._blueprint,
                    scopes=scope_set(scope),
                    refreshers=tuple(refreshers),
                    search=search,
                )
            )
            return function

        return decorate

    def trigger(
        self,
        name: str,
        *,
        scope: str | Iterable[str],
        payload: SchemaLike,
        samples: Callable[..., Iterable[Any]],
        input: SchemaLike | None = None,
        matches: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = None,
        ordered: bool = False,
        title: str | None = None,
        description: str = "",
        ai: str | None = None,
    ) -> Trigger:
        """Declare an event; the result has `Trigger.emit`.

        ``samples`` returns real payloads, the newest first, for testing a flow. With ``input``, it gets the loaded
        fields of the form. ``matches`` gets the dumped payload and the fields as JSON.
        """
        trigger = Trigger(
            name=name,
            blueprint=self._blueprint,
            scopes=scope_set(scope),
            payload=as_schema(payload),
            samples=samples,
            input=optional_schema(input),
            matches=matches,
            ordered=ordered,
            title=title or title_from(name),
            description=description,
            ai=ai,
            store=self._emit,
        )
        self._own.append(trigger)
        return trigger
