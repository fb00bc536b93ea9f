"""The app on our pages: its name, logo, home and support address, and its colors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, current_app, request

from ...config.settings import Settings
from ...state import get_state
from .palette import DARK, LIGHT, palette

STYLE_SHEET = "activepieces.css"
_STATIC = Path(__file__).parents[2] / "static"


@dataclass(frozen=True, kw_only=True)
class Brand:
    """What a page shows about the app."""

    name: str | None
    logo_url: str | None
    home_url: str
    #: None: the app has no address for questions.
    support_url: str | None

    @property
    def support_label(self) -> str:
        """The support address as it is shown to users."""
        return (self.support_url or "").removeprefix("mailto:").removeprefix("https://")


def current_brand() -> Brand:
    """The brand of the current app."""
    settings = get_state().settings
    return Brand(
        name=settings.app_name,
        logo_url=settings.app_logo and _in_app(settings.app_logo),
        home_url=_in_app(settings.app_url),
        support_url=settings.support and _in_app(settings.support),
    )


def image_source(url: str | None) -> str:
    """The origin of a picture for the content security policy; empty if it is our own."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def has_colors(settings: Settings) -> bool:
    """Whether the style sheet of this app differs from ours."""
    return bool(settings.accent or settings.accent_dark) or settings.color_scheme != "system"


def style_sheet() -> Response:
    """Our style sheet followed by the app's colors: one file, which a strict content security policy allows."""
    ours = (_STATIC / STYLE_SHEET).read_text("utf-8")
    response = Response(f"{ours}\n{brand_rules(get_state().settings)}", mimetype="text/css")
    response.add_etag()
    response.cache_control.max_age = current_app.get_send_file_max_age(STYLE_SHEET)
    response.cache_control.no_cache = None if response.cache_control.max_age else True
    response.make_conditional(request)
    return response


def brand_rules(settings: Settings) -> str:
    """The custom properties for the colors in the settings."""
    rules = [f"color-scheme: {settings.color_scheme};"] if settings.color_scheme != "system" else []
    accent = settings.accent or settings.accent_dark
    if accent is not None:
        light, dark = palette(accent, LIGHT), palette(settings.accent_dark or accent, DARK)
        rules += [f"--ap-{name}: light-dark({light[name]}, {dark[name]});" for name in light]
    return ":root {\n" + "".join(f"  {rule}\n" for rule in rules) + "}\n"


def _in_app(url: str) -> str:
    """The URL. A path gets the mount path of the app as its prefix."""
    return f"{request.script_root}{url}" if url.startswith("/") else url
