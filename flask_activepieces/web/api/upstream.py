"""What a failed call of Activepieces means for the caller of our JSON API.

Whose fault it is decides: 502, 503 and 504 say that Activepieces, or the way to it, is to blame; 409 that the
integration must be changed first; 404 and 422 that the call itself does not fit.
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
from .problems import Problem

#: The statuses of problems that any call of Activepieces may bring.
UPSTREAM = (404, 409, 422, 502, 503, 504)
#: Seconds until a busy Activepieces is asked again, where it does not say itself.
FAIR_WAIT = 30

#: Status and title of each error; the first that fits, so the special ones come before the general.
MEANINGS: tuple[tuple[type[ApiError], int, str], ...] = (
    (ConnectionFailed, 502, "Activepieces cannot be reached"),
    (UnexpectedResponse, 502, "Not Activepieces"),
    (RouteNotFound, 502, "Not offered by this Activepieces"),
    (AuthenticationFailed, 502, "Credential refused"),
    (ServerError, 502, "Activepieces failed"),
    (CallTimedOut, 504, "Activepieces took too long"),
    (WorkerUnavailable, 503, "No worker"),
    (RateLimited, 503, "Too many calls"),
    (PermissionDenied, 409, "Not allowed by Activepieces"),
    (PlanUpgradeRequired, 409, "Not in the plan"),
    (EditionNotSupported, 409, "Not in this edition"),
    (CredentialNotSupported, 409, "Not possible with this credential"),
    (CallNotSupported, 409, "Not possible"),
    (ResourceNotFound, 404, "Not found in Activepieces"),
    (ConnectionValueRejected, 422, "Value refused"),
    (CodeExchangeFailed, 422, "Code refused"),
    (InvalidRequest, 422, "Refused by Activepieces"),
)


def problem_of(error: ApiError) -> Problem:
    """The problem that tells it; the detail names the call and has the words of Activepieces."""
    status, title = next(
        (status, title) for kind, status, title in MEANINGS if isinstance(error, kind)
    )
    if status != 503:
        return Problem(status, title, str(error))
    told = error.retry_after if isinstance(error, RateLimited) else None
    return Problem(status, title, str(error), retry_after=FAIR_WAIT if told is None else ceil(told))
