"""What the agents on the SDKs for Python share: the lines, and what they remember."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from pydantic import AnyUrl


def write(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


async def read() -> dict[str, Any]:
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        raise EOFError
    message: dict[str, Any] = json.loads(line)
    return message


class Memory:
    """What an app on the user's machine remembers."""

    def __init__(self, client: dict[str, Any] | None) -> None:
        self.client = OAuthClientInformationFull(**client) if client else None
        self.tokens: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client: Any) -> None:
        self.client = client


async def open_page(url: str) -> None:
    write({"open": url})


def metadata_of(config: dict[str, Any]) -> OAuthClientMetadata:
    return OAuthClientMetadata(
        client_name="Agent of the tests",
        redirect_uris=[AnyUrl(config["redirectUri"])],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
