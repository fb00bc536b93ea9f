"""How a page of ours goes out: strict headers, and forms that only this browser and this user can send."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from ...crypto.keyring import context_of, looks_like_id
from ...errors import (
    InvalidInput,
    Locked,
    NotFound,
    SetupError,
    SignatureError,
    SignatureExpired,
    Unavailable,
)
from ...host.interface import Permission, Principal
from ...messages import Message
from ...oauth.authorization.request import NoRedirect
from ...state import State
from ...storage.database_errors import translate_error
from ..i18n import gettext, when
from ..setup_reports import report

#: Names the browser that began a request, whatever the host does to its own session at login.
BROWSER_COOKIE = "activepieces_browser"
_PAGE_PURPOSE = "page"
#: Far more than any form of ours sends.
MOST_BYTES = 64 * 1024

_BARE_PAGE = Markup("<!doctype html><title>{}</title><h1>{}</h1><p>{}</p>")

log = logging.getLogger(__name__)

Page = Callable[..., ResponseReturnValue]


def page(view: Page) -> Page:
    """A view for people: whatever goes wrong is told on a page, in words, with what to do."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        request.max_content_length = MOST_BYTES
        try:
            return view(*args, **kwargs)
        except Exception as error:
            told = _page_about(error)
            if told is None:
                raise
            return told

    return guarded


def _page_about(error: Exception) -> Response | None:
    # The host's own queries, for the signed-in user say, fail with SQLAlchemy's errors.
    match translate_error(error) if isinstance(error, SQLAlchemyError) else error:
        case NoRedirect(message=message, remedy=remedy):
            return error_page(400, Message("This request cannot go on"), message, remedy)
        case SignatureExpired():
            return _out_of_date(Message("Nothing was changed: it has expired."))
        case SignatureError():
            return _out_of_date(
                Message(
                    "Nothing was changed: it was opened by another user, or in another browser."
                )
            )
        case InvalidInput(fields=fields):
            words = " ".join(gettext(problem) for problem in fields.values())
            return error_page(422, Message("That cannot be done"), words)
        case NotFound():
            nothing = Message("There is nothing here for you.")
            return error_page(404, Message("Not found"), nothing)
        case Locked(what=what) as busy:
            return _just_a_moment(busy, Message("Another request is at this %(what)s.", what=what))
        case Unavailable(what=what) as away:
            return _just_a_moment(
                away, Message("The %(what)s is currently unavailable.", what=what)
            )
        case SetupError() as incomplete:
            return _server_error(incomplete)
    return None


def _server_error(error: SetupError) -> Response:
    # What is missing is for the developer, who finds it in the log.
    reference = report(error, request=f"{request.method} {request.path}")
    return error_page(
        500,
        Message("This does not work right now"),
        Message(
            "The problem is on our side. It was logged with the reference %(reference)s.",
            reference=reference,
        ),
        Message("Try again later. If it happens again, send this reference to support."),
        way_back=f"{request.script_root}/",
    )


def _just_a_moment(away: Unavailable, why: Message) -> Response:
    again = Message("Nothing is lost: try again soon.")
    response = error_page(503, Message("Just a moment"), why, again)
    response.headers["Retry-After"] = str(away.retry_after)
    return response


def _out_of_date(why: Message) -> Response:
    return error_page(400, Message("This page is out of date"), why, Message("Start again."))


def render(
    template: str, *, status: int = 200, leads_elsewhere: bool = False, **context: Any
) -> Response:
    """The page with headers that let nobody frame it, script it or post it elsewhere.

    ``leads_elsewhere``: the form's answer is a redirect to a client. Browsers hold every further redirect to
    ``form-action`` too, and where a client sends its user next is not for us to know.
    """
    # Not "_": in a frame of the host's own, that is the host's catalogue.
    told = render_template(f"flask_activepieces/{template}", ap_text=gettext, when=when, **context)
    response = make_response(told, status)
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            *(() if leads_elsewhere else ("form-action 'self'",)),
            "base-uri 'none'",
            # RFC 9700 §4.16: no clickjacking on a consent page.
            "frame-ancestors 'none'",
        )
    )
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": the host's CSRF protection may compare the Referer of our own forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def error_page(
    status: int,
    title: str,
    message: str,
    remedy: str | None = None,
    *,
    way_back: str | None = None,
) -> Response:
    """A page that says what happened, what to do about it, and perhaps where to go on."""
    try:
        return render(
            "error.html",
            status=status,
            title=gettext(title),
            message=gettext(message),
            remedy=None if remedy is None else gettext(remedy),
            way_back=way_back,
        )
    except Exception:
        # The host's templates and context processors may need the very thing that is away.
        log.exception("The error page could not be rendered; a bare one is shown")
        plain = " ".join(filter(None, (message, remedy)))
        return Response(
            _BARE_PAGE.format(title, title, plain), status, {"Cache-Control": "no-store"}
        )


def signed_in(
    state: State, permission: Permission | None = None, *, home: str
) -> Principal | Response:
    """The principal; a stranger is sent to the login page and comes back, others are told that they may not."""
    principal = state.host.current_principal()
    if principal is None:
        return to_login(state, _way_back(home))
    if permission is not None and not state.host.allows(principal, permission):
        return error_page(
            403,
            Message("Not allowed"),
            Message("Your account may not see this page."),
            Message("Ask an admin of your workspace."),
        )
    return principal


def _way_back(home: str) -> str:
    # A button's own address takes POST only: whoever pressed it comes back to the page that has it.
    return this_page() if request.method == "GET" else url_for(f"activepieces.{home}")


def this_page() -> str:
    """The path that is asked for, with its query."""
    return request.script_root + request.full_path.rstrip("?")


def is_visit() -> bool:
    """Whether a person looks at the answer: browsers say so of links and forms, and programs do not."""
    told = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return told or "text/html" in request.accept_mimetypes.values()


def to_login(state: State, next_path: str) -> Response:
    """To the host's login page, and from there back to this path."""
    response = make_response(redirect(state.host.login_url(next_path)))
    response.headers["Cache-Control"] = "no-store"
    return response


def browser_of_request() -> str | None:
    """The random name that this browser was given, if it was."""
    name = request.cookies.get(BROWSER_COOKIE, "")
    return name if looks_like_id(name) else None


def name_browser(state: State, response: Response, name: str) -> Response:
    """Give the browser its name: unreadable for scripts, not sent along from other sites."""
    response.set_cookie(
        BROWSER_COOKIE,
        name,
        path=request.script_root + state.settings.oauth_prefix,
        secure=state.issuer().startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return response


def new_browser_name() -> str:
    """128 random bits."""
    return secrets.token_urlsafe(16)


def page_token(state: State, principal: Principal, browser: str) -> str:
    """What every form of ours sends back, besides the host's own CSRF token if it has one."""
    context = context_of(principal.tenant_id, principal.user_id)
    return state.settings.secret_keys.sign(_PAGE_PURPOSE, browser.encode(), context=context)


def check_page_token(state: State, principal: Principal, *, browser: str | None = None) -> None:
    """`SignatureError` unless the form came from a page that this user saw in this tenant and this browser.

    ``browser`` is what names the browser where our cookie does not reach.
    """
    state.settings.secret_keys.verify(
        _PAGE_PURPOSE,
        (browser or browser_of_request() or "").encode(),
        request.form.get("page_token", ""),
        context=context_of(principal.tenant_id, principal.user_id),
    )


def render_with_forms(
    state: State, principal: Principal, template: str, **context: Any
) -> Response:
    """A page with forms: it carries their token, and the browser gets its name."""
    browser = browser_of_request() or new_browser_name()
    context["page_token"] = page_token(state, principal, browser)
    response = render(template, principal=principal, **context)
    # Not on the consent page: it opens in a popup of Activepieces, whose redirect page must reach its opener, and a
    # browser that cuts the two apart does so for good.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return name_browser(state, response, browser)
