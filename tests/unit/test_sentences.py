"""The sentence in an error of an API: only texts that are meant for people."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.sentences import detail_of, field_sentences


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"detail": "a", "message": "b"}, "a"),
        ({"error_description": "b", "error": "c"}, "b"),
        ({"message": "m"}, "m"),
        ({"title": "t", "error": "e"}, "t"),
        ({"error": "not_found"}, "not_found"),
        ({"detail": ["a"], "message": ""}, ""),
        ({"trace": "secret"}, ""),
    ],
)
def test_the_first_known_member_is_the_sentence(body: dict[str, Any], sentence: str) -> None:
    assert detail_of(body) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"fields": {"title": "Too long."}}, "title: Too long."),
        ({"errors": {"title": ["Too long.", "Bad."]}}, "title: Too long. title: Bad."),
        ({"errors": {"lines": {"0": {"due": ["Missing."]}}}}, "lines.0.due: Missing."),
        ({"errors": {"_schema": ["Wrong."]}}, "Wrong."),
        ({"fields": None, "errors": "Wrong."}, "Wrong."),
        ({"errors": 5}, ""),
        ({}, ""),
    ],
)
def test_errors_of_fields_name_them(body: dict[str, Any], sentence: str) -> None:
    assert field_sentences(body) == sentence
