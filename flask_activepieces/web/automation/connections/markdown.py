"""The Markdown of pieces as markup: paragraphs, lists, bold, emphasis, code and links. Everything else is plain text.

1. All text is escaped. The only tags are those of this module: HTML is shown as text.
2. Only http and https addresses become links.
3. The time is proportional to the length of the text, and what follows `MAX_LENGTH` characters is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import dedent

from markupsafe import Markup, escape

#: Instructions have some hundred characters.
MAX_LENGTH = 20_000
#: Lists in lists; the items of deeper ones join the list around them.
_MAX_DEPTH = 3
_FENCE = re.compile(r"\s*(```+|~~~+)")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*)")
#: A line across the page, or under a heading.
_RULE = re.compile(r"\s*([-*_=])[ ]*(?:\1[ ]*){2,}$")
_ITEM = re.compile(r"\s*(?:[-*+•]|(\d{1,9})[.)])\s+(.*)")
_QUOTE = re.compile(r"\s*>\s?(.*)")
# The search for the end of a link stops at the beginning of the next one: this keeps the time linear.
_INLINE = re.compile(
    r"""
      \\(?P<escaped>[!-/:-@\[-`{-~])
    | (?<!`)(?P<ticks>`+)(?!`)(?P<code>[^`]+)(?P=ticks)(?!`)
    | !?\[(?P<label>[^\[\]]+)\]\((?P<url>https?://[^\s()<>"\x00-\x1f\x7f]+)(?:\s+"[^"\[]*")?\)
    | (?P<address>https?://[^\s()<>\[\]{}"'`*\\\x00-\x1f\x7f]+)
    | (?P<mark>\*+|_+)
    """,
    re.VERBOSE,
)
_EMPHASIS = {"*": ("em",), "_": ("em",), "**": ("strong",), "__": ("strong",), "***": ("strong", "em")}
# In a new tab: a form that is half filled in stays open.
_LINK = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')


def render_markdown(text: str) -> Markup:
    """The text as markup."""
    shown = text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"
    return _blocks(shown.replace("\t", "    ").splitlines(), depth=1)


def _blocks(lines: Sequence[str], *, depth: int) -> Markup:
    blocks, at = list[Markup](), 0
    while at < len(lines):
        line, end = lines[at], at + 1
        if not line.strip() or _RULE.match(line):
            pass
        elif fence := _FENCE.match(line):
            end = next((n for n in range(end, len(lines)) if lines[n].strip().startswith(fence[1])), len(lines))
            blocks.append(Markup("<pre><code>{}</code></pre>").format(dedent("\n".join(lines[at + 1 : end]))))
            end += 1
        elif heading := _HEADING.match(line):
            # Not a heading: the page has an outline of its own.
            blocks.append(Markup("<p><strong>{}</strong></p>").format(_inline(heading[1].rstrip(" #"))))
        elif _ITEM.match(line):
            end = _end_of_list(lines, at)
            blocks.append(_list(lines[at:end], depth=depth))
        else:
            end = _end_of_paragraph(lines, at)
            blocks.append(Markup("<p>{}</p>").format(_paragraph(lines[at:end])))
        at = end
    return Markup("").join(blocks)


def _end_of_paragraph(lines: Sequence[str], start: int) -> int:
    return next((n for n in range(start + 1, len(lines)) if _begins_block(lines[n])), len(lines))


def _begins_block(line: str) -> bool:
    return not line.strip() or any(block.match(line) for block in (_FENCE, _HEADING, _RULE, _ITEM))


def _end_of_list(lines: Sequence[str], start: int) -> int:
    """Where something follows that is neither an item of the same kind nor indented."""
    for n in range(start + 1, len(lines)):
        line, follows_gap = lines[n], not lines[n - 1].strip()
        if not line.strip() or _is_inside(line, lines[start]):
            continue
        is_item = not _RULE.match(line) and _ITEM.match(line)
        if not is_item and (follows_gap or _begins_block(line)):
            return n
        if is_item and (_number(line) is None) != (_number(lines[start]) is None):
            return n
    return len(lines)


def _list(lines: Sequence[str], *, depth: int) -> Markup:
    if depth == _MAX_DEPTH:
        lines = [line.strip() for line in lines]
    items = list[list[str]]()
    for line in lines:
        if (item := _ITEM.match(line)) and not _is_inside(line, lines[0]):
            items.append([item[2]])
        else:
            items[-1].append(line)
    content = Markup("").join(Markup("<li>{}</li>").format(_item(item, depth=depth)) for item in items)
    match _number(lines[0]):
        case None:
            return Markup("<ul>{}</ul>").format(content)
        case 1:
            return Markup("<ol>{}</ol>").format(content)
        case number:
            return Markup('<ol start="{}">{}</ol>').format(number, content)


def _item(lines: Sequence[str], *, depth: int) -> Markup:
    """The text of an item, and what is indented below it."""
    end = _end_of_paragraph(lines, 0)
    return _paragraph(lines[:end]) + _blocks(lines[end:], depth=depth + 1)


def _number(line: str) -> int | None:
    """The number of an item; None if the line has none."""
    item = _ITEM.match(line)
    return int(item[1]) if item and item[1] else None


def _is_inside(line: str, item: str) -> bool:
    """Whether the line is indented below the item."""
    return len(line) - len(line.lstrip()) >= len(item) - len(item.lstrip()) + 2


def _paragraph(lines: Sequence[str]) -> Markup:
    """Lines of text; Activepieces keeps the line breaks, too."""
    unquoted = [quote[1] if (quote := _QUOTE.match(line)) else line for line in lines]
    return Markup("<br>").join(_inline(line.strip()) for line in unquoted)


def _inline(text: str, *, with_links: bool = True) -> Markup:
    parts, opened, end = list[Markup](), dict[str, int](), 0
    for match in _INLINE.finditer(text):
        parts.append(escape(text[end : match.start()]))
        end = match.end()
        if match["mark"]:
            _mark(parts, opened, match)
        elif match["escaped"]:
            parts.append(escape(match["escaped"]))
        elif match["code"]:
            parts.append(Markup("<code>{}</code>").format(match["code"].strip()))
        elif match["label"]:
            parts.append(_LINK.format(match["url"], _inline(match["label"], with_links=False)))
        else:
            # The end of a sentence is not part of the address.
            address = match["address"].rstrip(".,;:!?_")
            end = match.start() + len(address)
            parts.append(_LINK.format(address, address) if with_links else escape(address))
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _mark(parts: list[Markup], opened: dict[str, int], match: re.Match[str]) -> None:
    """Asterisks or underscores: the end of the emphasis that they began, or a beginning; text if none of it fits.

    ``opened`` has the places of the beginnings in ``parts``, where they are text until their end is found.
    """
    mark, text = match["mark"], match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    is_underscore = mark[0] == "_"
    ends = before.strip() and not (is_underscore and after.isalnum())
    begins = after.strip() and not (is_underscore and before.isalnum())
    if mark in opened and ends:
        while opened:
            other, place = opened.popitem()
            if other == mark:
                tags = _EMPHASIS[mark]
                parts[place] = Markup("").join(Markup("<{}>").format(tag) for tag in tags)
                parts.append(Markup("").join(Markup("</{}>").format(tag) for tag in reversed(tags)))
                return
    if mark in _EMPHASIS and mark not in opened and begins:
        opened[mark] = len(parts)
    parts.append(escape(mark))
