"""Words for people: English text that still knows its parts, so that a page can say it in another language."""

from __future__ import annotations

from collections.abc import Callable


class Phrase(str):
    """A text, and the values that were filled in: ``Phrase("at most %(most)d characters", most=120)``."""

    text: str
    values: dict[str, object]

    def __new__(cls, text: str, **values: object) -> Phrase:
        phrase = super().__new__(cls, text % values if values else text)
        phrase.text, phrase.values = text, values
        return phrase

    def said_by(self, translate: Callable[[str], str]) -> str:
        """The text in another language, phrases among its values included."""
        values = {
            name: value.said_by(translate) if isinstance(value, Phrase) else value
            for name, value in self.values.items()
        }
        text = translate(self.text)
        return text % values if values else text
