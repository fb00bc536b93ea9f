"""What an app declares once: its piece, and the actions, triggers and options in it.

    activepieces = Activepieces(host, piece=Piece("@acme/piece-acme", title="Acme", auth=[auth.OAuth2()]))

    @activepieces.action("create_task", scope="tasks:write", input=NewTaskSchema, output=TaskSchema)
    def create_task(data): ...

    task_done = activepieces.trigger("task_done", scope="tasks:read", payload=TaskSchema, samples=latest_done_tasks)

Nothing is checked here: `definition` reports all problems together when the app has all its routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from marshmallow import Schema

from .auth import Auth

Audience = Literal["human", "ai", "both"]
SchemaLike = Schema | type[Schema]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The app's piece. ``logo`` is a path below the app's root, or an https or data URL."""

    name: str
    title: str
    auth: Sequence[Auth] = ()
    description: str = ""
    logo: str = ""
    categories: Sequence[str] = ()
    authors: Sequence[str] = ()
    #: Whether it has an action for calls of any other route of the app.
    custom_api_call: bool = False
    #: Language -> English text -> translation.
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that the app does for a flow or an agent."""

    name: str
    function: Callable[..., Any] = field(repr=False)
    #: The blueprint that the app must have for the action to count; None: every app.
    blueprint: str | None = None
    scopes: frozenset[str]
    input: Schema | None = None
    output: Schema | None = None
    title: str
    description: str
    #: Whether "retry on failure" is on by default; None hides the option. The same for "continue on failure".
    retry: bool | None = False
    continue_on_failure: bool | None = False
    audience: Audience = "both"
    #: What an agent reads instead of the description.
    ai: str | None = None
    #: Whether repeating it has no further effect.
    idempotent: bool = False


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices of a dropdown, or the fields of a `Dynamic` field, which depend on other fields."""

    name: str
    function: Callable[..., Any] = field(repr=False)
    blueprint: str | None = None
    scopes: frozenset[str]
    #: The fields whose change loads the choices again.
    refreshers: tuple[str, ...] = ()
    #: Whether the function filters by what the user types.
    search: bool = False


class Emit(Protocol):
    """Stores events of a trigger in the transaction of the app."""

    def __call__(
        self,
        trigger: Trigger,
        payloads: Sequence[Any],
        *,
        tenant_id: str,
        organization_id: str | None,
        user_id: str | None,
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """An event of the app that starts flows."""

    name: str
    blueprint: str | None = None
    scopes: frozenset[str]
    payload: Schema
    #: The newest real payloads, for testing a flow; called with the fields of the form.
    samples: Callable[..., Iterable[Any]] = field(repr=False)
    #: The fields of the form.
    input: Schema | None = None
    #: Whether an event, as dumped by the schema, is for a subscription with these fields.
    matches: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = field(default=None, repr=False)
    #: Whether each subscription gets its events strictly one after the other.
    ordered: bool = False
    title: str
    description: str
    ai: str | None = None
    store: Emit = field(repr=False, compare=False)

    def emit(
        self, payload: Any, *, tenant_id: str, organization_id: str | None = None, user_id: str | None = None
    ) -> None:
        """Send an event to the tenant's flows, if and when the transaction of ``db.session`` is committed.

        With ``organization_id`` or ``user_id``, only to subscriptions of that organization or user.
        """
        self.emit_many([payload], tenant_id=tenant_id, organization_id=organization_id, user_id=user_id)

    def emit_many(
        self,
        payloads: Iterable[Any],
        *,
        tenant_id: str,
        organization_id: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Send several events; see `emit`."""
        self.store(self, list(payloads), tenant_id=tenant_id, organization_id=organization_id, user_id=user_id)


class Declarations:
    """The declarations of an extension object, or of one blueprint (see `on`), in their order."""

    def __init__(self, emit: Emit, *, blueprint: str | None = None) -> None:
        self._emit = emit
        self._blueprint = blueprint
        self._children: list[Declarations] = []
        self._own: list[Action | Trigger | Options] = []
        self._account: Callable[..., Mapping[str, Any]] | None = None

    def __iter__(self) -> Iterator[Action | Trigger | Options]:
        yield from self._own
        for child in self._children:
            yield from child

    @property
    def describe_account(self) -> Callable[..., Mapping[str, Any]] | None:
        """The function that was decorated with `account`."""
        return self._account

    def on(self, blueprint: Any) -> Declarations:
        """Declarations that only apps with this Flask blueprint have."""
        child = Declarations(self._emit, blueprint=blueprint.name)
        self._children.append(child)
        return child

    def account(self, function: F) -> F:
        """Decorate the function that describes the account of a token: ``{"id", "name", "email", "workspace"}``."""
        self._account = function
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
    ) -> Callable[[F], F]:
        """Declare a function, or a view with `require_scope`, as an action.

        A function gets the loaded input and returns what ``output`` dumps. A view stays as it is: write the decorator
        directly below ``@app.route``; its scopes are those of `require_scope`.
        """

        def decorate(function: F) -> F:
            self._own.append(
                Action(
                    name=name,
                    function=function,
                    blueprint=self._blueprint,
                    scopes=scope_set(scope),
                    input=schema(input),
                    output=schema(output),
                    title=title or title_from(name),
                    description=description or first_paragraph(function),
                    retry=retry,
                    continue_on_failure=continue_on_failure,
                    audience=audience,
                    ai=ai,
                    idempotent=idempotent,
                )
            )
            return function

        return decorate

    def options(
        self, name: str, *, scope: str | Iterable[str] = (), refreshers: Sequence[str] = (), search: bool = False
    ) -> Callable[[F], F]:
        """Declare a function ``(inputs, search)`` that returns ``[(label, value), …]``.

        For a `Dynamic` field it returns a schema, whose fields the form then has.
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
        """Declare an event; the result has `Trigger.emit`."""
        trigger = Trigger(
            name=name,
            blueprint=self._blueprint,
            scopes=scope_set(scope),
            payload=_instance(payload),
            samples=samples,
            input=schema(input),
            matches=matches,
            ordered=ordered,
            title=title or title_from(name),
            description=description,
            ai=ai,
            store=self._emit,
        )
        self._own.append(trigger)
        return trigger


def scope_set(scope: str | Iterable[str]) -> frozenset[str]:
    """One scope, or several."""
    return frozenset([scope] if isinstance(scope, str) else scope)


def schema(given: SchemaLike | None) -> Schema | None:
    """The schema, from an instance or a class."""
    return None if given is None else _instance(given)


def _instance(given: SchemaLike) -> Schema:
    return given() if isinstance(given, type) else given


def title_from(name: str) -> str:
    """``due_date`` as ``Due date``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def first_paragraph(function: Callable[..., Any]) -> str:
    """The first paragraph of the function's docstring, as one line."""
    return " ".join((function.__doc__ or "").strip().partition("\n\n")[0].split())
