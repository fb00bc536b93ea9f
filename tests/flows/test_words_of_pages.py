"""The pages of a filled app: no constant, id, setting or exception on any of them, and every text is translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from flask_babel import Babel

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.catalogs import entries, extracted, forms
from tests.support.document_clients import Site
from tests.support.filled import ShownTexts, filled_app
from tests.support.pages import Page
from tests.support.translations import write_catalog

#: What only developers understand.
TECHNICAL = {
    "a constant": re.compile(r"\b[A-Z]{2,}_[A-Z_]+\b|\b(ACTIVE|ENABLED|DISABLED|FAILED|SUCCEEDED|MISSING|PAUSED)\b"),
    "a name with underscores": re.compile(r"\b[a-z]+_[a-z_]+\b"),
    # The hint of a key is its end.
    "a name in camel case": re.compile(r"(?<!…)\b[a-z]+[A-Z]\w*\b"),
    "an id": re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9_-]{15,}\b"),
    "an exception": re.compile(r"Traceback|\b\w+(Error|Exception)\b"),
    # "None" is also a message.
    "a value of Python": re.compile(r"(?<!«)\bNone\b|\b(True|False|nan)\b|\{'|\['|%\(|<[a-z_.]+ object"),
    "a name of a piece": re.compile(r"@\w+/piece"),
    "a scope": re.compile(r"\b[a-z]+:[a-z]+\b"),
}
#: What people and the stand-in named, and products.
NAMES = re.compile(
    r"Tasks|Task done|Our key|Old key|Program|Moves your tasks about|Stand-in's Project|Stand-in project"
    r"|Activepieces|Zapier|Make|n8n|Claude|ChatGPT|Cursor|VS Code"
    # The step "Run Agent" of Activepieces.
    r"|MCP Name|Server URL|Protocol|Streamable HTTP|Authentication Type|Access Token"
)


@pytest.fixture
def pages(
    make_app: MakeApp, server: ActivepiecesServer, agent_site: Site, marked_translations: str
) -> dict[str, Page]:
    """All pages, in a language in which every translation is the message in angle quotes."""
    filled = filled_app(make_app, server, agent_site, BABEL_TRANSLATION_DIRECTORIES=marked_translations)
    Babel(filled.app, locale_selector=lambda: "de")
    return {address: page for address, page in (*filled.pages(), *filled.mistyped_pages(), *filled.failing_pages())}


@pytest.fixture
def marked_translations(tmp_path: Path) -> str:
    catalog = Catalog(locale="de")
    for entry in entries(extracted()):
        marked = tuple(f"«{form}»" for form in forms(entry.id))
        catalog.add(entry.id, marked if entry.pluralizable else marked[0])
    return write_catalog(tmp_path, catalog)


def technical_words(html: str) -> Iterator[str]:
    """What only developers understand, with the text that contains it."""
    shown = ShownTexts(html)
    for text in (*shown.texts, *shown.names):
        for kind, pattern in TECHNICAL.items():
            if found := pattern.search(text):
                yield f"{kind}: {found[0]!r} in {text!r}"


def untranslated(html: str) -> Iterator[str]:
    """The texts of ours without angle quotes; one letter is the initial of a name."""
    for text in ShownTexts(html).texts:
        rest, before = text, ""
        while rest != before:
            rest, before = re.sub("«[^«»]*»", "", rest), rest
        if re.search(r"[^\W\d_]{2}", NAMES.sub("", rest)):
            yield text


def test_pages_speak_to_people_and_in_their_language(pages: dict[str, Page]) -> None:
    technical = {address: list(technical_words(page.response.text)) for address, page in pages.items()}
    foreign = {address: list(untranslated(page.response.text)) for address, page in pages.items()}

    assert {address: words for address, words in technical.items() if words} == {}
    assert {address: texts for address, texts in foreign.items() if texts} == {}
    # The crawl reaches the pages, and sees their texts.
    assert len(pages) > 90
    assert {200, 403, 404, 422, 502, 503} <= {page.status for page in pages.values()}
    assert (
        sum(text.startswith("«") for page in pages.values() for text in ShownTexts(page.response.text).texts) > 1000
    )


@pytest.mark.parametrize(
    "text",
    [
        "State: ENABLED",
        "Set ACTIVEPIECES_API_KEY.",
        "create_task failed",
        "updatedAt",
        "Flow 7RguEL5THWFv27dmMsPR6",
        "ConnectionError: refused",
        "Last used: None",
        "{'state': 'on'}",
        "@activepieces/piece-slack",
        "It needs tasks:read.",
    ],
)
def test_a_technical_word_is_found(text: str) -> None:
    assert list(technical_words(f"<p>«{text}»</p>"))


def test_a_text_without_a_translation_is_found() -> None:
    assert list(untranslated("<p>«Flows»</p><p>«Runs of «A flow»»</p><p>Runs</p><bdi>Ada</bdi>")) == ["Runs"]
