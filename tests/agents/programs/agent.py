"""An agent on the SDK for Python, which speaks the same lines as ``agent.mjs``. It has its own environment."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from agent_lines import Memory, metadata_of, open_page, read, write
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult


async def wait_for_callback() -> AuthorizationCodeResult:
    query = httpx2.URL((await read())["callback"]).params
    return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


async def use(config: dict[str, Any], provider: OAuthClientProvider, memory: Memory) -> dict[str, Any]:
    async with httpx2.AsyncClient(auth=provider) as http:
        transport = streamable_http_client(config["url"], http_client=http)
        async with Client(transport, mode=config["mode"]) as client:
            tools = await client.list_tools()
            result = await client.call_tool(config["tool"], config["arguments"])
            resources = await client.list_resources()
            return {
                "tools": [tool.name for tool in tools.tools],
                "result": result.model_dump(mode="json", by_alias=True, exclude_none=True),
                "resources": [str(each.uri) for each in resources.resources],
                "token": memory.tokens.access_token,
            }


async def main() -> None:
    config = await read()
    memory = Memory(config["client"])
    provider = OAuthClientProvider(
        server_url=config["url"],
        client_metadata=metadata_of(config),
        storage=memory,
        redirect_handler=open_page,
        callback_handler=wait_for_callback,
        client_metadata_url=config["metadataUrl"],
    )
    while True:
        try:
            write(await use(config, provider, memory))
            if (await read()).get("hours"):
                # Time has passed for the test only. This SDK refreshes by its own clock.
                provider.context.token_expiry_time = 1
        except EOFError:
            return


asyncio.run(main())
