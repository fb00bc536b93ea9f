"""Reads the documentation: its pages, fenced blocks and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
#: Every page that Sphinx builds.
PAGES = sorted(DOCS.glob("*.md"))

#: Blocks in lists are indented.
_FENCE = re.compile(r"^( *)```(\S+)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block, and the text between it and the block before it."""

    language: str
    content: str
    introduction: str


def page(name: str) -> str:
    """The text of a page, by its name without ``.md``."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """The name of a page in test ids."""
    return path.stem


def all_blocks(text: str) -> list[Block]:
    """The fenced blocks, in order."""
    found_blocks, end = [], 0
    for found in _FENCE.finditer(text):
        found_blocks.append(Block(found[2], dedent(found[3]), text[end : found.start()]))
        end = found.end()
    return found_blocks


def blocks(text: str, *languages: str) -> list[str]:
    """The contents of the fenced blocks in one of these languages."""
    return [block.content for block in all_blocks(text) if block.language in languages]


#: The first line of a block that is a file: its path, as a comment, after the interpreter of a script.
_FILE_NAME = re.compile(r"^(?:#!.*\n)?(?:# |\{# )((?:/?[\w.-]+/)+[\w.-]+|[\w-]+(?:\.\w+)+)(?: #\})?\n")


def file_name(block: str) -> str | None:
    """The path in the first line of a block, if the block is a file; else None."""
    found = _FILE_NAME.match(block)
    return found[1] if found else None


def files(text: str) -> dict[str, str]:
    """The blocks of a page that are files, by their paths."""
    named = ((file_name(block.content), block.content) for block in all_blocks(text))
    return {name: content for name, content in named if name is not None}


def shell_lines(text: str) -> list[str]:
    """The shell commands of the page."""
    return [command for block in all_blocks(text) for command in commands(block)]


def commands(block: Block) -> list[str]:
    """The shell commands in a block, which is no script; in a ``console`` block, without their output.

    A backslash at the end of a line joins the next one to it. An indented line continues a string.
    """
    lines = re.split(r"\n(?!\s)", block.content.replace("\\\n", " ").strip())
    if block.language == "sh" and file_name(block.content) is None:
        return lines
    return [line[2:] for line in lines if line.startswith("$ ")] if block.language == "console" else []


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def code_words(text: str) -> set[str]:
    """The text in backticks outside fenced blocks."""
    return set(re.findall(r"`([^`\n]+)`", prose(text)))


def headings(text: str) -> list[str]:
    """The headings, without ``#`` and backticks."""
    found = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return [heading.replace("`", "").strip() for heading in found]


def section(text: str, heading: str) -> str:
    """The text between this heading, which is in backticks, and the next one."""
    _, found, rest = text.partition(f"\n## `{heading}`\n")
    assert found, f"no heading {heading}"
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def cells(row: str) -> list[str]:
    """The cells of a table row."""
    return [cell.strip() for cell in row.strip("|").split("|")]
