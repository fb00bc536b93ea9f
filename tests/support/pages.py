"""Reads a page like a browser without scripts: its text, links and forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse


@dataclass
class Form:
    """The URL of a form, and the values that it sends if the user changes nothing."""

    action: str
    names: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    def take(self, tag: str, attributes: dict[str, str | None]) -> None:
        name, value = attributes.get("name"), attributes.get("value") or "on"
        if name is None:
            return
        self.names.add(name)
        kind = attributes.get("type")
        ticked = kind not in ("checkbox", "radio") or "checked" in attributes
        if tag == "button" or not ticked or "disabled" in attributes:
            return  # browsers send only the button that is pressed
        if "multiple" in attributes:
            self.values[name] = []
        elif kind == "checkbox" or name in self.values:
            before = self.values.get(name, [])
            self.values[name] = [*([before] if isinstance(before, str) else before), value]
        else:
            self.values[name] = attributes.get("value") or ""

    def choose(self, name: str, value: str) -> None:
        """Select an option of a list, which may allow several."""
        chosen = self.values.get(name)
        self.values[name] = [*chosen, value] if isinstance(chosen, list) else value


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.response = response
        self.status = response.status_code
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._link: str | None = None
        self._textarea: str | None = None
        self._select: str | None = None
        self.feed(response.get_data(as_text=True))

    def form(self, name: str) -> Form:
        """The only form with a field or button of this name."""
        (form,) = [form for form in self.forms if name in form.names]
        return form

    def form_to(self, action: str) -> Form:
        """The only form whose URL ends with ``action``."""
        (form,) = [form for form in self.forms if form.action.endswith(action)]
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "form":
            self.forms.append(Form(attributes.get("action") or ""))
        elif tag == "a":
            self._link = attributes.get("href")
        elif tag in ("input", "button", "select", "textarea") and self.forms:
            self.forms[-1].take(tag, attributes)
            self._select = attributes.get("name") if tag == "select" else None
            # HTML ignores a line break directly after the tag.
            self._textarea = attributes.get("name") if tag == "textarea" else None

        elif tag == "option" and "selected" in attributes and self._select is not None:
            self.forms[-1].choose(self._select, attributes.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.forms[-1].values[self._textarea] = data.removeprefix("\n")
        words = " ".join(data.split())
        self.text += f" {words}" if words else ""
        if self._link and words:
            self.links[words] = self._link
