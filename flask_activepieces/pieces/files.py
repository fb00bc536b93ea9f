"""Files that actions return."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileResult:
    """A file that an action returns, alone or inside its output. Activepieces stores it for the next steps."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


def encode_files(output: Any) -> Any:
    """The output with each file as ``{"$file": {"name", "contentType", "base64"}}``."""
    if isinstance(output, FileResult):
        encoded = b64encode(output.content).decode()
        return {"$file": {"name": output.name, "contentType": output.content_type, "base64": encoded}}
    if isinstance(output, Mapping):
        return {name: encode_files(value) for name, value in output.items()}
    if isinstance(output, list | tuple):
        return [encode_files(value) for value in output]
    return output
