"""A request to /token, /revoke or /introspect."""

from __future__ import annotations

from collections.abc import Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload


class ClientRequest(OAuth2Request):
    """The request as Authlib needs it, with our issuer and the time when it came."""

    def __init__(
        self, *, uri: str, form: Mapping[str, str], authorization: str | None, issuer: str, now: int
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


def reject_duplicates(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """RFC 6749 §3.1, §3.2: a parameter must not be repeated, and one without a value counts as absent."""
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise InvalidRequestError("Duplicate request parameter.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value != ""}
