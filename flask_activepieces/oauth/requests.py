"""A machine request as Authlib wants it, read strictly: a form of bounded size in which nothing stands twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from ..database import Transaction
from .families import Family
from .refresh_tokens import RefreshToken, Verdict

FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 64 * 1024


class MachineRequest(OAuth2Request):
    """One request to /token, /revoke or /introspect, with the transaction that it runs in."""

    #: The client's family that the request's refresh token names, found together with the client.
    family: Family | None = None
    #: The family that the request's code buys; kept when the transaction has to be run again.
    bought: Family | None
    presented: RefreshToken
    verdict: Verdict

    def __init__(
        self,
        *,
        uri: str,
        form: Mapping[str, str],
        authorization: str | None,
        issuer: str,
        now: int,
        transaction: Transaction,
        bought: Family | None,
        code_is_taken: bool,
        failed_attempt: Callable[[], None],
    ) -> None:
        super().__init__("POST", uri)
        self._form = dict(form)
        self.payload = BasicOAuth2Payload(self._form)
        self.authorization = authorization
        self.issuer = issuer
        self.now = now
        self.transaction = transaction
        self.bought = bought
        #: Whether an earlier try of this request met a family under its code's id.
        self.code_is_taken = code_is_taken
        self.failed_attempt = failed_attempt

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self._form


def read_form(content_type: str | None, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The form's parameters; an Authlib error for another body or for a parameter that stands twice."""
    if (content_type or "").partition(";")[0].strip().lower() != FORM:
        # RFC 6749 §4.1.3 and appendix B: this format and no other.
        raise InvalidRequestError(f"The request body must be a form: {FORM}.")
    return without_duplicates(pairs)


def without_duplicates(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """RFC 6749 §3.1, §3.2: no parameter twice, and one without a value counts as absent."""
    seen: dict[str, str] = {}
    for name, value in pairs:
        if name in seen:
            raise InvalidRequestError("A parameter stands more than once in the request.")
        seen[name] = value
    return {name: value for name, value in seen.items() if value != ""}
