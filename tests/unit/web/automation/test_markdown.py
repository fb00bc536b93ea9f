"""The Markdown of pieces: what they use becomes markup, and nothing else does."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

from flask_activepieces.web.automation.connections.markdown import MAX_LENGTH, render_markdown

LINK = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("One\n\ntwo\nlines", "<p>One</p><p>two<br>lines</p>"),
        ("### Head ##\ntext", "<p><strong>Head</strong></p><p>text</p>"),
        ("Head\n---\ntext\n***", "<p>Head</p><p>text</p>"),
        ("> **Note** a\n> b", "<p><strong>Note</strong> a<br>b</p>"),
        ("**Note:** b", "<p><strong>Note:</strong> b</p>"),
        ("__a__ *b* _c_ ***d***", "<p><strong>a</strong> <em>b</em> <em>c</em> <strong><em>d</em></strong></p>"),
        ("`a_b` ``c``", "<p><code>a_b</code> <code>c</code></p>"),
        ("`**a** <b>`", "<p><code>**a** &lt;b&gt;</code></p>"),
        ("```text\n  {{redirectUrl}}\n```\nx", "<pre><code>{{redirectUrl}}</code></pre><p>x</p>"),
        ("~~~\n1. a\n\n**b**", "<pre><code>1. a\n\n**b**</code></pre>"),
        ("a\\*b\\*", "<p>a*b*</p>"),
    ],
)
def test_texts(text: str, html: str) -> None:
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("text\n- a\n* b", "<p>text</p><ul><li>a</li><li>b</li></ul>"),
        ("    1) a\n    2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("1. a\n\n2. b\n\nend", "<ol><li>a</li><li>b</li></ol><p>end</p>"),
        ("1. a\n\nbetween\n\n2. b", '<ol><li>a</li></ol><p>between</p><ol start="2"><li>b</li></ol>'),
        ("1. a\n   - b\n   - c\n2. d", "<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>"),
        ("1. a\nmore\n2. b", "<ol><li>a<br>more</li><li>b</li></ol>"),
        ("1. a\n   ```\n   b\n   ```\n2. c", "<ol><li>a<pre><code>b</code></pre></li><li>c</li></ol>"),
        ("- a\n  - b\n    - c\n      - d", "<ul><li>a<ul><li>b<ul><li>c</li><li>d</li></ul></li></ul></li></ul>"),
        ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
    ],
)
def test_lists(text: str, html: str) -> None:
    assert render_markdown(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[a **b**](https://x.test/?a=1&b=2)", LINK.format("https://x.test/?a=1&amp;b=2", "a <strong>b</strong>")),
        ('[a](http://x.test "A title")', LINK.format("http://x.test", "a")),
        ("![a](https://x.test/a.png)", LINK.format("https://x.test/a.png", "a")),
        ("https://x.test/a_b_c.", LINK.format("https://x.test/a_b_c", "https://x.test/a_b_c") + "."),
        ("(https://x.test)", "(" + LINK.format("https://x.test", "https://x.test") + ")"),
        ("[https://x.test](https://x.test)", LINK.format("https://x.test", "https://x.test")),
        ("**[a](https://x.test)**", "<strong>" + LINK.format("https://x.test", "a") + "</strong>"),
    ],
)
def test_links(text: str, html: str) -> None:
    assert render_markdown(text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "5 * 3 ** 2 * 1",
        "snake_case_name",
        "**open",
        "a ** b",
        "**** a",
        "`open",
        "[a]",
        "[a] (b)",
        "2024.5",
        "-a",
        "#a",
    ],
)
def test_what_only_looks_like_markdown_is_text(text: str) -> None:
    assert render_markdown(text) == f"<p>{text}</p>"


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "# <b onclick=x>",
    "- <svg/onload=alert(1)>",
    "```\n</code></pre><script>x</script>\n```",
    "`</code><script>x</script>`",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](data:text/html,<script>x</script>)",
    "[a]( https://x.test)",
    "[a](//x.test)",
    '[a](https://x.test"onclick="alert(1))',
    "[a](https://x.test'onclick='alert(1))",
    '[a](https://x.test "b"onclick="alert(1)")',
    '[a](https://x.test "><script>x</script>")',
    "[<b>](https://x.test)",
    '[" onclick="x](https://x.test)',
    'https://x.test/"onclick="alert(1)',
    "https://x.test/<script>",
    '[a](https://x.test\\"onclick=x)',
    "**<b>**",
    "{{ 7 * 7 }} %s {} {0}",
    "[{}](https://x.test/{}) **{0}**",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_becomes_a_tag_or_an_attribute(text: str) -> None:
    tags = Tags(render_markdown(text))

    allowed = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "a"}
    assert {tag for tag, _ in tags.found} <= allowed
    for tag, attributes in tags.found:
        assert set(attributes) == ({"href", "target", "rel"} if tag == "a" else set())
        if tag == "a":
            assert re.match("https?://", attributes["href"] or "")
            assert attributes["rel"] == "noopener noreferrer"


class Tags(HTMLParser):
    """The tags of a text, and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_tags_are_nested() -> None:
    assert render_markdown("**a *b** c*") == "<p><strong>a *b</strong> c*</p>"


@pytest.mark.parametrize(
    "part",
    ["`", "`a``b", "[", "[a](", "[a](https://x", '[a](https://x "', "*", "**a *b ", "https://", "- a\n", "- a\n\n"]
    + ["  - a\n", "1. a\n- b\n", "```\n~~~~\n", " ", "\n", "\\", ">", "# ", "- ", "_a", "&", "1", "!["],
)
def test_a_huge_text_is_shown_in_time(part: str) -> None:
    text = part * (5_000_000 // len(part))
    start = time.process_time()

    html = render_markdown(text)

    assert time.process_time() - start < 3
    assert len(html) < 50 * MAX_LENGTH


@pytest.mark.parametrize("part", ["[a](https://x", '[a](https://x "', "`a``b", "**a *b ", "- a\n", "- - ", "[ "])
def test_the_time_is_proportional_to_the_length(part: str) -> None:
    def seconds(length: int) -> float:
        text, start = (part * length)[:length], time.process_time()
        render_markdown(text)
        return time.process_time() - start

    short = min(seconds(MAX_LENGTH // 8) for _ in range(3))
    long = min(seconds(MAX_LENGTH) for _ in range(3))

    # Eight times as long: quadratic time would be 64 times as much.
    assert long < 30 * max(short, 0.001)
