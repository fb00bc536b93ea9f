"""Each text of our templates can be translated: words stand in a call of gettext, never in the markup itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, nodes

from tests.support.catalogs import KEYWORDS, PACKAGE

TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
ENVIRONMENT = Environment(extensions=["jinja2.ext.do"], autoescape=True)
#: Names of products, and of what is in them, are the same in each language.
NAMES = re.compile(
    "Claude|ChatGPT|Cursor|VS Code"
    # The step "Run Agent" of Activepieces.
    "|Server URL|Protocol|Streamable HTTP|Authentication Type|Access Token"
)
READ_ALOUD = {"alt", "title", "placeholder", "label", "aria-label", "aria-description", "summary"}
#: In place of an expression: no letter, so no text of ours.
EXPRESSION = "\ufffc"
_LETTERS = re.compile(r"[^\W\d_]")
#: What blocks and macros of attributes contain.
_ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"|\bap-[\w-]+')


class Texts(HTMLParser):
    """The literal texts of a page, those of attributes that people read or hear included."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in READ_ALOUD or name.endswith("-label"):
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        text = " ".join(_ATTRIBUTE.sub("", data.replace(EXPRESSION, " ")).split())
        if _LETTERS.search(NAMES.sub("", text)):
            self.texts.append(text)


def markup(source: str) -> str:
    """The template without its tags, and with a mark for each expression."""
    parts: list[str] = []
    for _, kind, text in ENVIRONMENT.lex(source):
        if kind == "data":
            parts.append(text)
        elif kind == "variable_begin":
            parts.append("tag" if "".join(parts).endswith(("<", "</")) else EXPRESSION)
    return "".join(parts)


def constants(node: nodes.Node) -> Iterator[str]:
    """The strings in expressions, apart from the messages."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    is_gettext = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in KEYWORDS
    for child in node.iter_child_nodes():
        if not (is_gettext and isinstance(child, nodes.Const)):
            yield from constants(child)


def untranslatable(source: str) -> list[str]:
    """The texts of a template that no catalog can translate."""
    strings = constants(ENVIRONMENT.parse(source))
    expressions = [text for text in strings if re.match(r"[A-Z][a-z]", text) and not NAMES.fullmatch(text)]
    return [*Texts(markup(source)).texts, *expressions]


def test_a_template_has_no_text_outside_of_gettext() -> None:
    assert [(path, text) for path in TEMPLATES for text in untranslatable(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{{ ap_text('Signed in as') }} someone</p>",
        "<img alt='A picture'>",
        "{{ area.heading('Overview') }}",
        "{{ ap_text('Hello %(name)s', name='World') }}",
        "<{{ level }}>Hello</{{ level }}>",
    ],
)
def test_a_text_outside_of_gettext_is_found(source: str) -> None:
    assert len(untranslatable(source)) == 1


def test_messages_and_markup_are_no_such_text() -> None:
    source = (
        "<{{ level }} class='ap-card' title='{{ ap_text('Hi') }}'>{{ ap_text('Hello') }} · {{ name }}</{{ level }}>"
    )

    assert untranslatable(source) == []
