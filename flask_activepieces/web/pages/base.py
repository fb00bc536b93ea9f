"""The decorators of our pages: errors become pages, and users have to sign in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...host.interface import Permission
from ...state import get_state
from ..routes import View
from .errors import NOT_ALLOWED, error_text
from .rendering import check_page_token, current_path, error_page, to_login

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
            text = error_text(error)
            if text is None:
                raise
            return error_page(text)

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
                return error_page(NOT_ALLOWED)
            if is_form:
                check_page_token(state, principal)
            return view(state, principal, **path)

        return wrapper

    return decorate
