"""Errors of the JSON API: problem details (RFC 9457), never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal
from urllib.parse import urlsplit

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ...errors import (
    ActivepiecesError,
    AuthorizationDeclined,
    ConnectionInUse,
    IntegrationDisabled,
    InvalidInput,
    NotFound,
    SetupError,
    SignatureError,
    Unavailable,
)
from ...host.interface import Permission, Principal
from ...oauth.authorization.request import NoRedirect, Refused
from ...state import State, get_state
from ...storage.database_errors import translate_error
from ..csrf import check_host_csrf
from ..setup_reports import DESCRIPTION, report

JsonView = Callable[..., ResponseReturnValue]

#: What happened, for programs; docs/errors.md explains each.
ProblemCode = Literal[
    "bad_request",
    "request_entity_too_large",
    "unsupported_media_type",
    "http_error",
    "not_signed_in",
    "not_allowed",
    "cross_site_call",
    "invalid_input",
    "not_found",
    "out_of_date",
    "invalid_authorization_request",
    "refused",
    "declined",
    "disabled",
    "in_use",
    "not_available",
    "server_error",
    "activepieces_cannot_be_reached",
    "activepieces_failed",
    "activepieces_took_too_long",
    "not_activepieces",
    "not_offered_by_this_activepieces",
    "credential_refused",
    "no_worker",
    "too_many_calls",
    "not_allowed_by_activepieces",
    "not_in_the_plan",
    "not_in_this_edition",
    "not_possible_with_this_credential",
    "not_possible",
    "not_found_in_activepieces",
    "value_refused",
    "code_refused",
    "refused_by_activepieces",
]

MAX_BODY_BYTES = 256 * 1024
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_HTTP_CODES: dict[int, ProblemCode] = {
    400: "bad_request",
    413: "request_entity_too_large",
    415: "unsupported_media_type",
}


class Problem(ActivepiecesError):
    """Raised to answer a call of the JSON API with a status, a code and a text; ``members`` join the body."""

    def __init__(
        self, status: int, code: ProblemCode, title: str, detail: str, **members: Any
    ) -> None:
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.members = members
        super().__init__(detail)


def json_view(view: JsonView) -> JsonView:
    """Decorate a view of the JSON API: cross-site calls are rejected, and errors become problem details."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        try:
            request.max_content_length = MAX_BODY_BYTES
            _reject_cross_site_call(get_state())
            response = make_response(view(*args, **kwargs))
        except Exception as error:
            problem = _problem_from(error)
            if problem is None:
                raise
            response = _problem_response(problem)
        # Responses are about one signed-in person, and some contain a secret.
        response.headers["Cache-Control"] = "no-store"
        return response

    return wrapper


def json_body() -> dict[str, Any]:
    """The JSON object in the request's body."""
    try:
        body = request.get_json()
    except RecursionError:
        raise Problem(400, "bad_request", "Bad Request", "The JSON is nested too deeply.") from None
    if not isinstance(body, dict):
        raise InvalidInput({"body": "Must be a JSON object."})
    return body


def require_permission(state: State, permission: Permission) -> Principal:
    """The signed-in principal with this permission; `Problem` 401 or 403 for anyone else."""
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(401, "not_signed_in", "Not signed in", "Sign in first.")
    if not state.host.allows(principal, permission):
        detail = f"This requires the permission {permission!r} in your workspace."
        raise Problem(403, "not_allowed", "Not allowed", detail)
    return principal


def _reject_cross_site_call(state: State) -> None:
    # A browser says where a request comes from, and a script cannot forge it (Fetch Metadata; RFC 6454 §7). Other
    # programs send neither header, and have no cookies that another site could use; a host that does not rely on
    # that has its own protection.
    if request.method in _SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        check_host_csrf()
    elif site not in (None, "same-origin", "none") or (
        site is None and origin is not None and origin not in _app_origins(state)
    ):
        detail = "This call must come from a page of this app."
        raise Problem(403, "cross_site_call", "Cross-site call", detail)


def _app_origins(state: State) -> set[str]:
    # RFC 6454 §4: the scheme counts. Someone who can write into plain http is not the app that https serves.
    requested = _origin(request.host_url)
    if state.settings.public_url is None:
        return {requested}
    public = _origin(state.settings.public_url)
    # Behind a proxy the app may have another host name, while browsers know the public one.
    same_host = urlsplit(requested).netloc == urlsplit(public).netloc
    return {public} if same_host else {public, requested}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _problem_from(error: Exception) -> Problem | None:
    match translate_error(error) if isinstance(error, SQLAlchemyError) else error:
        case Problem() as problem:
            return problem
        case InvalidInput(fields=fields) as invalid:
            return Problem(422, "invalid_input", "Invalid input", str(invalid), fields=fields)
        case NotFound() as missing:
            return Problem(404, "not_found", "Not found", str(missing))
        case SignatureError() as stale:
            detail = f"Nothing was changed: {stale}. Start again."
            return Problem(400, "out_of_date", "Out of date", detail)
        case NoRedirect(message=message, remedy=remedy):
            detail = f"{message} {remedy}"
            return Problem(400, "invalid_authorization_request", "Invalid request", detail)
        case Refused(error=oauth_error):
            return Problem(403, "refused", "Refused", str(oauth_error.description))
        case IntegrationDisabled() as disabled:
            return Problem(409, "disabled", "Disabled", str(disabled))
        case ConnectionInUse(flow_ids=flow_ids) as used:
            return Problem(409, "in_use", "In use", str(used), flowIds=list(flow_ids))
        case AuthorizationDeclined() as declined:
            return Problem(403, "declined", "Declined", str(declined))
        case Unavailable(retry_after=seconds) as unavailable:
            return Problem(
                503, "not_available", "Not available", str(unavailable), retry_after=seconds
            )
        case SetupError() as setup_error:
            reference = report(setup_error)
            detail = DESCRIPTION.format(reference)
            return Problem(500, "server_error", "Server error", detail, reference=reference)
        case HTTPException(code=int(status), name=name, description=detail) if status >= 400:
            return Problem(status, _HTTP_CODES.get(status, "http_error"), name, detail or name)
    return None


def _problem_response(problem: Problem) -> Response:
    body = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.members,
    }
    response = Response(json.dumps(body), problem.status, content_type="application/problem+json")
    if "retry_after" in problem.members:
        response.headers["Retry-After"] = str(problem.members["retry_after"])
    return response
