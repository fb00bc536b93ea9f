"""Recorded responses of real Activepieces servers, and their requests to a token endpoint."""

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
    """A request to a server on loopback and its response, without secrets; JSON bodies are decoded."""

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
        """The media type of the response, without parameters; empty if there was no body."""
        return self.headers.get("content-type", "").partition(";")[0]


@cache
def recordings() -> list[Recording]:
    """All recordings, in the order in which they were made."""
    text = gzip.decompress((DATA / "recordings.json.gz").read_bytes())
    return [_recording(entry) for entry in json.loads(text)]


def recording(name: str) -> Recording:
    """The first recording with this name."""
    return next(entry for entry in recordings() if entry.name == name)


@cache
def token_requests() -> list[dict[str, Any]]:
    """Cases with Activepieces as OAuth client: the requests that it sent, the stored values, the API responses."""
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
