"""The logo of the piece: a file of the app becomes a data URL, so that every Activepieces server can show it."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from urllib.parse import quote

from ...pieces.declarations import Piece

_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
#: It is a part of each list of pieces that Activepieces loads.
LARGEST = 100_000


class LogoProblem(ValueError):
    """The logo cannot be shown; the message says what to do."""


def logo_url(piece: Piece, root: Path) -> str:
    """The logo as an https or data URL; a path is one below ``root``."""
    if not piece.logo:
        return _letter(piece.title)
    if piece.logo.startswith(("https://", "data:image/")):
        return piece.logo
    file = (root / piece.logo).resolve()
    if "://" in piece.logo or not file.is_relative_to(root.resolve()):
        raise LogoProblem(f"logo {piece.logo!r}: use a path below the app's root, an https URL or a data:image URL")
    media_type = _TYPES.get(file.suffix.lower())
    if media_type is None:
        raise LogoProblem(f"logo {piece.logo!r}: use a file with one of the endings {', '.join(_TYPES)}")
    if not file.is_file():
        raise LogoProblem(f"logo {piece.logo!r}: there is no such file in {root}")
    if file.stat().st_size > LARGEST:
        raise LogoProblem(
            f"logo {piece.logo!r}: is larger than {LARGEST // 1000} KB; use a smaller file or an https URL"
        )
    return f"data:{media_type};base64,{b64encode(file.read_bytes()).decode()}"


def _letter(title: str) -> str:
    """The first letter in a circle."""
    letter = escape(title.strip()[:1].upper())
    image = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="32" fill="#475569"/>'
        '<text x="32" y="43" font-family="sans-serif" font-size="32" fill="#fff" text-anchor="middle">'
        f"{letter}</text></svg>"
    )
    return f"data:image/svg+xml,{quote(image)}"
