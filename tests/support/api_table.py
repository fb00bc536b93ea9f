"""The table of the JSON API in docs/routes.md, made from the OpenAPI document.

``python -m tests.support.api_table`` updates it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from flask_activepieces.config.settings import Settings
from flask_activepieces.web.api.openapi import openapi_document
from flask_activepieces.web.blueprint import build_blueprint

from .documents import DOCS

PAGE = DOCS / "routes.md"
BEGIN = "<!-- Made by: python -m tests.support.api_table -->\n"
END = "<!-- The end of what is made. -->\n"
HEAD = "| Method and address | Endpoint | Permission | What it does | Answers |\n|---|---|---|---|---|\n"


def document() -> dict[str, Any]:
    """The document of an app with the default settings."""
    app = Flask("app")
    app.config.update(SECRET_KEY="a key for the table only", SESSION_COOKIE_NAME="session")
    app.register_blueprint(build_blueprint(Settings.from_app_config(app.config)))
    return openapi_document(app)


def table() -> str:
    """One row an operation, in the order of the routes."""
    return HEAD + "".join(
        row(path, method, operation)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    )


def row(path: str, method: str, operation: dict[str, Any]) -> str:
    """Where and how, under which name, who may, what for, and with which statuses."""
    address = re.sub(r"{(\w+)}", r"<\1>", path)
    good, *bad = operation["responses"]
    summary = operation["summary"].replace("``", "`")
    return (
        f"| {method.upper()} `{address}` | `{operation['operationId']}`"
        f" | `{operation['x-permission']}` | {summary} | {good}; {', '.join(bad)} |\n"
    )


def written() -> str:
    """The part of the page between the two marks."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    write()
