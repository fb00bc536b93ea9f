"""An answer as it came over the wire, before anyone knows what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApiResponse:
    """Status, headers (their names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def content_type(self) -> str:
        """The media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON."""
        kind = self.content_type
        return kind == "application/json" or kind.endswith("+json")

    @property
    def is_html(self) -> bool:
        """Whether it says that it is a web page."""
        return self.content_type in {"text/html", "application/xhtml+xml"}
