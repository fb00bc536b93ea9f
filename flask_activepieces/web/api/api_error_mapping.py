"""How a failed call of Activepieces becomes a problem for the caller of our JSON API.

The status says where the fault is: 502, 503 and 504 with Activepieces or the way to it; 409 with the integration,
which must be changed first; 404 and 422 with the call itself.
"""

from __future__ import annotations

from math import ceil

from ...api_client.errors import (
    ApiError,
    AuthenticationFailed,
    CallNotSupported,
    CallTimedOut,
    CodeExchangeFailed,
    ConnectionFailed,
    ConnectionValueRejected,
    CredentialNotSupported,
    EditionNotSupported,
    InvalidRequest,
    PermissionDenied,
    PlanUpgradeRequired,
    RateLimited,
    ResourceNotFound,
    RouteNotFound,
    ServerError,
    UnexpectedResponse,
    WorkerUnavailable,
)
from .problems import Problem, ProblemType

#: The statuses of problems that any call of Activepieces may cause.
UPSTREAM_STATUSES = (404, 409, 422, 502, 503, 504)
#: Seconds to wait when Activepieces is busy and does not say how long.
DEFAULT_RETRY_AFTER = 30

#: The first class that fits wins, so the special ones come first.
PROBLEMS_BY_ERROR: tuple[tuple[type[ApiError], ProblemType], ...] = (
    (ConnectionFailed, ProblemType.ACTIVEPIECES_CANNOT_BE_REACHED),
    (UnexpectedResponse, ProblemType.NOT_ACTIVEPIECES),
    (RouteNotFound, ProblemType.NOT_OFFERED_BY_THIS_ACTIVEPIECES),
    (AuthenticationFailed, ProblemType.CREDENTIAL_REFUSED),
    (ServerError, ProblemType.ACTIVEPIECES_FAILED),
    (CallTimedOut, ProblemType.ACTIVEPIECES_TOOK_TOO_LONG),
    (WorkerUnavailable, ProblemType.NO_WORKER),
    (RateLimited, ProblemType.TOO_MANY_CALLS),
    (PermissionDenied, ProblemType.NOT_ALLOWED_BY_ACTIVEPIECES),
    (PlanUpgradeRequired, ProblemType.NOT_IN_THE_PLAN),
    (EditionNotSupported, ProblemType.NOT_IN_THIS_EDITION),
    (CredentialNotSupported, ProblemType.NOT_POSSIBLE_WITH_THIS_CREDENTIAL),
    (CallNotSupported, ProblemType.NOT_POSSIBLE),
    (ResourceNotFound, ProblemType.NOT_FOUND_IN_ACTIVEPIECES),
    (ConnectionValueRejected, ProblemType.VALUE_REFUSED),
    (CodeExchangeFailed, ProblemType.CODE_REFUSED),
    (InvalidRequest, ProblemType.REFUSED_BY_ACTIVEPIECES),
)


def problem_from(error: ApiError) -> Problem:
    """The problem for this error; its detail names the call and what Activepieces said about it."""
    kind = next(kind for error_class, kind in PROBLEMS_BY_ERROR if isinstance(error, error_class))
    if kind.status != 503:
        return Problem(kind, str(error))
    requested = error.retry_after if isinstance(error, RateLimited) else None
    retry_after = DEFAULT_RETRY_AFTER if requested is None else ceil(requested)
    return Problem(kind, str(error), retry_after=retry_after)
