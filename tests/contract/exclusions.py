"""Which recordings the stand-in is held to, and which are left out and why. docs/recordings.md is made of this."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.support.recordings import Recording

#: A pattern that a recording's name or path has -> why the stand-in does not answer it.
LEFT_OUT: Mapping[str, str] = {
    r"^mcp: (initialize|tools/|malformed JSON|batch|platform token on /mcp/platform)": "The MCP protocol itself: this"
    " package manages MCP servers and does not speak to them.",
    r"^/(register|authorize|token)(\?|$)": "Activepieces as an OAuth server for MCP clients.",
    r"^/api/v1/mcp-oauth/": "Activepieces as an OAuth server for MCP clients.",
    r"^/\.well-known/oauth-": "What Activepieces publishes for MCP clients.",
    r"^register omitted$": "Activepieces as an OAuth server for MCP clients.",
    r"/v1/tables": "Tables, which nothing here uses.",
    r"installed piece, refused$": "It runs JavaScript of an uploaded piece, which the stand-in does not.",
}


def reason_to_leave_out(recording: Recording) -> str | None:
    """Why the stand-in is not held to a recording; None: it is."""
    for pattern, reason in LEFT_OUT.items():
        if re.search(pattern, recording.name) or re.search(pattern, recording.path):
            return reason
    return None
