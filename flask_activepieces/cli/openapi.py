"""``flask activepieces openapi``: the document of the JSON API, for generators of clients and for reading."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from ..state import get_state
from ..web.api.openapi import openapi_document
from .output import print_json, reports_errors


@click.command("openapi")
@with_appcontext
@reports_errors
def openapi_command() -> None:
    """Print the OpenAPI 3.1 document of the JSON API, as this app is configured."""
    print_json(openapi_document(current_app, server=get_state().settings.public_url))
