"""Times and numbers in English, without Flask-Babel; tests/integration/test_translations.py has other languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from flask_activepieces.web.pages.i18n import format_number, format_time, language, ngettext, relative_time

NOW = 1_800_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.fixture(autouse=True)
def app_context() -> Iterator[None]:
    with Flask(__name__).app_context():
        yield


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (-44, "just now"),
        (-45, "1 minute ago"),
        (-MINUTE, "1 minute ago"),
        (-50 * MINUTE, "50 minutes ago"),
        (-52 * MINUTE, "1 hour ago"),
        (-3 * HOUR, "3 hours ago"),
        (-DAY, "1 day ago"),
        (-26 * DAY, "1 month ago"),
        (-400 * DAY, "1 year ago"),
        (-2000 * DAY, "5 years ago"),
        (2 * DAY, "in 2 days"),
        (MINUTE, "in 1 minute"),
    ],
)
def test_a_time_is_relative_to_now(seconds: int, text: str) -> None:
    assert relative_time(NOW + seconds, NOW) == text


def test_the_exact_time_is_in_the_title_and_for_machines() -> None:
    markup = format_time(NOW - 3 * HOUR, NOW)

    assert markup == '<time datetime="2027-01-15T05:00:00Z" title="15 Jan 2027, 05:00 UTC">3 hours ago</time>'


def test_a_number_has_separators() -> None:
    assert format_number(1234567) == "1,234,567"


@pytest.mark.parametrize(("count", "text"), [(0, "0 flows"), (1, "1 flow"), (2000, "2,000 flows")])
def test_a_message_depends_on_the_number(count: int, text: str) -> None:
    assert ngettext("%(count)s flow", "%(count)s flows", count) == text


def test_the_language_is_english() -> None:
    assert (language().tag, language().direction) == ("en", "ltr")
