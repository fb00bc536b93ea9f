"""What can go wrong with a call to Activepieces, by what the caller can do about it.

    ApiError
    ├── CallNotSupported            ── CredentialNotSupported, EditionNotSupported
    ├── ConnectionFailed, CallTimedOut, UnexpectedResponse
    ├── AuthenticationFailed, PermissionDenied, PlanUpgradeRequired
    ├── ResourceNotFound, RouteNotFound
    ├── InvalidRequest
    │   ├── ConnectionValueRejected, CodeExchangeFailed, PieceInstallationFailed
    │   └── Conflict                ── ConstraintViolated
    └── WorkerUnavailable, RateLimited, ServerError

Activepieces has two formats of error body, the same cause can produce either, and some bodies mislead. So the HTTP
status decides. ``code`` and ``detail`` come from Activepieces, for people; they are often empty. An error never
contains a credential or a value that was sent.
"""

from __future__ import annotations

from ..errors import ActivepiecesError


class ApiError(ActivepiecesError):
    """Raised when a call fails: ``operation`` names the call, ``detail`` is a short explanation."""

    #: What to do about it: the end of the message.
    remedy: str = ""
    #: Whether Activepieces may have carried out the call.
    outcome_unknown: bool = False

    def __init__(
        self,
        operation: str,
        *,
        status: int | None = None,
        code: str | None = None,
        detail: str = "",
        retry_after: float | None = None,
        outcome_unknown: bool | None = None,
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.detail = detail
        #: Seconds after which to call again, if Activepieces says so.
        self.retry_after = retry_after
        if outcome_unknown is not None:
            self.outcome_unknown = outcome_unknown
        status_and_code = " ".join(filter(None, [str(status or ""), code]))
        reason = ": ".join(filter(None, [status_and_code, detail])) or type(self).__name__
        sentence = f"{operation} failed: {reason}"
        if not sentence.endswith((".", "!", "?", "…")):
            sentence += "."
        again = "" if retry_after is None else f"Try again in {retry_after:g} seconds."
        super().__init__(" ".join(filter(None, [sentence, self.remedy, again])))


class CallNotSupported(ApiError):
    """Raised when a call cannot succeed: before it is sent, or after a look at the current state.

    ``credential`` is the kind of credential, if it or the server's edition is the reason.
    """

    def __init__(self, operation: str, *, detail: str, remedy: str, credential: str | None = None) -> None:
        self.credential = credential
        self.remedy = remedy
        super().__init__(operation, detail=detail)


class CredentialNotSupported(CallNotSupported):
    """Raised when this kind of credential may not make the call; ``remedy`` names one that may."""


class EditionNotSupported(CallNotSupported):
    """Raised when this edition of Activepieces lacks the feature."""


class ConnectionFailed(ApiError):
    """Raised when no connection can be made (refused, unknown host, TLS), or when it breaks."""

    remedy = "Check the base URL, the network and whether Activepieces is running."


class CallTimedOut(ApiError):
    """Raised when the response is not complete within ``seconds``; the call may still be carried out."""

    outcome_unknown = True

    def __init__(self, operation: str, *, seconds: float) -> None:
        self.seconds = seconds
        self.remedy = "Check that Activepieces and its worker are running, or allow a longer timeout."
        if operation in _WORKER_TASKS:
            self.remedy = (
                f"{_WORKER_TASKS[operation]} without a running worker takes Activepieces 300 seconds: "
                "check that its worker is running, or allow a longer timeout."
            )
        super().__init__(operation, detail=f"no response within the timeout of {seconds:g} seconds")


class UnexpectedResponse(ApiError):
    """Raised when the response is not one of Activepieces' API: HTML, a redirect, invalid JSON, or too large."""

    remedy = "Check the base URL: the API is usually at https://<host>/api/v1."


class AuthenticationFailed(ApiError):
    """Raised when the credential is unknown, expired or signed out, or did not arrive."""

    remedy = "Use a valid key or token; if it is valid, check that no proxy removes the Authorization header."


class PermissionDenied(ApiError):
    """Raised when the credential is valid, but its role does not allow the call."""

    remedy = "Use a credential whose role in this project allows the call."


class PlanUpgradeRequired(ApiError):
    """Raised when the plan or license of the Activepieces platform lacks the feature."""

    remedy = "The platform's plan must include this feature."


class ResourceNotFound(ApiError):
    """Raised when the subject of the call does not exist, or not for this credential."""


class RouteNotFound(ApiError):
    """Raised when this server does not have the route."""

    remedy = "The Community Edition and older versions lack some routes; also check the base URL."


class InvalidRequest(ApiError):
    """Raised when Activepieces rejects the request; it often does not say which field is wrong."""


class ConnectionValueRejected(InvalidRequest):
    """Raised when the piece rejects the value of a connection; ``detail`` is the piece's message."""

    remedy = "Correct the value of the connection."


class CodeExchangeFailed(InvalidRequest):
    """Raised when Activepieces could not exchange an OAuth2 code for a token."""

    remedy = (
        "Start the authorization again: a code works once. A token endpoint at a private address must be in"
        " Activepieces' AP_SSRF_ALLOW_LIST."
    )


class PieceInstallationFailed(InvalidRequest):
    """Raised when Activepieces could not install a piece; it does not say why."""

    remedy = (
        "Check that the archive is a .tgz and that its code loads and exports a piece. If the code did not load,"
        " install the corrected archive as a new version: this one cannot be used again."
    )


class Conflict(InvalidRequest):
    """Raised when the request conflicts with what exists."""


class ConstraintViolated(Conflict):
    """Raised when a flow violates the publish constraints in its metadata; ``detail`` lists them."""

    remedy = "Change the flow to meet them, or ask whoever manages the flow to change them."


class WorkerUnavailable(ApiError):
    """Raised when Activepieces' worker did not respond to Activepieces."""

    remedy = "Start Activepieces' worker, or wait until it is back."


class RateLimited(ApiError):
    """Raised when Activepieces received too many calls."""

    remedy = "Make fewer calls."


class ServerError(ApiError):
    """Raised when Activepieces or a proxy fails; the call may have been carried out in part."""

    remedy = "Check the Activepieces server log."
    outcome_unknown = True


#: The operations that run in a worker of Activepieces.
_WORKER_TASKS = {
    "connections.upsert": "Validating a connection",
    "global_connections.upsert": "Validating a connection",
    "pieces.install": "Installing a piece",
}
