"""A new secret, which one page shows once.

If the response to a form showed the secret, a reload would create another one. So the form redirects, and the secret
travels in a cookie: encrypted, for one page, one kind of secret and one user, for five minutes. It is not stored, and
appears in no URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request

from ...crypto.keyring import Encryptor
from ...errors import SignatureError
from ...state import State
from .rendering import see_other, set_cookie

_LIFETIME = 5 * 60


@dataclass(frozen=True)
class ShownOnce:
    """One kind of secret, with the name of its cookie. ``context`` identifies the owner of a secret."""

    cookie: str
    purpose: str

    def redirect(self, state: State, url: str, content: dict[str, Any], *, context: str, path: str) -> Response:
        """Redirect to the page at ``path``, which shows this content."""
        sealed = self._encryptor(state).encrypt({**content, "exp": state.now() + _LIFETIME}, context=context)
        return set_cookie(state, see_other(url), self.cookie, sealed, path=path, max_age=_LIFETIME)

    def read(self, state: State, *, context: str) -> dict[str, Any] | None:
        """The content in this browser's cookie, if it is for this context and not too old."""
        try:
            content = self._encryptor(state).decrypt(request.cookies.get(self.cookie, ""), context=context)
        except SignatureError:
            return None
        return content if state.now() < content["exp"] else None

    def forget(self, response: Response, *, path: str) -> Response:
        """The response, which deletes the cookie, so that a reload no longer shows the secret."""
        if self.cookie in request.cookies:
            response.delete_cookie(self.cookie, path=path, httponly=True, samesite="Lax")
        return response

    def _encryptor(self, state: State) -> Encryptor:
        return Encryptor(state.settings.secret_keys, self.purpose)
