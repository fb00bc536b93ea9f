"""Rendering pages: strict headers, error pages, and forms that only this user in this browser can send."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

from flask import Response, make_response, redirect, render_template, request
from markupsafe import Markup

from ...crypto.keyring import context_of, looks_like_id
from ...host.interface import Principal
from ...state import State, get_state
from .brand import current_brand, image_source
from .errors import ErrorText
from .i18n import format_number, format_time, gettext, language, ngettext, page_text

#: Identifies the browser that started a request, whatever the host does to its session at login.
BROWSER_COOKIE = "activepieces_browser"
_PAGE_PURPOSE = "page"
_BARE_PAGE = Markup("<!doctype html><title>{}</title><h1>{}</h1><p>{}</p>")

log = logging.getLogger(__name__)


class PageFrame(Protocol):
    """A frame that shows another site, and the origins for it: `EmbeddedBuilder` is one."""

    @property
    def script_origin(self) -> str:
        """Of the script that makes the frame."""
        ...

    @property
    def frame_origin(self) -> str:
        """Of the site."""
        ...


def render(
    template: str,
    *,
    status: int = 200,
    allow_external_form_target: bool = False,
    allow_scripts: bool = False,
    frame: PageFrame | None = None,
    image_urls: Iterable[str | None] = (),
    **context: Any,
) -> Response:
    """The page, with headers that forbid framing, foreign scripts and foreign form targets.

    ``allow_external_form_target``: the form redirects to a client. Browsers apply ``form-action`` to every further
    redirect, and we cannot know where a client sends its user next. ``allow_scripts`` allows those of this app.
    ``frame`` is what the page may show of another site.
    ``image_urls`` are the pictures of the page that other servers have.
    """
    # Not "_": in the host's own base template, that is the host's catalog.
    brand = current_brand()
    helpers = {
        "ap_brand": brand,
        "ap_text": page_text,
        "ap_count": ngettext,
        "format_number": format_number,
        "format_time": partial(format_time, now=get_state().now()),
        "language": language(),
    }
    html = render_template(f"flask_activepieces/{template}", **helpers, **context)
    response = make_response(html, status)
    form_action = "" if allow_external_form_target else "form-action 'self'; "
    script = "script-src 'self'; " if allow_scripts else ""
    if frame is not None:
        script = f"script-src 'self' {frame.script_origin}; frame-src {frame.frame_origin}; "
    # RFC 9700 §4.16: frame-ancestors prevents clickjacking on a consent page.
    sources = dict.fromkeys(image_source(url) for url in (brand.logo_url, *image_urls))
    images = " ".join(filter(None, ("'self'", "data:", *sources)))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; {script}style-src 'self'; img-src {images}; {form_action}"
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": the host's CSRF protection may compare the Referer of our forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def render_with_forms(
    state: State, principal: Principal, template: str, *, prefix: str | None = None, **context: Any
) -> Response:
    """A page with forms, which contain the page token.

    ``prefix`` is the path of the page's area, by default that of the OAuth pages.
    """
    browser = browser_id()
    context["page_token"] = page_token(state, principal, browser)
    response = render(template, principal=principal, **context)
    # Not on the consent page: in a popup of Activepieces, its redirect page must reach the window that opened it, and
    # a browser never restores that link.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return set_browser_cookie(state, response, browser, prefix=prefix)


def error_page(text: ErrorText, *, template: str = "error.html", **context: Any) -> Response:
    """The error as a page."""
    message = gettext(text.message)
    remedy = None if text.remedy is None else gettext(text.remedy)
    try:
        response = render(
            template,
            status=text.status,
            title=gettext(text.title),
            message=message,
            remedy=remedy,
            return_url=current_brand().home_url if text.leads_home else None,
            **context,
        )
    except Exception:
        # The host's templates and context processors may need the database that is unavailable.
        log.exception("The error page could not be rendered; a bare one is shown")
        body = " ".join(filter(None, (text.message, text.remedy)))
        html = _BARE_PAGE.format(text.title, text.title, body)
        response = Response(html, text.status, {"Cache-Control": "no-store"})
    if text.retry_after is not None:
        response.headers["Retry-After"] = str(text.retry_after)
    return response


def see_other(url: str) -> Response:
    """RFC 9700 §4.12: 303, so that no browser posts the consent form to the client."""
    response = Response(status=303)
    # Werkzeug would change a URI with a private scheme.
    response.autocorrect_location_header = False
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def current_path() -> str:
    return request.script_root + request.full_path.rstrip("?")


def is_browser_navigation() -> bool:
    """Whether a person follows a link or sends a form."""
    is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return is_navigation or "text/html" in request.accept_mimetypes.values()


def to_login(state: State, next_path: str) -> Response:
    """A redirect to the host's login page, which returns to this path."""
    response = make_response(redirect(state.host.login_url(next_path)))
    response.headers["Cache-Control"] = "no-store"
    return response


def browser_id() -> str:
    """The random id in this browser's cookie, or a new one of 128 bits."""
    value = request.cookies.get(BROWSER_COOKIE, "")
    return value if looks_like_id(value) else secrets.token_urlsafe(16)


def set_browser_cookie(state: State, response: Response, browser: str, *, prefix: str | None = None) -> Response:
    """The response, which stores the browser's id for the pages under this prefix."""
    path = request.script_root + (state.settings.oauth_prefix if prefix is None else prefix)
    return set_cookie(state, response, BROWSER_COOKIE, browser, path=path)


def set_cookie(
    state: State, response: Response, name: str, value: str, *, path: str, max_age: int | None = None
) -> Response:
    """The response, with a cookie that is hidden from scripts and not sent by other sites."""
    secure = state.issuer().startswith("https:")
    response.set_cookie(name, value, max_age, path=path, secure=secure, httponly=True, samesite="Lax")
    return response


def page_token(state: State, principal: Principal, browser: str) -> str:
    """The CSRF token of our forms; the host's own, if it has one, is added to it."""
    return state.settings.secret_keys.sign(_PAGE_PURPOSE, browser.encode(), context=_page_context(principal))


def check_page_token(state: State, principal: Principal, *, browser: str | None = None) -> None:
    """`SignatureError` unless the form is from a page that this user saw in this workspace and this browser.

    ``browser`` replaces the id in our cookie, for views outside the cookie's path.
    """
    token, browser = request.form.get("page_token", ""), browser or browser_id()
    state.settings.secret_keys.verify(_PAGE_PURPOSE, browser.encode(), token, context=_page_context(principal))


def _page_context(principal: Principal) -> str:
    return context_of(principal.tenant_id, principal.organization_id or "", principal.user_id)
