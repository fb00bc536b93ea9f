"""Messages for people: English that keeps its template and values, so that a page can show it in another language."""

from __future__ import annotations

from collections.abc import Callable


class Message(str):
    """A string, and the values filled in: ``Message("at most %(most)d characters", most=120)``."""

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Message:
        message = super().__new__(cls, template % values if values else template)
        message.template, message.values = template, values
        return message

    def localize(self, gettext: Callable[[str], str]) -> str:
        """The message in another language, messages among its values included."""
        values = {
            name: value.localize(gettext) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        template = gettext(self.template)
        return template % values if values else template
