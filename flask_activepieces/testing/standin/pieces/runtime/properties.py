"""The fields of a form that the app fills while the form is open. They never raise: the author reads why instead."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...routing.responses import Json, Row
from .app import App
from .failures import Failure


@dataclass(frozen=True)
class Property:
    """One field of a form."""

    app: App
    described: Row
    #: The action or trigger that has the form.
    step: Row
    #: The fields of each item of a list.
    properties: dict[str, Property] = field(default_factory=dict)

    def options(self, values: Row, search: str | None = None) -> Row:
        """The choices of a dropdown."""
        missing = self._missing(values)
        if missing:
            return {"disabled": True, "placeholder": missing, "options": []}
        try:
            answer = self._ask(self.described["options"], values, search)
        except Failure as error:
            return {"disabled": True, "placeholder": error.message, "options": []}
        chosen = {"disabled": answer.get("disabled", False), "options": answer.get("options", [])}
        return chosen | ({"placeholder": answer["placeholder"]} if "placeholder" in answer else {})

    def props(self, values: Row, search: str | None = None) -> Row:
        """The fields of a dynamic property."""
        if self._missing(values):
            return {}
        try:
            return self._ask(self.described["props"], values, search).get("props") or {}
        except Failure as error:
            # Fields are all that can be returned, so the message is one.
            return {"problem": _warning(error.message)}

    def _ask(self, name: str, values: Row, search: str | None) -> Row:
        inputs = {each: values[each] for each in self._refreshers() if each in values}
        body = {"inputs": inputs} | ({} if search is None else {"search": search})
        return self.app.ask(values.get("auth"), "POST", f"/options/{name}", json=(body,), timeout="form")

    def _missing(self, values: Row) -> str | None:
        """What the author has to fill in before the app can be asked."""
        if self.step.get("requireAuth", True) and not values.get("auth"):
            return f"Choose a connection to {self.app.name} first."
        fields = self.step.get("props", {})
        for name in self._refreshers():
            if fields.get(name, {}).get("required") and is_empty(values.get(name)):
                return f'Fill in "{fields[name]["displayName"]}" first.'
        return None

    def _refreshers(self) -> list[str]:
        return [name for name in self.described.get("refreshers", ()) if name != "auth"]


def build_properties(app: App, step: Row) -> dict[str, Property]:
    """The fields of the form of an action or trigger."""
    return _build(app, step, step.get("props", {}))


def is_empty(value: Json) -> bool:
    """Whether the author filled in nothing."""
    return value is None or value == ""


def _build(app: App, step: Row, described: Row) -> dict[str, Property]:
    return {
        name: Property(app, each, step, _build(app, step, each.get("properties", {})))
        for name, each in described.items()
    }


def _warning(description: str) -> Row:
    return {
        "type": "MARKDOWN",
        "displayName": "Problem",
        "description": description,
        "required": False,
        "variant": "WARNING",
    }
