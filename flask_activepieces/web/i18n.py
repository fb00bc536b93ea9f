"""Translation of our pages through the host's Flask-Babel, if it has one.

A host adds a catalog of the domain ``flask_activepieces`` to its translations.
"""

from __future__ import annotations

from typing import Any

from flask import current_app
from markupsafe import Markup

from ..clock import as_iso, format_for_people
from ..messages import Message

DOMAIN = "flask_activepieces"
_DOMAIN_KEY = "activepieces.translations"


def gettext(message: str, **values: Any) -> str:
    """The message in the reader's language, with the values filled in."""
    localizable = message if isinstance(message, Message) else Message(message, **values)
    return localizable.localize(_translate)


def format_time(instant: int) -> Markup:
    """A time for people, with the exact one for machines."""
    html = Markup('<time datetime="{}">{}</time>')
    return html.format(as_iso(instant), format_for_people(instant))


def _translate(message: str) -> str:
    extensions = current_app.extensions
    if "babel" not in extensions:
        return message
    if _DOMAIN_KEY not in extensions:
        from flask_babel import Domain  # optional: imported only where the host has it

        extensions[_DOMAIN_KEY] = Domain(domain=DOMAIN)
    return str(extensions[_DOMAIN_KEY].gettext(message))
