"""The words of our pages: through the host's Flask-Babel if it has one, as they are otherwise.

A host translates them with a catalogue of the domain ``flask_activepieces`` among its own translations.
"""

from __future__ import annotations

from typing import Any

from flask import current_app
from markupsafe import Markup

from ..clock import as_iso, format_for_people
from ..messages import Message

DOMAIN = "flask_activepieces"
_CATALOGUE = "activepieces.catalogue"


def gettext(text: str, **values: Any) -> str:
    """The text, or `Message`, in the reader's language, with the values filled in."""
    phrase = text if isinstance(text, Message) else Message(text, **values)
    return phrase.localize(_translated)


def _translated(text: str) -> str:
    if "babel" not in current_app.extensions:
        return text
    return str(_catalogue(current_app.extensions).gettext(text))


def _catalogue(extensions: dict[str, Any]) -> Any:
    # One for each app, for it keeps the translations that it has read.
    if _CATALOGUE not in extensions:
        from flask_babel import Domain  # an optional companion, imported only where the host has it

        extensions[_CATALOGUE] = Domain(domain=DOMAIN)
    return extensions[_CATALOGUE]


def when(instant: int) -> Markup:
    """An instant for people, with the exact one for machines."""
    return Markup('<time datetime="{}">{}</time>').format(
        as_iso(instant), format_for_people(instant)
    )
