"""The definition of an app's piece: its declarations, and the routes of its protected views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .declarations import Account, Action, Declared, Options, Piece, Trigger
from .properties import input_fields

#: The action that calls any other route of the app.
CUSTOM_API_CALL = "custom_api_call"

Named = TypeVar("Named", Action, Options, Trigger)


@dataclass(frozen=True, kw_only=True)
class ViewRoute:
    """The route of a view: ``/api/tasks/{task_id}``."""

    method: str
    path: str
    #: The same as Flask has it: ``/api/tasks/<int:task_id>``.
    rule: str
    path_params: tuple[str, ...]
    #: The scopes of `require_scope`; empty if the view is not protected.
    scopes: frozenset[str]


#: The routes of each view, and of each function that its decorators wrap.
Views = Mapping[Callable[..., Any], Sequence[ViewRoute]]


@dataclass(frozen=True, kw_only=True)
class PieceDefinition:
    """The declarations of one app."""

    piece: Piece
    #: As an https or data URL.
    logo_url: str
    actions: Mapping[str, Action]
    triggers: Mapping[str, Trigger]
    options: Mapping[str, Options]
    #: The routes of the actions that are views, by the name of the action.
    routes: Mapping[str, ViewRoute]
    describe_account: Callable[..., Mapping[str, Any]] | None = field(default=None, repr=False)

    def scopes_of(self, action: Action) -> frozenset[str]:
        """The scopes that a token needs for the action."""
        route = self.routes.get(action.name)
        return route.scopes | action.scopes if route else action.scopes

    @property
    def tools(self) -> list[Action]:
        """The actions that agents may call, in the order of their declarations."""
        return [action for action in self.actions.values() if action.audience != "human"]

    @property
    def tool_scopes(self) -> list[str]:
        """The scopes of all actions that agents may call, and of the triggers whose samples they may read."""
        used = [*map(self.scopes_of, self.tools), *(trigger.scopes for trigger in self.triggers.values())]
        return sorted(frozenset().union(*used))

    @property
    def scopes(self) -> list[str]:
        """The scopes of all actions, triggers and options."""
        used = [self.scopes_of(action) for action in self.actions.values()]
        used += [trigger.scopes for trigger in self.triggers.values()]
        used += [options.scopes for options in self.options.values()]
        return sorted(frozenset().union(*used))


def counted(declarations: Iterable[Declared], blueprints: Collection[object]) -> list[Declared]:
    """The declarations that apply to an app with these blueprints."""
    return [each for each in declarations if each.blueprint is None or each.blueprint in blueprints]


def make_definition(piece: Piece, declared: Sequence[Declared], *, views: Views, logo_url: str) -> PieceDefinition:
    """The definition, which may still have problems."""
    actions = [each for each in declared if isinstance(each, Action)]
    accounts = [each.function for each in declared if isinstance(each, Account)]
    return PieceDefinition(
        piece=piece,
        logo_url=logo_url,
        actions=_by_name(actions),
        triggers=_by_name(each for each in declared if isinstance(each, Trigger)),
        options=_by_name(each for each in declared if isinstance(each, Options)),
        routes={each.name: _route_for(each, views[each.function]) for each in actions if each.function in views},
        describe_account=accounts[-1] if accounts else None,
    )


def _by_name(declared: Iterable[Named]) -> dict[str, Named]:
    return {each.name: each for each in declared}


def _route_for(action: Action, routes: Sequence[ViewRoute]) -> ViewRoute:
    """Of several routes, the one with the most fields of the action in its path."""
    names = {name for name, _ in input_fields(action.input)}
    fitting = [route for route in routes if names.issuperset(route.path_params)]
    return max(fitting or routes, key=lambda route: len(route.path_params))
