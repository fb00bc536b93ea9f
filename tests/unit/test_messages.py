"""Messages: English strings that can be translated later."""

from __future__ import annotations

import json

from flask_activepieces.messages import Message

TRANSLATIONS = {"at most %(most)d": "höchstens %(most)d", "%(uri)s: %(problem)s": "%(problem)s: %(uri)s"}


def german(text: str) -> str:
    return TRANSLATIONS.get(text, text)


def test_a_message_is_its_english_string() -> None:
    phrase = Message("at most %(most)d", most=120)

    assert phrase == "at most 120"
    assert json.dumps({"name": phrase}) == '{"name": "at most 120"}'


def test_a_message_is_translated_with_its_values() -> None:
    assert Message("at most %(most)d", most=120).localize(german) == "höchstens 120"


def test_a_message_inside_a_message_is_translated_too() -> None:
    phrase = Message("%(uri)s: %(problem)s", uri="x", problem=Message("at most %(most)d", most=3))

    assert phrase == "x: at most 3"
    assert phrase.localize(german) == "höchstens 3: x"


def test_a_percent_sign_without_values_is_unchanged() -> None:
    assert Message("100 % %(sure)s").localize(german) == "100 % %(sure)s"
