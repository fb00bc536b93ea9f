"""Texts, times and numbers in the locale of Flask-Babel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from flask_activepieces.messages import Message
from flask_activepieces.web.pages.i18n import (
    Language,
    exact_time,
    format_number,
    format_time,
    gettext,
    language,
    ngettext,
    relative_time,
)
from tests.support.translations import write_catalog

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400

Reads = Callable[[str], AbstractContextManager[None]]


@contextmanager
def reading(locale: str, **config: str) -> Iterator[None]:
    """A request of someone with this locale."""
    app = Flask(__name__)
    app.config.update(config)
    Babel(app, locale_selector=lambda: locale)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Connected apps"),
        ("de", "Verbundene Apps"),
        ("fr", "Applications connectées"),
        ("es", "Aplicaciones conectadas"),
        # The language of a region, where the region has no catalog of its own.
        ("de_AT", "Verbundene Apps"),
        ("fr_CA", "Applications connectées"),
        ("es_MX", "Aplicaciones conectadas"),
        # No catalog at all.
        ("ja", "Connected apps"),
    ],
)
def test_a_text_is_in_the_readers_language(locale: str, text: str) -> None:
    with reading(locale):
        assert gettext("Connected apps") == text


def test_a_message_in_a_message_is_translated_too() -> None:
    problem = Message("%(uri)r: %(problem)s", uri="http://a.test", problem=Message("invalid host name."))

    with reading("de"):
        assert gettext(problem) == "'http://a.test': ungültiger Hostname."


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [
        ("de", 1, "1 Flow verwendet sie."),
        ("de", 0, "0 Flows verwenden sie."),
        ("de", 2000, "2.000 Flows verwenden sie."),
        # French has the singular for none, and a narrow no-break space between thousands.
        ("fr", 0, "0 flux l’utilise."),
        ("fr", 2000, "2\u202f000 flux l’utilisent."),
        ("es", 1, "1 flujo la usa."),
        ("es", 20000, "20.000 flujos la usan."),
        ("en", 2000, "2,000 flows use it."),
        ("ja", 1, "1 flow uses it."),
    ],
)
def test_a_message_depends_on_the_number(locale: str, count: int, text: str) -> None:
    with reading(locale):
        assert ngettext("%(count)s flow uses it.", "%(count)s flows use it.", count) == text


@pytest.mark.parametrize(
    ("locale", "text"), [("de", "1.234.567"), ("fr", "1\u202f234\u202f567"), ("en", "1,234,567")]
)
def test_a_number_has_the_readers_separators(locale: str, text: str) -> None:
    with reading(locale):
        assert format_number(1234567) == text


@pytest.mark.parametrize(
    ("locale", "seconds", "text"),
    [
        ("de", 0, "gerade eben"),
        ("de", -3 * HOUR, "vor 3 Stunden"),
        ("de", 2 * DAY, "in 2 Tagen"),
        ("fr", -3 * HOUR, "il y a 3 heures"),
        ("es", 2 * DAY, "dentro de 2 días"),
        # No catalog: in the language of the text around it.
        ("he", -DAY, "1 day ago"),
        ("en_GB", -DAY, "1 day ago"),
    ],
)
def test_a_time_is_relative_to_now(locale: str, seconds: int, text: str) -> None:
    with reading(locale):
        assert relative_time(NOW + seconds, NOW) == text


def test_an_exact_time_is_in_the_readers_language_and_time_zone() -> None:
    with reading("de"):
        assert exact_time(NOW) == "15. Januar 2027, 08:00:00 UTC"
    with reading("de", BABEL_DEFAULT_TIMEZONE="Europe/Berlin"):
        assert exact_time(NOW) == "15. Januar 2027, 09:00:00 MEZ"


def test_the_time_for_machines_does_not_depend_on_the_language() -> None:
    with reading("fr", BABEL_DEFAULT_TIMEZONE="Europe/Paris"):
        assert 'datetime="2027-01-15T08:00:00Z"' in format_time(NOW, NOW)


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de", Language("de", "ltr")),
        ("de_AT", Language("de-AT", "ltr")),
        ("en_GB", Language("en-GB", "ltr")),
        # No catalog: the texts are in English.
        ("zh_Hant_TW", Language("en", "ltr")),
        ("ar", Language("en", "ltr")),
    ],
)
def test_the_page_states_its_language_and_direction(locale: str, expected: Language) -> None:
    with reading(locale):
        assert language() == expected


def test_an_app_with_a_catalog_for_it_has_pages_from_right_to_left(tmp_path: Path) -> None:
    translations = write_catalog(tmp_path, {"just now": "עכשיו"}, "he")

    with reading("he", BABEL_TRANSLATION_DIRECTORIES=translations):
        assert language() == Language("he", "rtl")
        assert relative_time(NOW - DAY, NOW) == "לפני יום 1"
        assert relative_time(NOW, NOW) == "עכשיו"
        assert gettext("Connected apps") == "Connected apps"


def test_numbers_and_times_are_in_the_language_of_the_texts() -> None:
    with reading("ar_EG", BABEL_DEFAULT_TIMEZONE="Africa/Cairo"):
        assert format_number(1234567) == "1,234,567"
        assert exact_time(NOW) == "January 15, 2027, 10:00:00\u202fAM +0200"
