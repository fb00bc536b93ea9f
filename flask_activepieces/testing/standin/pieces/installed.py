"""An installed piece: what its package does, by its Python imitation or by its own JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ....clock import Clock
from ..routing.responses import Row
from .calls import FormCall, TriggerCall
from .javascript import JavaScript
from .piece import Action, FillProperty, StandinPiece, Trigger
from .runtime.piece import RuntimePiece
from .runtime.properties import Property
from .runtime.triggers import Trigger as RuntimeTrigger

_DROPDOWNS = ("DROPDOWN", "MULTI_SELECT_DROPDOWN")


def imitated(manifest: Row, clock: Clock) -> StandinPiece:
    """The piece of a manifest, in Python."""
    piece = RuntimePiece(manifest, clock)
    return StandinPiece(
        manifest["name"],
        version=manifest["version"],
        validate={kind.kind: kind.problem for kind in piece.auth},
        identify={kind.kind: kind.identify for kind in piece.auth},
        actions={
            name: Action(
                manifest["actions"][name]["displayName"],
                action.run,
                props=manifest["actions"][name].get("props", {}),
                options=_fillers(action.props),
            )
            for name, action in piece.actions.items()
        },
        triggers={name: _trigger(trigger) for name, trigger in piece.triggers.items()},
    )


def _trigger(trigger: RuntimeTrigger) -> Trigger:
    return Trigger(
        trigger.described["displayName"],
        trigger.run,
        trigger.described["type"],
        on_enable=trigger.on_enable,
        on_disable=trigger.on_disable,
        on_renew=trigger.on_renew,
        test=trigger.test,
        handshake_header=trigger.handshake_header,
        on_handshake=trigger.on_handshake,
        props=trigger.described.get("props", {}),
        options=_fillers(trigger.props),
    )


def _fillers(props: Mapping[str, Property]) -> dict[str, FillProperty]:
    return {
        name: partial(_fill, prop)
        for name, prop in props.items()
        if prop.described["type"] in (*_DROPDOWNS, "DYNAMIC")
    }


def _fill(prop: Property, call: FormCall) -> Row:
    fill = prop.options if prop.described["type"] in _DROPDOWNS else prop.props
    return fill(call.props, call.search)


def in_javascript(manifest: Row, script: JavaScript) -> StandinPiece:
    """The piece of a manifest, by the files of its package."""
    kinds = [declared["type"] for declared in manifest.get("auth", ())]
    place = {kind: [] if len(kinds) == 1 else [str(index)] for index, kind in enumerate(kinds)}
    return StandinPiece(
        manifest["name"],
        version=manifest["version"],
        validate={kind: partial(_problem, script, ["auth", *place[kind], "validate"]) for kind in kinds},
        identify={kind: partial(script.look, ["auth", *place[kind], "getConnectionIdentifier"]) for kind in kinds},
        actions={
            name: Action(
                each["displayName"],
                partial(script.run, ["actions", name, "run"]),
                props=each.get("props", {}),
                options=_scripted_fillers(script, ["actions", name], each),
            )
            for name, each in manifest.get("actions", {}).items()
        },
        triggers={name: _scripted_trigger(script, name, each) for name, each in manifest.get("triggers", {}).items()},
    )


def _problem(script: JavaScript, steps: list[str], auth: object) -> str | None:
    answer = script.look(steps, auth)
    return None if answer["valid"] else str(answer["error"])


def _scripted_trigger(script: JavaScript, name: str, described: Row) -> Trigger:
    def hook(function: str) -> Callable[[TriggerCall], Any]:
        return partial(script.run, ["triggers", name, function])

    return Trigger(
        described["displayName"],
        hook("run"),
        described["type"],
        on_enable=hook("onEnable"),
        on_disable=hook("onDisable"),
        on_renew=hook("onRenew"),
        test=hook("test"),
        handshake_header="webhook-handshake" if described["type"] == "WEBHOOK" else None,
        on_handshake=hook("onHandshake"),
        props=described.get("props", {}),
        options=_scripted_fillers(script, ["triggers", name], described),
    )


def _scripted_fillers(script: JavaScript, steps: list[str], described: Row) -> dict[str, FillProperty]:
    fields = described.get("props", {})
    functions = {kind: "options" for kind in _DROPDOWNS} | {"DYNAMIC": "props"}
    return {
        name: partial(script.fill, [*steps, "props", name, functions[field["type"]]])
        for name, field in fields.items()
        if field["type"] in functions
    }
