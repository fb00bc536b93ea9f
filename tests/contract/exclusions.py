"""The recordings that the stand-in need not reproduce, with the reasons, which docs/recordings.md lists."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.support.recordings import Recording

#: Pattern of a recording's name or path -> the reason why the stand-in does not reproduce it.
EXCLUDED: Mapping[str, str] = {
    r"^mcp: (initialize|tools/|malformed JSON|batch|platform token on /mcp/platform)": "The MCP protocol itself: this"
    " package manages MCP servers, but is not an MCP client.",
    r"^/(register|authorize|token)(\?|$)": "Activepieces as an OAuth server for MCP clients.",
    r"^/api/v1/mcp-oauth/": "Activepieces as an OAuth server for MCP clients.",
    r"^/\.well-known/oauth-": "Metadata that Activepieces publishes for MCP clients.",
    r"^register omitted$": "Activepieces as an OAuth server for MCP clients.",
    r"/v1/tables": "Tables, which this package does not use.",
}


def exclusion_reason(recording: Recording) -> str | None:
    """The reason why the stand-in need not reproduce a recording; None if it must."""
    for pattern, reason in EXCLUDED.items():
        if re.search(pattern, recording.name) or re.search(pattern, recording.path):
            return reason
    return None
