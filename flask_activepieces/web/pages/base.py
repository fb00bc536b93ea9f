"""The decorators of our pages: errors become pages, and users have to sign in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from ...errors import InvalidInput, Locked, NotFound, SetupError, SignatureError, SignatureExpired, Unavailable
from ...host.interface import Permission
from ...messages import Message
from ...oauth.authorization.request import UnverifiedClientError
from ...state import get_state
from ...storage.dialects import translate_error
from ..error_responses import report
from ..routes import View
from .rendering import check_page_token, current_path, error_page, gettext, to_login

#: Far more than any of our forms sends.
MAX_FORM_BYTES = 64 * 1024


def page(view: View) -> View:
    """Decorate a view for people: errors become pages."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        request.max_content_length = MAX_FORM_BYTES
        try:
            return view(*args, **kwargs)
        except Exception as error:
            response = _error_response(error)
            if response is None:
                raise
            return response

    return wrapper


def login_required(*, return_to: str, permission: Permission | None = None) -> Callable[[View], View]:
    """Decorate a page for signed-in users: the view receives the state and the principal, and forms are verified.

    A signed-out visitor signs in first. After pressing a button, whose address accepts POST only, they return to the
    endpoint ``return_to``.
    """

    def decorate(view: View) -> View:
        @page
        @wraps(view)
        def wrapper(**path: str) -> ResponseReturnValue:
            state = get_state()
            principal = state.host.current_principal()
            is_form = request.method == "POST"
            if principal is None:
                home = url_for(f"activepieces.{return_to}")
                return to_login(state, home if is_form else current_path())
            if permission is not None and not state.host.allows(principal, permission):
                return error_page(
                    403,
                    Message("Not allowed"),
                    Message("Your account does not have access to this page."),
                    Message("Ask an administrator of your workspace."),
                )
            if is_form:
                check_page_token(state, principal)
            return view(state, principal, **path)

        return wrapper

    return decorate


def _error_response(error: Exception) -> Response | None:
    # The host's own queries, for the signed-in user for example, raise SQLAlchemy's errors.
    match translate_error(error) if isinstance(error, SQLAlchemyError) else error:
        case UnverifiedClientError(message=message, remedy=remedy):
            return error_page(400, Message("Something is wrong with this link"), message, remedy)
        case SignatureError() as invalid:
            message = (
                Message("Nothing was changed: the page has expired.")
                if isinstance(invalid, SignatureExpired)
                else Message("Nothing was changed: the page was opened by another user, or in another browser.")
            )
            return error_page(400, Message("This page is out of date"), message, Message("Start again."))
        case InvalidInput(fields=fields):
            problems = " ".join(map(gettext, fields.values()))
            return error_page(422, Message("Invalid input"), problems)
        case NotFound():
            return error_page(404, Message("Not found"), Message("Page not found."), Message("Check the link."))
        case Unavailable(what=what, retry_after=seconds) as unavailable:
            message = (
                Message("This %(what)s is being changed by another request.", what=what)
                if isinstance(unavailable, Locked)
                else Message("The %(what)s is currently unavailable.", what=what)
            )
            remedy = Message("Nothing is lost. Please try again in a moment.")
            response = error_page(503, Message("Just a moment"), message, remedy)
            response.headers["Retry-After"] = str(seconds)
            return response
        case SetupError() as setup_error:
            return error_page(
                500,
                Message("This does not work right now"),
                Message(
                    "The problem is on our side. It was logged with the reference %(reference)s.",
                    reference=report(setup_error),
                ),
                Message("Try again later. If it happens again, send this reference to support."),
                return_url=f"{request.script_root}/",
            )
    return None
