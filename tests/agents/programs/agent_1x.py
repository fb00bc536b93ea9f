"""An agent on an older SDK for Python, which speaks the same lines as ``agent.mjs``. It has its own environment."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from agent_lines import Memory, metadata_of, open_page, read, write
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamablehttp_client


async def wait_for_callback() -> tuple[str, str | None]:
    query = httpx.URL((await read())["callback"]).params
    return query["code"], query.get("state")


async def use(config: dict[str, Any], provider: OAuthClientProvider, memory: Memory) -> dict[str, Any]:
    async with (
        streamablehttp_client(config["url"], auth=provider) as (received, sent, _),
        ClientSession(received, sent) as session,
    ):
        await session.initialize()
        tools = await session.list_tools()
        result = await session.call_tool(config["tool"], config["arguments"])
        resources = await session.list_resources()
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
