"""What real Activepieces servers answered, and what they sent to a token endpoint: read from tests/contract/data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "contract" / "data"


@dataclass(frozen=True)
class Recording:
    """One exchange with a server on loopback. Bodies are decoded where they were JSON; secrets are thrown away."""

    name: str
    server: str
    method: str
    path: str
    request_headers: Mapping[str, str]
    request_body: Any
    status: int
    headers: Mapping[str, str]
    body: Any
    milliseconds: int

    @property
    def edition(self) -> str:
        """``ee``, ``ce``, or ``078`` for the 0.78.2 server."""
        return self.server.rpartition("=")[2]

    @property
    def content_type(self) -> str:
        """The media type of the answer, without parameters; empty where there was no body."""
        return self.headers.get("content-type", "").partition(";")[0]


@cache
def recordings() -> list[Recording]:
    """All of them, in the order in which they were made."""
    text = gzip.decompress((DATA / "recordings.json.gz").read_bytes())
    return [_recording(entry) for entry in json.loads(text)]


def recording(name: str) -> Recording:
    """The first recording of that name."""
    return next(entry for entry in recordings() if entry.name == name)


@cache
def token_requests() -> list[dict[str, Any]]:
    """Cases of Activepieces as an OAuth2 client: the requests it sent, what it stored, what its API answered."""
    cases: list[dict[str, Any]] = json.loads((DATA / "token-requests.json").read_text("utf-8"))
    return cases


def _recording(entry: Mapping[str, Any]) -> Recording:
    request, response = entry["request"], entry["response"]
    return Recording(
        name=entry["name"],
        server=entry["server"],
        method=request["method"],
        path=request["path"],
        request_headers=request["headers"],
        request_body=request["body"],
        status=response["status"],
        headers=response["headers"],
        body=response["body"],
        milliseconds=entry["ms"],
    )
