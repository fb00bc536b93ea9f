"""Errors of the JSON API: problem details (RFC 9457), never a stack trace.

The status of a failed call of Activepieces says where the fault is: 502, 503 and 504 with Activepieces or the way to
it; 409 with the integration, which must be changed first; 404 and 422 with the call itself.
"""

from __future__ import annotations

import json
from enum import Enum, unique
from math import ceil
from typing import Any

from flask import Response
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ...api_client import errors as api_errors
from ...errors import (
    ActivepiecesError,
    AuthorizationDeclined,
    ClientNotAllowed,
    ConnectionInUse,
    IntegrationDisabled,
    InvalidInput,
    NotFound,
    SetupError,
    SignatureError,
    Unavailable,
)
from ...oauth.authorization.request import AuthorizationErrorResponse, UnverifiedClientError
from ...pieces.idempotency import CallInProgress
from ...storage.dialects import translate_error
from ..error_responses import DESCRIPTION, report

#: Seconds to wait when Activepieces is busy and does not say how long.
DEFAULT_RETRY_AFTER = 30


@unique
class ProblemType(Enum):
    """What can happen: status, title, and the error that means it; the first type that fits an error wins.

    The name in lower case is the code for programs; see docs/errors.md.
    """

    BAD_REQUEST = 400, "Bad Request"
    REQUEST_ENTITY_TOO_LARGE = 413, "Request Entity Too Large"
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type"
    HTTP_ERROR = 500, "HTTP error"
    NOT_SIGNED_IN = 401, "Not signed in"
    INVALID_TOKEN = 401, "Invalid token"
    SIGN_IN_FAILED = 401, "Sign-in failed"
    NOT_ALLOWED = 403, "Not allowed", ClientNotAllowed
    INSUFFICIENT_SCOPE = 403, "Insufficient scope"
    CROSS_SITE_CALL = 403, "Cross-site call"
    INVALID_INPUT = 422, "Invalid input", InvalidInput
    NOT_FOUND = 404, "Not found", NotFound
    OUT_OF_DATE = 400, "Out of date", SignatureError
    INVALID_AUTHORIZATION_REQUEST = 400, "Invalid request", UnverifiedClientError
    REFUSED = 403, "Refused", AuthorizationErrorResponse
    DECLINED = 403, "Declined", AuthorizationDeclined
    DISABLED = 409, "Disabled", IntegrationDisabled
    IN_USE = 409, "In use", ConnectionInUse
    IN_PROGRESS = 409, "In progress", CallInProgress
    TOO_MANY_ATTEMPTS = 429, "Too many attempts"
    NOT_AVAILABLE = 503, "Not available", Unavailable
    SERVER_ERROR = 500, "Server error", SetupError
    APP_ERROR = 500, "App error"
    ACTIVEPIECES_CANNOT_BE_REACHED = 502, "Activepieces cannot be reached", api_errors.ConnectionFailed
    NOT_ACTIVEPIECES = 502, "Not Activepieces", api_errors.UnexpectedResponse
    NOT_OFFERED_BY_THIS_ACTIVEPIECES = 502, "Not offered by this Activepieces", api_errors.RouteNotFound
    CREDENTIAL_REFUSED = 502, "Credential refused", api_errors.AuthenticationFailed
    ACTIVEPIECES_FAILED = 502, "Activepieces failed", api_errors.ServerError
    ACTIVEPIECES_TOOK_TOO_LONG = 504, "Activepieces took too long", api_errors.CallTimedOut
    NO_WORKER = 503, "No worker", api_errors.WorkerUnavailable
    TOO_MANY_CALLS = 503, "Too many calls", api_errors.RateLimited
    NOT_ALLOWED_BY_ACTIVEPIECES = 409, "Not allowed by Activepieces", api_errors.PermissionDenied
    NOT_IN_THE_PLAN = 409, "Not in the plan", api_errors.PlanUpgradeRequired
    NOT_IN_THIS_EDITION = 409, "Not in this edition", api_errors.EditionNotSupported
    NOT_POSSIBLE_WITH_THIS_CREDENTIAL = 409, "Not possible with this credential", api_errors.CredentialNotSupported
    NOT_POSSIBLE = 409, "Not possible", api_errors.CallNotSupported
    NOT_FOUND_IN_ACTIVEPIECES = 404, "Not found in Activepieces", api_errors.ResourceNotFound
    VALUE_REFUSED = 422, "Value refused", api_errors.ConnectionValueRejected
    CODE_REFUSED = 422, "Code refused", api_errors.CodeExchangeFailed
    REFUSED_BY_ACTIVEPIECES = 422, "Refused by Activepieces", api_errors.InvalidRequest

    def __init__(self, status: int, title: str, *errors: type[Exception]) -> None:
        self.status = status
        self.title = title
        self.errors = errors

    @property
    def code(self) -> str:
        """The code for programs."""
        return self.name.lower()


_HTTP_ERRORS = {
    kind.status: kind
    for kind in (ProblemType.BAD_REQUEST, ProblemType.REQUEST_ENTITY_TOO_LARGE, ProblemType.UNSUPPORTED_MEDIA_TYPE)
}
#: The problems that any call of Activepieces may cause.
UPSTREAM_PROBLEMS = tuple(
    kind for kind in ProblemType if any(issubclass(error, api_errors.ApiError) for error in kind.errors)
)


class Problem(ActivepiecesError):
    """Raised to answer a call of the JSON API with an error; ``members`` are added to the body."""

    def __init__(self, kind: ProblemType, detail: str, *, status: int | None = None, **members: Any) -> None:
        self.status = status or kind.status
        self.title = kind.title
        self.code = kind.code
        self.detail = detail
        self.members = members
        super().__init__(detail)

    def to_response(self) -> Response:
        """The response to the call."""
        body = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.members,
        }
        response = Response(json.dumps(body), self.status, content_type="application/problem+json")
        if "retry_after" in self.members:
            response.headers["Retry-After"] = str(self.members["retry_after"])
        return response


def problem_from(error: Exception) -> Problem | None:
    """The problem for this error; None if it is not an error of the call."""
    if isinstance(error, SQLAlchemyError):
        error = translate_error(error)
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        status = error.code or 0
        kind = _HTTP_ERRORS.get(status, ProblemType.HTTP_ERROR)
        return Problem(kind, error.description or error.name, status=status) if status >= 400 else None
    for kind in ProblemType:
        if isinstance(error, kind.errors):
            return _problem(kind, error)
    return None


def _problem(kind: ProblemType, error: Exception) -> Problem:
    match error:
        case InvalidInput(fields=fields):
            return Problem(kind, str(error), fields=fields)
        case ConnectionInUse(flow_ids=flow_ids):
            return Problem(kind, str(error), flowIds=list(flow_ids))
        case SignatureError():
            return Problem(kind, f"Nothing was changed: {error}. Start again.")
        case UnverifiedClientError(message=message, remedy=remedy):
            return Problem(kind, f"{message} {remedy}")
        case AuthorizationErrorResponse(error=oauth_error):
            return Problem(kind, str(oauth_error.description))
        case SetupError():
            reference = report(error)
            return Problem(kind, DESCRIPTION.format(reference), reference=reference)
    requested = getattr(error, "retry_after", None)
    if kind.status != 503 and requested is None:
        return Problem(kind, str(error))
    return Problem(kind, str(error), retry_after=DEFAULT_RETRY_AFTER if requested is None else ceil(requested))
