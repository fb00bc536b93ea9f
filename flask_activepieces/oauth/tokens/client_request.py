"""A request to /token, /revoke or /introspect, read strictly: a form of bounded size without duplicate parameters."""

from __future__ import annotations

from collections.abc import Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 64 * 1024


class ClientRequest(OAuth2Request):
    """The request as Authlib wants it, and the second in which it came."""

    def __init__(
        self,
        *,
        uri: str,
        form: Mapping[str, str],
        authorization: str | None,
        issuer: str,
        now: int,
    ) -> None:
        super().__init__("POST", uri)
        self._form = dict(form)
        self.payload = BasicOAuth2Payload(self._form)
        self.authorization = authorization
        self.issuer = issuer
        self.now = now

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self._form


def read_form(content_type: str | None, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The form's parameters; an Authlib error for another content type or a duplicate parameter."""
    if (content_type or "").partition(";")[0].strip().lower() != FORM:
        # RFC 6749 §4.1.3 and appendix B: this format and no other.
        raise InvalidRequestError(f"The request body must be a form: {FORM}.")
    return reject_duplicates(pairs)


def reject_duplicates(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """RFC 6749 §3.1, §3.2: a parameter must not be repeated, and one without a value counts as absent."""
    seen: dict[str, str] = {}
    for name, value in pairs:
        if name in seen:
            raise InvalidRequestError("Duplicate request parameter.")
        seen[name] = value
    return {name: value for name, value in seen.items() if value != ""}
