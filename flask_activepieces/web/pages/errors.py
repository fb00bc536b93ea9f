"""What people read when something fails: never an exception, a setting or an id."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from ...errors import (
    ClientNotAllowed,
    InvalidInput,
    Locked,
    NotFound,
    SetupError,
    SignatureError,
    SignatureExpired,
    Unavailable,
)
from ...messages import Message
from ...oauth.authorization.request import UnverifiedClientError
from ...storage.dialects import translate_error
from ..error_responses import report
from .i18n import gettext


@dataclass(frozen=True, kw_only=True)
class ErrorText:
    """An error as a page shows it."""

    status: int
    title: str
    message: str
    remedy: str | None = None
    #: Seconds after which the same request may work.
    retry_after: int | None = None
    #: Whether to link to the root of the app.
    leads_home: bool = False


NOT_ALLOWED = ErrorText(
    status=403,
    title=Message("Not allowed"),
    message=Message("Your account does not have access to this page."),
    remedy=Message("Ask an administrator of your workspace."),
)


def error_text(error: Exception) -> ErrorText | None:
    """The text for this error; None if it is not one of ours."""
    # The host's own queries, for the signed-in user for example, raise SQLAlchemy's errors.
    match translate_error(error) if isinstance(error, SQLAlchemyError) else error:
        case UnverifiedClientError(message=message, remedy=remedy):
            title = Message("Something is wrong with this link")
            return ErrorText(status=400, title=title, message=message, remedy=remedy)
        case ClientNotAllowed(name=name):
            return ErrorText(
                status=403,
                title=Message("Not allowed"),
                message=Message("An administrator of your workspace does not allow %(app)s.", app=name),
                remedy=Message("Nothing was shared with it. Ask the administrator to allow it, if you need it."),
            )
        case SignatureError() as invalid:
            message = (
                Message("Nothing was changed: the page has expired.")
                if isinstance(invalid, SignatureExpired)
                else Message("Nothing was changed: the page was opened by another user, or in another browser.")
            )
            title = Message("This page is out of date")
            return ErrorText(status=400, title=title, message=message, remedy=Message("Start again."))
        case InvalidInput(fields=fields):
            problems = " ".join(map(gettext, fields.values()))
            return ErrorText(status=422, title=Message("Invalid input"), message=problems)
        case NotFound():
            return ErrorText(
                status=404,
                title=Message("Not found"),
                message=Message("Page not found."),
                remedy=Message("Check the link."),
            )
        case Unavailable() as unavailable:
            return ErrorText(
                status=503,
                title=Message("Just a moment"),
                message=_what_is_unavailable(unavailable),
                remedy=Message("Nothing is lost. Please try again in a moment."),
                retry_after=unavailable.retry_after,
            )
        case SetupError() as setup_error:
            return ErrorText(
                status=500,
                title=Message("This does not work right now"),
                message=Message(
                    "The problem is on our side. It was logged with the reference %(reference)s.",
                    reference=report(setup_error),
                ),
                remedy=Message("Try again later. If it happens again, send this reference to support."),
                leads_home=True,
            )
    return None


def _what_is_unavailable(error: Unavailable) -> Message:
    if isinstance(error, Locked):
        return Message("Another request is changing this at the moment.")
    if error.what == "database":
        return Message("The database is currently unavailable.")
    return Message("A service that this page needs is currently unavailable.")
