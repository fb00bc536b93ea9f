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
from .problems import Problem, ProblemCode

#: The statuses of problems that any call of Activepieces may cause.
UPSTREAM_STATUSES = (404, 409, 422, 502, 503, 504)
#: Seconds to wait when Activepieces is busy and does not say how long.
DEFAULT_RETRY_AFTER = 30

#: Status, code and title of each error. The first class that fits wins, so the special ones come first.
PROBLEMS_BY_ERROR: tuple[tuple[type[ApiError], int, ProblemCode, str], ...] = (
    (
        ConnectionFailed,
        502,
        "activepieces_cannot_be_reached",
        "Activepieces cannot be reached",
    ),
    (UnexpectedResponse, 502, "not_activepieces", "Not Activepieces"),
    (
        RouteNotFound,
        502,
        "not_offered_by_this_activepieces",
        "Not offered by this Activepieces",
    ),
    (AuthenticationFailed, 502, "credential_refused", "Credential refused"),
    (ServerError, 502, "activepieces_failed", "Activepieces failed"),
    (CallTimedOut, 504, "activepieces_took_too_long", "Activepieces took too long"),
    (WorkerUnavailable, 503, "no_worker", "No worker"),
    (RateLimited, 503, "too_many_calls", "Too many calls"),
    (PermissionDenied, 409, "not_allowed_by_activepieces", "Not allowed by Activepieces"),
    (PlanUpgradeRequired, 409, "not_in_the_plan", "Not in the plan"),
    (EditionNotSupported, 409, "not_in_this_edition", "Not in this edition"),
    (
        CredentialNotSupported,
        409,
        "not_possible_with_this_credential",
        "Not possible with this credential",
    ),
    (CallNotSupported, 409, "not_possible", "Not possible"),
    (ResourceNotFound, 404, "not_found_in_activepieces", "Not found in Activepieces"),
    (ConnectionValueRejected, 422, "value_refused", "Value refused"),
    (CodeExchangeFailed, 422, "code_refused", "Code refused"),
    (InvalidRequest, 422, "refused_by_activepieces", "Refused by Activepieces"),
)


def problem_from(error: ApiError) -> Problem:
    """The problem for this error; its detail names the call and what Activepieces said about it."""
    status, code, title = next(row[1:] for row in PROBLEMS_BY_ERROR if isinstance(error, row[0]))
    if status != 503:
        return Problem(status, code, title, str(error))
    requested = error.retry_after if isinstance(error, RateLimited) else None
    retry_after = DEFAULT_RETRY_AFTER if requested is None else ceil(requested)
    return Problem(status, code, title, str(error), retry_after=retry_after)
