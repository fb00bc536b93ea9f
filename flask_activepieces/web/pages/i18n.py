"""Texts, times and numbers in the reader's language: that of Flask-Babel if the host has it, otherwise English.

Our catalogs are part of the package. The host's catalogs of the domain ``flask_activepieces`` take precedence.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from gettext import GNUTranslations, NullTranslations, find
from itertools import pairwise
from pathlib import Path
from typing import Any

from flask import current_app
from markupsafe import Markup, escape

from ...clock import as_datetime, as_iso, format_for_people
from ...messages import Message

_CATALOGS = Path(__file__).parents[2] / "translations"
_CATALOGS_KEY = "activepieces.translations"
_DOMAIN = "flask_activepieces"
#: Less than this many seconds ago is "just now".
_JUST_NOW = 45
_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True)
class Language:
    """The language of a page, for its ``html`` element."""

    tag: str = "en"
    direction: str = "ltr"


def language() -> Language:
    """The reader's language, or English if there is no catalog for it."""
    if not _has_babel():
        return Language()
    from flask_babel import get_locale  # optional: imported only where the host has it

    locale = get_locale()
    if locale is None or not _is_translated(str(locale)):
        return Language()
    return Language(str(locale).replace("_", "-"), locale.text_direction)


def gettext(message: str, **values: Any) -> str:
    """The message in the reader's language, with the values filled in."""
    localizable = message if isinstance(message, Message) else Message(message, **values)
    return localizable.localize(_translate)


def page_text(message: str, **values: Any) -> str:
    """The message for a page: markup among its values stays markup."""
    if any(isinstance(value, Markup) for value in values.values()):
        return escape(gettext(message)) % values
    return gettext(message, **values)


def ngettext(singular: str, plural: str, count: int, **values: Any) -> str:
    """The message for this number, which fills ``%(count)s``."""
    template = singular if count == 1 else plural
    if _has_babel():
        template = _translations().ngettext(singular, plural, count)
    return template % {**values, "count": format_number(count)}


def format_number(number: int) -> str:
    """The number with the reader's separators."""
    if not _has_babel():
        return f"{number:,}"
    from flask_babel import format_decimal

    with _page_locale():
        return str(format_decimal(number))


def format_time(instant: int, now: int) -> Markup:
    """A time for people relative to now, with the exact one in its title and for machines."""
    markup = Markup('<time datetime="{}" title="{}">{}</time>')
    return markup.format(as_iso(instant), exact_time(instant), relative_time(instant, now))


def exact_time(instant: int) -> str:
    """Date and time, with the time zone."""
    if not _has_babel():
        return format_for_people(instant)
    from flask_babel import format_datetime

    with _page_locale():
        return str(format_datetime(as_datetime(instant), "long"))


def start_of_day(day: date) -> int:
    """When the day begins in the time zone of `exact_time`."""
    midnight = datetime.combine(day, time())
    if _has_babel():
        from flask_babel import to_utc

        midnight = to_utc(midnight)
    return int(midnight.replace(tzinfo=timezone.utc).timestamp())


def relative_time(instant: int, now: int) -> str:
    """``3 hours ago``, ``in 2 days``."""
    seconds = instant - now
    if abs(seconds) < _JUST_NOW:
        return gettext("just now")
    if _has_babel():
        from flask_babel import format_timedelta

        with _page_locale():
            return str(format_timedelta(timedelta(seconds=seconds), add_direction=True))
    # The largest unit of which there is about one; 50 minutes are nearly an hour, but not 40.
    unit, length = next((each for each in _UNITS if abs(seconds) >= 0.85 * each[1]), _UNITS[-1])
    count = max(1, round(abs(seconds) / length))
    period = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{period} ago" if seconds < 0 else f"in {period}"


def _has_babel() -> bool:
    return "babel" in current_app.extensions


def _page_locale() -> AbstractContextManager[None]:
    """The locale of Flask-Babel's functions: English where the texts are, so that no line mixes two languages."""
    from flask_babel import force_locale, get_locale

    is_english = not _is_translated(str(get_locale() or "en"))
    return force_locale("en") if is_english else nullcontext()


def _is_translated(locale: str) -> bool:
    """Whether the texts are in the language of the locale; they were written in English."""
    return locale.partition("_")[0] == "en" or isinstance(_catalogs(locale), GNUTranslations)


def _translate(message: str) -> str:
    return _translations().gettext(message) if _has_babel() else message


def _translations() -> NullTranslations:
    """The catalogs for the reader's language: those of the host, then ours, each with its own rule for plurals."""
    from flask_babel import get_locale

    return _catalogs(str(get_locale() or "en"))


def _catalogs(locale: str) -> NullTranslations:
    """The first catalog, which falls back on the others; an empty one if there is none."""
    from flask_babel import get_babel

    loaded: dict[str, NullTranslations] = current_app.extensions.setdefault(_CATALOGS_KEY, {})
    if locale not in loaded:
        # Of several catalogs of the host with a message, the last one has precedence, as in Flask-Babel.
        folders = (*reversed(get_babel().translation_directories), _CATALOGS)
        catalogs = [catalog for folder in folders if (catalog := _load(folder, locale))]
        for catalog, next_catalog in pairwise(catalogs):
            catalog.add_fallback(next_catalog)
        loaded[locale] = catalogs[0] if catalogs else NullTranslations()
    return loaded[locale]


def _load(folder: str | Path, locale: str) -> NullTranslations | None:
    """The catalog of a locale, else that of its language, in a copy of its own; None if there is none."""
    found = find(_DOMAIN, folder, [locale])
    if found is None:
        return None
    with Path(found).open("rb") as file:
        return GNUTranslations(file)
