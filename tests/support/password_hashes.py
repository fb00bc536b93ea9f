"""Counts password hashes. Unlike times, their number is the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count_password_hashes(act: Callable[[], Any]) -> int:
    """The number of hashed passwords. Nothing else in the login is slow."""
    slow: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        name = getattr(argument, "__name__", "")
        if event == "c_call" and name in ("scrypt", "pbkdf2_hmac"):
            slow.append(name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return len(slow)
