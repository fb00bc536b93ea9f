"""Reads the documentation: its pages, fenced blocks and tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
#: Every page that Sphinx builds.
PAGES = sorted(DOCS.glob("*.md"))

_FENCE = re.compile(r"^```(\S+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    """The text of a page, by its name without ``.md``."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """The name of a page in test ids."""
    return path.stem


def blocks(text: str, *languages: str) -> list[str]:
    """The contents of the fenced blocks in one of these languages."""
    return [found[2] for found in _FENCE.finditer(text) if found[1] in languages]


#: The first line of a block that is a file: its path, as a comment, after the interpreter of a script.
_FILE_NAME = re.compile(r"^(?:#!.*\n)?(?:# |\{# )((?:/?[\w.-]+/)+[\w.-]+|[\w-]+(?:\.\w+)+)(?: #\})?\n")


def file_name(block: str) -> str | None:
    """The path in the first line of a block, if the block is a file; else None."""
    found = _FILE_NAME.match(block)
    return found[1] if found else None


def files(text: str) -> dict[str, str]:
    """The blocks of a page that are files, by their paths."""
    named = ((file_name(found[2]), found[2]) for found in _FENCE.finditer(text))
    return {name: content for name, content in named if name is not None}


def shell_lines(text: str) -> list[str]:
    """The shell commands of the page, each on one line, without the output in ``console`` blocks."""
    sessions = [line[2:] for block in blocks(text, "console") for line in _joined(block) if line.startswith("$ ")]
    return [line for block in blocks(text, "sh") for line in _joined(block)] + sessions


def _joined(block: str) -> list[str]:
    """The lines of a block; a backslash at the end of one joins the next to it."""
    return block.replace("\\\n", " ").splitlines()


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
