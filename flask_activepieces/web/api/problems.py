"""Errors of the JSON API: problem details (RFC 9457), never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum, unique
from functools import wraps
from typing import Any
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
from ...oauth.authorization.request import AuthorizationErrorResponse, UnverifiedClientError
from ...state import State, get_state
from ...storage.dialects import translate_error
from ..csrf import check_host_csrf
from ..setup_reports import DESCRIPTION, report

JsonView = Callable[..., ResponseReturnValue]


@unique
class ProblemType(Enum):
    """What can happen: status and title. Its name in lower case is the code for programs; see docs/errors.md."""

    BAD_REQUEST = 400, "Bad Request"
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large"
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type"
    HTTP_ERROR = 500, "HTTP error"
    NOT_SIGNED_IN = 401, "Not signed in"
    NOT_ALLOWED = 403, "Not allowed"
    CROSS_SITE_CALL = 403, "Cross-site call"
    INVALID_INPUT = 422, "Invalid input"
    NOT_FOUND = 404, "Not found"
    OUT_OF_DATE = 400, "Out of date"
    INVALID_AUTHORIZATION_REQUEST = 400, "Invalid request"
    REFUSED = 403, "Refused"
    DECLINED = 403, "Declined"
    DISABLED = 409, "Disabled"
    IN_USE = 409, "In use"
    NOT_AVAILABLE = 503, "Not available"
    SERVER_ERROR = 500, "Server error"
    ACTIVEPIECES_CANNOT_BE_REACHED = 502, "Activepieces cannot be reached"
    NOT_ACTIVEPIECES = 502, "Not Activepieces"
    NOT_OFFERED_BY_THIS_ACTIVEPIECES = 502, "Not offered by this Activepieces"
    CREDENTIAL_REFUSED = 502, "Credential refused"
    ACTIVEPIECES_FAILED = 502, "Activepieces failed"
    ACTIVEPIECES_TOOK_TOO_LONG = 504, "Activepieces took too long"
    NO_WORKER = 503, "No worker"
    TOO_MANY_CALLS = 503, "Too many calls"
    NOT_ALLOWED_BY_ACTIVEPIECES = 409, "Not allowed by Activepieces"
    NOT_IN_THE_PLAN = 409, "Not in the plan"
    NOT_IN_THIS_EDITION = 409, "Not in this edition"
    NOT_POSSIBLE_WITH_THIS_CREDENTIAL = 409, "Not possible with this credential"
    NOT_POSSIBLE = 409, "Not possible"
    NOT_FOUND_IN_ACTIVEPIECES = 404, "Not found in Activepieces"
    VALUE_REFUSED = 422, "Value refused"
    CODE_REFUSED = 422, "Code refused"
    REFUSED_BY_ACTIVEPIECES = 422, "Refused by Activepieces"

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title

    @property
    def code(self) -> str:
        """The code for programs."""
        return self.name.lower()


MAX_BODY_BYTES = 256 * 1024
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_HTTP_ERRORS = {
    400: ProblemType.BAD_REQUEST,
    413: ProblemType.REQUEST_ENTITY_TOO_LARGE,
    415: ProblemType.UNSUPPORTED_MEDIA_TYPE,
}


class Problem(ActivepiecesError):
    """Raised to answer a call of the JSON API with an error; ``members`` are added to the body."""

    def __init__(self, kind: ProblemType, detail: str, *, status: int | None = None, **members: Any) -> None:
        self.status = status or kind.status
        self.title = kind.title
        self.code = kind.code
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
        raise Problem(ProblemType.BAD_REQUEST, "The JSON is nested too deeply.") from None
    if not isinstance(body, dict):
        raise InvalidInput({"body": "Must be a JSON object."})
    return body


def require_permission(state: State, permission: Permission) -> Principal:
    """The signed-in principal with this permission; `Problem` 401 or 403 for anyone else."""
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(ProblemType.NOT_SIGNED_IN, "Sign in first.")
    if not state.host.allows(principal, permission):
        detail = f"This requires the permission {permission!r} in your workspace."
        raise Problem(ProblemType.NOT_ALLOWED, detail)
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
        raise Problem(ProblemType.CROSS_SITE_CALL, "This call must come from a page of this app.")


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
            return Problem(ProblemType.INVALID_INPUT, str(invalid), fields=fields)
        case NotFound() as missing:
            return Problem(ProblemType.NOT_FOUND, str(missing))
        case SignatureError() as stale:
            return Problem(ProblemType.OUT_OF_DATE, f"Nothing was changed: {stale}. Start again.")
        case UnverifiedClientError(message=message, remedy=remedy):
            return Problem(ProblemType.INVALID_AUTHORIZATION_REQUEST, f"{message} {remedy}")
        case AuthorizationErrorResponse(error=oauth_error):
            return Problem(ProblemType.REFUSED, str(oauth_error.description))
        case IntegrationDisabled() as disabled:
            return Problem(ProblemType.DISABLED, str(disabled))
        case ConnectionInUse(flow_ids=flow_ids) as used:
            return Problem(ProblemType.IN_USE, str(used), flowIds=list(flow_ids))
        case AuthorizationDeclined() as declined:
            return Problem(ProblemType.DECLINED, str(declined))
        case Unavailable(retry_after=seconds) as unavailable:
            return Problem(ProblemType.NOT_AVAILABLE, str(unavailable), retry_after=seconds)
        case SetupError() as setup_error:
            reference = report(setup_error)
            detail = DESCRIPTION.format(reference)
            return Problem(ProblemType.SERVER_ERROR, detail, reference=reference)
        case HTTPException(code=int(status), name=name, description=detail) if status >= 400:
            kind = _HTTP_ERRORS.get(status, ProblemType.HTTP_ERROR)
            return Problem(kind, detail or name, status=status)
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
