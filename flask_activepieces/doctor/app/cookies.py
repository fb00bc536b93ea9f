"""The app's session cookie: without it, users who come from Activepieces are signed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ...config.settings import Settings
from ...config.urls import is_loopback
from ..findings import Findings, Kind

SECURE = Kind(
    "cookie-secure",
    "warning",
    "Browsers also send this cookie over plain http, where others can read it and take over the session.",
)
STRICT = Kind(
    "cookie-samesite-strict",
    "error",
    "Users who come from Activepieces appear signed out, and a sign-in at a third party cannot be completed.",
)
SAME_SITE = Kind(
    "cookie-samesite",
    "warning",
    "It depends on the browser whether other sites can make requests with the user's session.",
)
SCOPE = Kind(
    "cookie-scope",
    "error",
    "Browsers do not send the session cookie to the consent page, so users sign in without end.",
)


def check_cookies(settings: Settings, config: Mapping[str, Any]) -> Findings:
    """Only for an app that others reach: on this machine, browsers are lenient, and so are we."""
    public = urlsplit(settings.public_url or "")
    host = public.hostname or ""
    if str(config["SESSION_COOKIE_SAMESITE"]).lower() == "strict":
        yield STRICT.found("SESSION_COOKIE_SAMESITE is Strict.", 'Set SESSION_COOKIE_SAMESITE to "Lax".')
    yield from _check_scope(settings, config, host, public.path)
    if not host or is_loopback(host):
        return
    if str(config["SESSION_COOKIE_SAMESITE"]).lower() == "none":
        yield SAME_SITE.found("SESSION_COOKIE_SAMESITE is None.", 'Set SESSION_COOKIE_SAMESITE to "Lax".')
    for name in _insecure(config):
        yield SECURE.found(f"{name} is not set, and the app is at {settings.public_url}.", f"Set {name} to True.")


def _insecure(config: Mapping[str, Any]) -> list[str]:
    # Flask-Login reads the second one if the app remembers users.
    names = ["SESSION_COOKIE_SECURE"]
    if any(name.startswith("REMEMBER_COOKIE_") for name in config):
        names.append("REMEMBER_COOKIE_SECURE")
    return [name for name in names if not config.get(name)]


def _check_scope(settings: Settings, config: Mapping[str, Any], host: str, mount: str) -> Findings:
    path = config["SESSION_COOKIE_PATH"]
    consent = f"{mount}{settings.oauth_prefix}/"
    # RFC 6265 §5.1.4: a cookie goes to its path and what is below.
    if path and not consent.startswith(path.rstrip("/") + "/"):
        yield SCOPE.found(
            f"SESSION_COOKIE_PATH is {path}, and the consent page is below {consent}.",
            f"Remove SESSION_COOKIE_PATH, or set it to {mount or '/'}.",
        )
    domain = (config["SESSION_COOKIE_DOMAIN"] or "").lstrip(".").lower()
    # RFC 6265 §5.1.3: the domain, and the names below it.
    if domain and host and host != domain and not host.endswith(f".{domain}"):
        yield SCOPE.found(
            f"SESSION_COOKIE_DOMAIN is {domain}, and the app is at {settings.public_url}.",
            "Remove SESSION_COOKIE_DOMAIN.",
        )
