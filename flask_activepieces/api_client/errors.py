"""What can go wrong with a call to Activepieces, by what the caller can do about it.

    ApiError
    ├── CallNotSupported          known beforehand to fail; nothing was changed
    │   ├── CredentialNotSupported  another kind of credential may call this
    │   └── EditionNotSupported     another edition of Activepieces has this
    ├── ConnectionFailed          no connection, or one that broke
    ├── CallTimedOut          no whole answer within the time allowed
    ├── UnexpectedResponse      something answers at this base URL, and it is not Activepieces' API
    ├── AuthenticationFailed        the key, token or password is wrong, expired or never arrived
    ├── PermissionDenied           the credential is good and may not do this
    ├── PlanUpgradeRequired            the plan lacks the feature
    ├── ResourceNotFound          the connection, project, flow … is not there
    ├── RouteNotFound          this server has no such route
    ├── InvalidRequest             what was sent does not fit
    │   ├── ConnectionValueRejected     the piece refused the connection's value
    │   ├── CodeExchangeFailed     the OAuth2 code could not be exchanged for a token
    │   ├── PieceInstallationFailed     the piece could not be installed
    │   └── Conflict         it is at odds with what is there
    │       └── ConstraintViolated  the flow may not be changed or published like this
    ├── WorkerUnavailable           Activepieces has no worker to run the piece
    ├── RateLimited         come back later
    └── ServerError          Activepieces failed

Activepieces has two shapes of error body, the same cause can give either, and some bodies mislead. So the HTTP
status decides, and ``code`` and ``detail`` are what Activepieces said about it: for people, and often absent.
No error holds a credential or a value that was sent.
"""

from __future__ import annotations

from ..errors import ActivepiecesError


class ApiError(ActivepiecesError):
    """Raised when a call brought no result: ``operation`` names it, ``detail`` is a short text of Activepieces."""

    #: What to do about it; the last sentence of the message.
    remedy: str = ""
    #: Whether Activepieces may have done what was asked all the same.
    outcome_unknown: bool = False
    #: Seconds after which Activepieces wants to be asked again; None when it did not say.
    retry_after: float | None = None

    def __init__(
        self,
        operation: str,
        *,
        status: int | None = None,
        code: str | None = None,
        detail: str = "",
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.detail = detail
        said = ": ".join(filter(None, [" ".join(filter(None, [str(status or ""), code])), detail]))
        first = f"{operation} failed: {said or type(self).__name__}"
        super().__init__(" ".join(filter(None, [_as_sentence(first), self._remedy()])))

    def _remedy(self) -> str:
        return self.remedy


class CallNotSupported(ApiError):
    """Raised in place of a call that cannot succeed: before anything is sent, or after a look at what is there.

    ``credential`` is the kind that was used, where the call fails because of it or of the server's edition.
    """

    def __init__(
        self, operation: str, *, detail: str, remedy: str, credential: str | None = None
    ) -> None:
        self.credential = credential
        self.remedy = remedy
        super().__init__(operation, detail=detail)


class CredentialNotSupported(CallNotSupported):
    """Raised when this kind of credential may not make the call; ``remedy`` names one that may."""


class EditionNotSupported(CallNotSupported):
    """Raised when this edition of Activepieces does not have what was asked for."""


class ConnectionFailed(ApiError):
    """Raised when there is no connection (refused, unknown name, TLS), or it broke before the answer was whole."""

    remedy = "Check the base URL, the network and whether Activepieces runs."

    def __init__(self, operation: str, *, detail: str, outcome_unknown: bool = False) -> None:
        self.outcome_unknown = outcome_unknown
        super().__init__(operation, detail=detail)


class CallTimedOut(ApiError):
    """Raised when the answer was not whole within ``seconds``; what was asked may still happen."""

    outcome_unknown = True

    def __init__(self, operation: str, *, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(operation, detail=f"no answer within the timeout of {seconds:g} seconds")

    def _remedy(self) -> str:
        if self.operation in _NEED_A_WORKER:
            what = _NEED_A_WORKER[self.operation]
            return (
                f"{what} with no worker running takes Activepieces 300 seconds: see that its worker runs, or allow"
                " a longer timeout."
            )
        return "See that Activepieces and its worker run, or allow a longer timeout."


class UnexpectedResponse(ApiError):
    """Raised when the answer is no answer of Activepieces' API: HTML, a redirect, rubbish, or far too much."""

    remedy = "Check the base URL: the API is usually at https://<host>/api/v1."

    def __init__(
        self,
        operation: str,
        *,
        detail: str,
        status: int | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        self.outcome_unknown = outcome_unknown
        super().__init__(operation, status=status, detail=detail)


class AuthenticationFailed(ApiError):
    """Raised when Activepieces does not know the credential: wrong, expired, signed out, or it never arrived."""

    remedy = "Give a valid API key or user token; if it is valid, see that no proxy removes the Authorization header."


class PermissionDenied(ApiError):
    """Raised when the credential is good, and its role does not allow the call."""

    remedy = "Use a credential with the role that this needs, in this project."


class PlanUpgradeRequired(ApiError):
    """Raised when the plan or licence of the Activepieces platform lacks the feature."""

    remedy = "The platform's plan must include this feature."


class ResourceNotFound(ApiError):
    """Raised when what the call is about does not exist, or not for this credential."""


class RouteNotFound(ApiError):
    """Raised when this server does not have the route."""

    remedy = "The Community Edition and older versions lack some routes; check the base URL too."


class InvalidRequest(ApiError):
    """Raised when Activepieces refuses what was sent; it often does not say which field."""


class ConnectionValueRejected(InvalidRequest):
    """Raised when the piece refuses the value of a connection, in the piece's own words."""

    remedy = "Correct the value of the connection."


class CodeExchangeFailed(InvalidRequest):
    """Raised when Activepieces could not exchange an OAuth2 code for a token."""

    remedy = (
        "Begin the authorization again: a code works once. A token endpoint at a private address must be on"
        " Activepieces' AP_SSRF_ALLOW_LIST."
    )


class PieceInstallationFailed(InvalidRequest):
    """Raised when Activepieces could not install a piece; it does not say why."""

    remedy = (
        "Check that the archive is a .tgz and that its code loads and exports a piece. If the code did not load,"
        " install the corrected archive as a new version: this one cannot be used again."
    )


class Conflict(InvalidRequest):
    """Raised when what was sent is at odds with what is there."""


class ConstraintViolated(Conflict):
    """Raised when a flow breaks the publish constraints in its metadata; ``detail`` says which they are."""

    remedy = (
        "Change the flow so that it meets them, or have them changed by whoever manages the flow."
    )


class WorkerUnavailable(ApiError):
    """Raised when Activepieces gave up waiting for a worker of its own."""

    remedy = "Start Activepieces' worker, or wait until it is back."


class RateLimited(ApiError):
    """Raised when Activepieces wants fewer calls."""

    def __init__(
        self,
        operation: str,
        *,
        retry_after: float | None,
        code: str | None = None,
        detail: str = "",
    ) -> None:
        self.retry_after = retry_after
        super().__init__(operation, status=429, code=code, detail=detail)

    def _remedy(self) -> str:
        wait = "" if self.retry_after is None else f" in {self.retry_after:g} seconds"
        return f"Try again{wait}."


class ServerError(ApiError):
    """Raised when Activepieces, or a proxy before it, failed; what was asked may have been done in part."""

    remedy = "Look into the log of Activepieces."
    outcome_unknown = True

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        code: str | None = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.retry_after = retry_after
        super().__init__(operation, status=status, code=code, detail=detail)


#: The calls that a worker of Activepieces does, and what it does.
_NEED_A_WORKER = {
    "connections.upsert": "Validating a connection",
    "global_connections.upsert": "Validating a connection",
    "pieces.install": "Installing a piece",
}


def _as_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
