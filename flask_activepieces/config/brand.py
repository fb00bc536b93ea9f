"""Values of the settings for the look of our pages; ValueError says what is wrong."""

from __future__ import annotations

import re
from typing import Any

from .urls import is_loopback, split_url

_COLOR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def color(value: Any) -> str:
    """A color as six hexadecimal digits."""
    text = str(value).strip().lower()
    if not _COLOR.fullmatch(text):
        raise ValueError("must be a color such as #3550c8")
    return text if len(text) == 7 else "#" + "".join(2 * digit for digit in text[1:])


def page_url(value: Any) -> str:
    """The address of a page or a picture: a path of the app, or a URL."""
    url = str(value).strip()
    parts = split_url(url)
    is_path = url.startswith("/") and not url.startswith("//")
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_path and not (is_secure and parts.hostname and "@" not in parts.netloc):
        raise ValueError("must be a path that starts with a slash, or an https URL")
    return url


def support_address(value: Any) -> str:
    """An e-mail address, which becomes a ``mailto:`` URL, or the address of a page."""
    text = str(value).strip()
    if _EMAIL.fullmatch(text):
        return f"mailto:{text}"
    try:
        return page_url(text)
    except ValueError:
        raise ValueError("must be an e-mail address, a path that starts with a slash, or an https URL") from None
