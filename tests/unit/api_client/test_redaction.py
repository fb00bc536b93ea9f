"""Messages of Activepieces are shortened and redacted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_activepieces.api_client.response import redact


def test_a_long_message_is_truncated() -> None:
    detail = redact("word " * 200)

    assert len(detail) <= 300
    assert detail.endswith("word…")


def test_lines_and_control_characters_become_spaces() -> None:
    assert redact("one\r\n\ttwo\x1b[31m\x00three\u202efour") == "one two [31m three four"


def test_a_secret_is_replaced_everywhere() -> None:
    detail = redact("Bad key sk-12345: sk-12345 is unknown", secrets=["sk-12345"])

    assert detail == "Bad key …: … is unknown"


@pytest.mark.parametrize("quoted", [json.dumps('a"b\\c/d'), "a%22b%5Cc%2Fd"])
def test_a_secret_is_recognised_in_quotes_and_in_urls(quoted: str) -> None:
    assert redact(f"got {quoted}", secrets=['a"b\\c/d']).replace('"', "") == "got …"


def test_overlapping_secrets_are_removed_completely() -> None:
    assert redact("is hunter2-extended", secrets=["hunter2", "hunter2-extended"]) == "is …"


def test_a_very_short_secret_is_replaced_only_as_a_whole_word() -> None:
    assert redact("a bad value: a", secrets=["a"]) == "… bad value: …"


def test_a_secret_at_the_truncation_point_is_removed() -> None:
    secret = "canary-" * 10

    assert "canary" not in redact("x" * 280 + secret, secrets=[secret])


@given(st.text(), st.lists(st.text(min_size=4), max_size=3))
def test_any_message_and_any_secrets_are_handled(text: str, secrets: list[str]) -> None:
    detail = redact(text, secrets=secrets)

    assert len(detail) <= 300
    assert detail.isprintable()
