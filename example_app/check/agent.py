"""An agent that knows the URL of the MCP endpoint only: it finds the sign-in, and calls tools over plain HTTP."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from .browser import TIMEOUT
from .report import CheckFailed, expect, json_body

REDIRECT_URI = "http://127.0.0.1/callback"
REVISION = "2026-07-28"
_META = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": {"name": "tasklane-check", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
#: What the agent says of itself where it may register (RFC 7591 §2).
REGISTRATION = {
    "client_name": "Agent of the check",
    "redirect_uris": [REDIRECT_URI],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


@dataclass
class Agent:
    """An agent, and what it has learned."""

    url: str
    #: Of the authorization server (RFC 8414).
    metadata: dict[str, Any] = field(default_factory=dict)
    #: What the challenge of the endpoint asked for.
    scope: str = ""
    client_id: str = ""
    tokens: dict[str, Any] = field(default_factory=dict, repr=False)
    _verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def discover(self) -> None:
        """From the 401 to the authorization server (RFC 9728 §5, RFC 8414 §3)."""
        answer = self.send("tools/list")
        expect(
            answer.status_code == 401,
            expected=f"401 from {self.url} without a token",
            actual=answer.status_code,
            check="ACTIVEPIECES_MCP and ACTIVEPIECES_MCP_PATH",
        )
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))
        self.scope = challenge.get("scope", "")
        resource = _get(challenge.get("resource_metadata", ""))
        expect(resource.get("resource") == self.url, expected=self.url, actual=resource, check="the metadata")
        issuer = urlsplit(resource["authorization_servers"][0])
        self.metadata = _get(f"{issuer.scheme}://{issuer.netloc}/.well-known/oauth-authorization-server{issuer.path}")

    def register(self, by_hand: Callable[[], str]) -> None:
        """Register, if the server lets agents do that; otherwise an admin does it by hand."""
        endpoint = self.metadata.get("registration_endpoint")
        if endpoint is None:
            self.client_id = by_hand()
            return
        answer = requests.post(endpoint, json=REGISTRATION, timeout=TIMEOUT)
        self.client_id = json_body(answer, 201, check="the registration of agents")["client_id"]

    def authorization_url(self) -> str:
        """Where the user allows it: with PKCE (RFC 7636) and for this endpoint only (RFC 8707)."""
        challenge = urlsafe_b64encode(sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": self.scope,
            "state": "check",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": self.url,
        }
        return f"{self.metadata['authorization_endpoint']}?{urlencode(parameters)}"

    def finish(self, callback: str) -> None:
        """Redeem the code in the address to which the user came back."""
        query = parse_qs(urlsplit(callback).query)
        if "code" not in query:
            raise CheckFailed(expected="a code in the redirect", actual=callback, check="the consent page")
        self._ask_for_tokens(
            grant_type="authorization_code",
            code=query["code"][0],
            redirect_uri=REDIRECT_URI,
            code_verifier=self._verifier,
        )

    def refresh(self) -> None:
        """Exchange the refresh token."""
        self._ask_for_tokens(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def send(self, method: str, **params: Any) -> requests.Response:
        """Send a request of the protocol."""
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
            "Mcp-Method": method,
            **({"Mcp-Name": params["name"]} if "name" in params else {}),
            **({"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": _META}}
        return requests.post(self.url, json=body, headers=headers, timeout=TIMEOUT)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a request."""
        body = json_body(self.send(method, **params), 200, check="the MCP endpoint")
        if "result" not in body:
            raise CheckFailed(expected=f"a result of {method}", actual=str(body.get("error")), check=self.url)
        result: dict[str, Any] = body["result"]
        return result

    def _ask_for_tokens(self, **form: str) -> None:
        form |= {"client_id": self.client_id, "resource": self.url}
        answer = requests.post(self.metadata["token_endpoint"], data=form, timeout=TIMEOUT)
        self.tokens = json_body(answer, 200, check="the token endpoint")


def _get(url: str) -> dict[str, Any]:
    return json_body(requests.get(url, timeout=TIMEOUT), 200, check=f"the metadata at {url}")
