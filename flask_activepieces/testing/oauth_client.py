"""Activepieces as an OAuth2 client: buys and refreshes tokens over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TokenRequest:
    """One request that the stand-in sent to a token endpoint."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    status: int | None
