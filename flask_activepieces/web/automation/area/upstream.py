"""Calls of Activepieces for a page: what failed, in words for people, and no more calls once it cannot be reached."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ....api_client import errors as api_errors
from ....errors import ActivepiecesError, ConnectionInUse, IntegrationDisabled
from ....integrations.store import Integration
from ....messages import Message
from ...api.problems import DEFAULT_RETRY_AFTER, problem_from
from ...pages.errors import ErrorText, error_text

log = logging.getLogger(__name__)

T = TypeVar("T")

_LATER = Message("Nothing is lost. Try again in a few minutes.")
_SIGN_IN_AGAIN = Message("An administrator can enter a new key or password under Settings.")
_CREDENTIAL = Message("An administrator can add an Activepieces user with more rights under Settings.")
_ASK_SUPPORT = Message("If it happens again, ask whoever runs this Activepieces.")

#: The first class that fits an error: what happened, and what to do.
_WORDS: tuple[tuple[type[api_errors.ApiError], str, str | None], ...] = (
    (api_errors.ConnectionFailed, Message("Activepieces cannot be reached."), _LATER),
    (api_errors.CallTimedOut, Message("Activepieces did not answer in time."), _LATER),
    (api_errors.UnexpectedResponse, Message("The server does not answer like Activepieces."), _ASK_SUPPORT),
    (api_errors.AuthenticationFailed, Message("Activepieces no longer accepts the stored sign-in."), _SIGN_IN_AGAIN),
    (api_errors.PermissionDenied, Message("Activepieces does not allow this with the stored sign-in."), _CREDENTIAL),
    (
        api_errors.PlanUpgradeRequired,
        Message("Your plan of Activepieces does not include this."),
        Message("A larger plan includes it."),
    ),
    (
        api_errors.EditionNotSupported,
        Message("This edition of Activepieces does not offer this."),
        Message("The Enterprise Edition and Activepieces Cloud do."),
    ),
    (
        api_errors.CredentialNotSupported,
        Message("Activepieces allows this only to a user, not with the stored key."),
        Message("An administrator can add a user, with e-mail address and password, under Settings."),
    ),
    (api_errors.CallNotSupported, Message("This Activepieces cannot do that."), None),
    (
        api_errors.ResourceNotFound,
        Message("Activepieces does not have this any more."),
        Message("Someone else may have deleted it. Go back to the list."),
    ),
    (api_errors.RouteNotFound, Message("This version or edition of Activepieces does not offer this."), None),
    (
        api_errors.CodeExchangeFailed,
        Message("Activepieces could not complete the sign-in."),
        Message("Try again. If it happens again, Activepieces cannot reach the service that you signed in to."),
    ),
    (api_errors.PieceInstallationFailed, Message("Activepieces could not install the piece."), _ASK_SUPPORT),
    (
        api_errors.Conflict,
        Message("Activepieces refused this, because of what already exists there."),
        Message("Go back, reload the page and try again."),
    ),
    (api_errors.InvalidRequest, Message("Activepieces refused this."), Message("Check what you entered.")),
    (api_errors.WorkerUnavailable, Message("Activepieces is not ready: none of its workers is running."), _LATER),
    (api_errors.RateLimited, Message("Activepieces is receiving too many requests."), _LATER),
    (api_errors.ServerError, Message("Activepieces reported an error."), _LATER),
)
#: After these, further calls would only make the reader wait.
_UNREACHABLE = (api_errors.ConnectionFailed, api_errors.CallTimedOut, api_errors.AuthenticationFailed)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The result of a call, or the error that a section of the page shows instead."""

    value: T | None = None
    error: ErrorText | None = None


class Calls:
    """Calls of Activepieces for one page."""

    def __init__(self, integration: Integration) -> None:
        self._integration = integration
        self._failure: ErrorText | None = None

    def try_call(self, function: Callable[[], T]) -> Answer[T]:
        """The result, or why there is none; once Activepieces cannot be reached, without calling it."""
        if self._failure is not None:
            return Answer(error=self._failure)
        try:
            return Answer(function())
        except ActivepiecesError as error:
            text = error_text(error) or upstream_error_text(error, self._integration)
            if text is None:
                raise
            if isinstance(error, (*_UNREACHABLE, IntegrationDisabled)):
                self._failure = text
            return Answer(error=text)


def upstream_error_text(error: Exception, integration: Integration | None) -> ErrorText | None:
    """The text for a failed call of Activepieces; None for any other error."""
    match error:
        case api_errors.ConnectionValueRejected(detail=detail):
            # The piece's own words: it says what is wrong with a key or a password.
            message = Message("The service does not accept this: %(reason)s", reason=detail or "—")
            return ErrorText(status=422, title=Message("Not accepted"), message=message)
        case ConnectionInUse():
            return ErrorText(status=409, title=Message("In use"), message=Message("Flows use this connection."))
        case IntegrationDisabled():
            return _disabled_text(integration)
        case api_errors.ApiError():
            log.warning("%s", error)
            problem = problem_from(error)
            assert problem is not None, "a problem for every error of the API client"
            what, remedy = next((words[1:] for words in _WORDS if isinstance(error, words[0])), _OTHER)
            retry_after = DEFAULT_RETRY_AFTER if problem.status == 503 else None
            title = Message("Not possible") if problem.status < 500 else Message("Activepieces is not available")
            return ErrorText(status=problem.status, title=title, message=what, remedy=remedy, retry_after=retry_after)
    return None


_OTHER = (Message("Activepieces reported an error."), _LATER)


def _disabled_text(integration: Integration | None) -> ErrorText:
    if integration is not None and not integration.enabled:
        return ErrorText(
            status=409,
            title=Message("Automation is off"),
            message=Message("An administrator switched automation off for this workspace."),
            remedy=Message("It can be switched on again under Settings."),
        )
    return ErrorText(
        status=409,
        title=Message("Connect again"),
        message=Message("The stored sign-in to Activepieces can no longer be used."),
        remedy=_SIGN_IN_AGAIN,
    )
