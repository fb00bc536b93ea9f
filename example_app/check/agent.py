"""An agent that knows the URL of the MCP endpoint only: it finds the sign-in, and calls tools over plain HTTP."""

from __future__ import annotations

import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from .browser import TIMEOUT
from .report import CheckFailed, expect, json_body

REDIRECT_URI = "http://127.0.0.1/callback"
STATE = "check"
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
    #: What the challenge of the endpoint asked for, and where it leads.
    scope: str = ""
    resource_metadata_url: str = ""
    #: The authorization server, and what it says of itself.
    issuer: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    client_id: str = ""
    registration: dict[str, Any] = field(default_factory=dict, repr=False)
    tokens: dict[str, Any] = field(default_factory=dict, repr=False)
    _code: str = field(default="", repr=False)
    _verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def read_challenge(self) -> None:
        """The 401 of the endpoint, which leads to the metadata and names the scopes (RFC 9728 §5.1)."""
        answer = self.send("tools/list")
        expect(
            answer.status_code == 401,
            expected=f"401 from {self.url} without a token",
            actual=answer.status_code,
            check="ACTIVEPIECES_MCP and ACTIVEPIECES_MCP_PATH",
        )
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers.get("WWW-Authenticate", "")))
        expect(
            {"scope", "resource_metadata"} <= challenge.keys(),
            expected="scope and resource_metadata in WWW-Authenticate",
            actual=answer.headers.get("WWW-Authenticate"),
            check="whether a proxy removes that header",
        )
        self.scope, self.resource_metadata_url = challenge["scope"], challenge["resource_metadata"]

    def read_resource_metadata(self) -> None:
        """What protects the endpoint (RFC 9728 §3.2); the client must compare the resource (§3.3)."""
        resource = _get(self.resource_metadata_url)
        expect(
            resource.get("resource") == self.url,
            expected=f"the resource {self.url}",
            actual=resource.get("resource"),
            check="ACTIVEPIECES_PUBLIC_URL",
        )
        self.issuer = resource["authorization_servers"][0]

    def read_server_metadata(self) -> None:
        """The endpoints of the authorization server (RFC 8414 §3); the client must compare the issuer (§3.3)."""
        issuer = urlsplit(self.issuer)
        self.metadata = _get(f"{issuer.scheme}://{issuer.netloc}/.well-known/oauth-authorization-server{issuer.path}")
        expect(
            self.metadata.get("issuer") == self.issuer
            and "S256" in self.metadata["code_challenge_methods_supported"],
            expected=f"the issuer {self.issuer} with S256",
            actual=self.metadata,
            check="ACTIVEPIECES_PUBLIC_URL",
        )

    def register(self) -> bool:
        """Register (RFC 7591); False if the server does not let agents do that."""
        endpoint = self.metadata.get("registration_endpoint")
        if endpoint is None:
            return False
        answer = requests.post(endpoint, json=REGISTRATION, timeout=TIMEOUT)
        self.registration = json_body(answer, 201, check="the registration of agents")
        self.client_id = self.registration["client_id"]
        return True

    def unregister(self) -> None:
        """Delete the registration (RFC 7592 §2.3)."""
        headers = {"Authorization": f"Bearer {self.registration['registration_access_token']}"}
        answer = requests.delete(self.registration["registration_client_uri"], headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()

    def authorization_url(self) -> str:
        """Where the user allows it: with PKCE (RFC 7636) and for this endpoint only (RFC 8707)."""
        challenge = urlsafe_b64encode(sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": self.scope,
            "state": STATE,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": self.url,
        }
        return f"{self.metadata['authorization_endpoint']}?{urlencode(parameters)}"

    def read_callback(self, callback: str) -> None:
        """The code in the address to which the user came back, from the issuer that was asked (RFC 9207)."""
        query = parse_qs(urlsplit(callback).query)
        expect(
            "code" in query and query.get("state") == [STATE] and query.get("iss") == [self.issuer],
            expected=f"a code, the state and the issuer {self.issuer} in the redirect",
            actual=callback,
            check="the consent page",
        )
        self._code = query["code"][0]

    def redeem(self) -> dict[str, Any]:
        """Exchange the code; returns the claims of the access token."""
        self._ask_for_tokens(
            grant_type="authorization_code", code=self._code, redirect_uri=REDIRECT_URI, code_verifier=self._verifier
        )
        payload = self.tokens["access_token"].split(".")[1]
        claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def refresh(self) -> None:
        """Exchange the refresh token."""
        self._ask_for_tokens(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def try_refresh(self) -> requests.Response:
        """The answer to another refresh, which may be refused."""
        return self._post_to_token_endpoint(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

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
        self.tokens = json_body(self._post_to_token_endpoint(**form), 200, check="the token endpoint")

    def _post_to_token_endpoint(self, **form: str) -> requests.Response:
        form |= {"client_id": self.client_id, "resource": self.url}
        return requests.post(self.metadata["token_endpoint"], data=form, timeout=TIMEOUT)


def _get(url: str) -> dict[str, Any]:
    return json_body(requests.get(url, timeout=TIMEOUT), 200, check=f"the metadata at {url}")
