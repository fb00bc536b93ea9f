"""What a failed call of Activepieces means for the caller of our JSON API.

Whose fault it is decides: 502, 503 and 504 say that Activepieces, or the way to it, is to blame; 409 that the
integration must be changed first; 404 and 422 that the call itself does not fit.
"""

from __future__ import annotations

from math import ceil

from ..client.errors import (
    BadCredential,
    CallFailed,
    CannotReach,
    ClaimRefused,
    NeedsPlan,
    NoSuchRoute,
    NoSuchThing,
    NotActivepieces,
    NotAllowed,
    NotCallable,
    Rejected,
    ServerFault,
    TookTooLong,
    TooManyCalls,
    ValueRefused,
    WorkerAway,
    WrongCredential,
    WrongEdition,
)
from .problems import Problem

#: The statuses of problems that any call of Activepieces may bring.
UPSTREAM = (404, 409, 422, 502, 503, 504)
#: Seconds until a busy Activepieces is asked again, where it does not say itself.
FAIR_WAIT = 30

#: Status and title of each error; the first that fits, so the special ones come before the general.
MEANINGS: tuple[tuple[type[CallFailed], int, str], ...] = (
    (CannotReach, 502, "Activepieces cannot be reached"),
    (NotActivepieces, 502, "Not Activepieces"),
    (NoSuchRoute, 502, "Not offered by this Activepieces"),
    (BadCredential, 502, "Credential refused"),
    (ServerFault, 502, "Activepieces failed"),
    (TookTooLong, 504, "Activepieces took too long"),
    (WorkerAway, 503, "No worker"),
    (TooManyCalls, 503, "Too many calls"),
    (NotAllowed, 409, "Not allowed by Activepieces"),
    (NeedsPlan, 409, "Not in the plan"),
    (WrongEdition, 409, "Not in this edition"),
    (WrongCredential, 409, "Not possible with this credential"),
    (NotCallable, 409, "Not possible"),
    (NoSuchThing, 404, "Not found in Activepieces"),
    (ValueRefused, 422, "Value refused"),
    (ClaimRefused, 422, "Code refused"),
    (Rejected, 422, "Refused by Activepieces"),
)


def problem_of(error: CallFailed) -> Problem:
    """The problem that tells it; the detail names the call and has the words of Activepieces."""
    status, title = next(
        (status, title) for kind, status, title in MEANINGS if isinstance(error, kind)
    )
    if status != 503:
        return Problem(status, title, str(error))
    told = error.retry_after if isinstance(error, TooManyCalls) else None
    return Problem(status, title, str(error), retry_after=FAIR_WAIT if told is None else ceil(told))
