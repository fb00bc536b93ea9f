"""Translations are found under texts that the piece shows; others are reported."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.pieces.translations import unused_translations
from tests.support import every_kind


def unused(*texts: str) -> list[tuple[str, str, str | None]]:
    return list(unused_translations(every_kind.manifest(), {"de": dict.fromkeys(texts, "x")}))


@pytest.mark.parametrize(
    "text",
    [
        "Every kind of property and of connection",  # of the piece
        "Choose a workspace.",  # of a connection
        "That of Tasklane",  # of a password
        "E-mail",
        "Region",  # of a field of a connection
        "Eu",  # of its choice
        "Everything",  # of an action
        "All kinds of properties.",
        "A line. Keep it short.",  # of its field
        "Read **this**",
        "Low",  # of a choice
        "Task done",  # of a trigger
        "When a task is done",
        "Custom API call",
    ],
)
def test_a_text_that_activepieces_translates_is_used(text: str) -> None:
    assert unused(text) == []


@pytest.mark.parametrize("text", ["Tasklane", "Several lines", "Sign in", "Id", "everything", "eu"])
def test_a_text_that_activepieces_does_not_translate_is_unused(text: str) -> None:
    """The titles of the piece and of connections, placeholders, names of outputs, and values of choices."""
    ((language, found, _),) = unused(text)

    assert (language, found) == ("de", text)


def test_a_similar_text_is_named() -> None:
    assert unused("Evrything") == [("de", "Evrything", "Everything")]
    assert unused("Quite another") == [("de", "Quite another", None)]


def test_a_long_text_counts_by_its_beginning() -> None:
    manifest: dict[str, Any] = {"description": "x" * 600}

    assert list(unused_translations(manifest, {"de": {"x" * 512: "lang"}, "fr": {"x" * 600: "long"}})) == []
