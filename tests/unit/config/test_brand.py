"""Settings for the look of our pages."""

from __future__ import annotations

import pytest

from flask_activepieces.config.brand import color, page_url, support_address


@pytest.mark.parametrize(
    ("value", "expected"), [("#3550c8", "#3550c8"), (" #3550C8 ", "#3550c8"), ("#0af", "#00aaff")]
)
def test_a_color_has_six_digits(value: str, expected: str) -> None:
    assert color(value) == expected


@pytest.mark.parametrize("value", ["", "3550c8", "#3550c", "#3550c8ff", "red", "#ggg", "#fff; }", 3550, None])
def test_what_is_no_color_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a color such as #3550c8"):
        color(value)


@pytest.mark.parametrize(
    "value", ["/", "/static/logo.svg", "https://cdn.example.com/logo.svg?v=2", "http://localhost:5000/logo.svg"]
)
def test_a_page_is_a_path_or_a_url(value: str) -> None:
    assert page_url(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "logo.svg",
        "//evil.example/logo.svg",
        "http://cdn.example.com/logo.svg",
        "https://user@cdn.example.com/",
        "https:///logo.svg",
        "javascript:alert(1)",
        "data:image/svg+xml,x",
        '/logo.svg"',
        "/a b",
        "https://a.example/;script-src *",
    ],
)
def test_other_addresses_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"must be a path|not allowed in a URL|not a valid URL"):
        page_url(value)


def test_a_support_address_may_be_for_mails() -> None:
    assert support_address("help@tasklane.example") == "mailto:help@tasklane.example"
    assert support_address("https://tasklane.example/help") == "https://tasklane.example/help"
    assert support_address("/help") == "/help"


@pytest.mark.parametrize(
    "value", ["help@", "@tasklane.example", "help@tasklane.example?bcc=x", "a b@c.example", "help"]
)
def test_other_support_addresses_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address, a path"):
        support_address(value)
