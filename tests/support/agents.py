"""An agent that speaks the Model Context Protocol over HTTP, in any of its revisions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from .actors import Person, Program, answer_of
from .hosts import ALL_SCOPES

MODERN = "2026-07-28"
LEGACY = ("2025-03-26", "2025-06-18", "2025-11-25")
REVISIONS = (*LEGACY, MODERN)
META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_NAMES = {"tools/call": "name", "resources/read": "uri"}


@dataclass
class McpAgent:
    """An agent with the token of a user."""

    app: Flask
    token: str | None
    revision: str = MODERN
    path: str = "/mcp"

    def posts(self, body: Any, *, method: str = "POST", **headers: Any) -> TestResponse:
        """Send any body; a header with the value None is left out, and ``Mcp_Name`` is the header Mcp-Name."""
        given: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": self.revision,
            "Authorization": f"Bearer {self.token}" if self.token is not None else None,
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name: value for name, value in given.items() if value is not None}
        return self.app.test_client(use_cookies=False).open(self.path, method=method, headers=sent, data=data)

    def sends(self, method: str, params: dict[str, Any] | None = None, **headers: Any) -> TestResponse:
        """Send a request, as this revision writes it."""
        params = dict(params or {})
        if self.revision == MODERN:
            params.setdefault("_meta", META)
            mirrored: dict[str, Any] = {"Mcp_Method": method}
            if method in _NAMES:
                mirrored["Mcp_Name"] = str(params.get(_NAMES[method], ""))
            headers = mirrored | headers
        return self.posts({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}, **headers)

    def asks(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of a request."""
        return result_of(self.sends(method, params))

    def calls(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool, which may be an error."""
        return self.asks("tools/call", {"name": tool, "arguments": arguments})

    def tools(self) -> list[str]:
        """The names of the tools on all pages."""
        names: list[str] = []
        params: dict[str, Any] = {}
        while True:
            page = self.asks("tools/list", params)
            names += [tool["name"] for tool in page["tools"]]
            if "nextCursor" not in page:
                return names
            params = {"cursor": page["nextCursor"]}


def tokens_for_agent(program: Program, person: Person, *, scope: str = ALL_SCOPES) -> dict[str, Any]:
    """Let the person approve the program for the MCP endpoint (RFC 8707); return the tokens."""
    resource = "http://localhost/mcp"
    code = person.allows(program.question(resource=resource, scope=scope))
    return answer_of(program.redeems(code, resource=resource))


def result_of(response: TestResponse) -> dict[str, Any]:
    """The result in an answer, which must be one."""
    assert response.status_code == 200, response.text
    body = response.get_json()
    assert body["jsonrpc"] == "2.0" and body["id"] == 7 and "error" not in body, body
    result: dict[str, Any] = body["result"]
    return result


def error_of(response: TestResponse, status: int) -> dict[str, Any]:
    """The error in an answer with this status."""
    assert response.status_code == status, response.text
    body = response.get_json()
    assert body["jsonrpc"] == "2.0" and "result" not in body, body
    error: dict[str, Any] = body["error"]
    return error


def text_of(result: dict[str, Any]) -> str:
    """The first text of a tool's result."""
    return str(next(each["text"] for each in result["content"] if each["type"] == "text"))
