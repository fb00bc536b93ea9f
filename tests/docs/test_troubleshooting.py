"""The messages on the pages about troubleshooting and embedding are those of the code and the templates."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import flask_activepieces
from tests.support.documents import cells, page

PACKAGE = Path(flask_activepieces.__path__[0])
WITH_MESSAGES = ["troubleshooting", "embedding"]


def rows() -> list[list[str]]:
    """The rows of all tables: what people see, the cause, the remedy."""
    content = "\n\n".join(page(name) for name in WITH_MESSAGES)
    tables = re.findall(r"^\| You see .*\n\|---.*\n((?:\|.*\n)+)", content, re.MULTILINE)
    return [cells(row) for table in tables for row in table.splitlines()]


#: The messages are in backticks. Three other things that people see are not ours.
MESSAGES = sorted(
    {text for row in rows() for text in re.findall(r"`([^`]+)`", row[0])}
    - {"Retry-After: 60", "flask activepieces deliveries list", "emit"}
)


@cache
def strings() -> list[str]:
    """All strings of the package, with … for each value that is inserted, and the text of the templates."""
    found = [" ".join(path.read_text("utf-8").split()) for path in PACKAGE.rglob("*.html")]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                found.append("".join(str(part) for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%\(\w+\)[rsd]|%[rsd]", "…", node.value))
    return found


def test_every_message_is_one_of_the_package() -> None:
    # One string of the code may continue another: "Redeem it at …" + ", which …".
    parts = [part for message in MESSAGES for part in re.split(r"(?<=…), ", message) if part]

    assert [part for part in parts if not any(part in string for string in strings())] == []


def test_every_row_names_a_cause_and_a_remedy() -> None:
    assert len(rows()) > 50
    assert [row[0] for row in rows() if len(row) != 3 or not all(row)] == []


def test_a_changed_message_would_be_noticed() -> None:
    assert len(MESSAGES) > 40
    assert not any("The client is unknown, or its secret is wrong" in string for string in strings())
