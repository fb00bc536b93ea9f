"""What to enter where, so that an agent uses this app: the address, and lines to copy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ....state import State
from ...pages.i18n import gettext

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """The lines for one app, as it is configured."""

    url: str
    #: Under which an agent lists the app.
    name: str
    #: Whether agents that have a document about them can sign in, and those that register themselves.
    accepts_documents: bool
    accepts_registrations: bool
    claude_code: str
    vs_code: str
    cursor: str
    mcp_remote: str


def instructions_for(state: State) -> Instructions:
    """The instructions; with a token in place of the sign-in for programs that cannot sign in here."""
    url, name = state.mcp_resource(), short_name(state.title())
    registers = state.settings.dynamic_registration
    has_document = registers or state.accepts_client_documents()
    header = f"Authorization: Bearer {gettext('your-token')}"
    for_vs_code = {"name": name, "type": "http", "url": url} | _headers(header, has_document)
    return Instructions(
        url=url,
        name=name,
        accepts_documents=has_document,
        accepts_registrations=registers,
        claude_code=f"claude mcp add --transport http {name} {url}{_option(header, has_document)}",
        vs_code=f"code --add-mcp '{json.dumps(for_vs_code)}'",
        cursor=json.dumps({"mcpServers": {name: {"url": url} | _headers(header, registers)}}),
        mcp_remote=f"npx mcp-remote {url}{_option(header, registers)}",
    )


def short_name(title: str) -> str:
    """The name under which agents list an app: its title without what a shell or another program could misread."""
    return _NOT_IN_A_NAME.sub("-", title.lower()).strip("-") or "app"


def _option(header: str, can_sign_in: bool) -> str:
    return "" if can_sign_in else f' --header "{header}"'


def _headers(header: str, can_sign_in: bool) -> dict[str, dict[str, str]]:
    name, _, value = header.partition(": ")
    return {} if can_sign_in else {"headers": {name: value}}
