"""The kinds of connection, each checked against the app when it is saved.

An engine passes the whole value of a connection to an action, but to these functions the bare string of a SECRET_TEXT
and the bare fields of a CUSTOM_AUTH.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...routing.responses import Json, Row
from .app import App
from .failures import Failure

_CONNECTIONS: Mapping[str, Callable[[Json], Json]] = {
    "OAUTH2": lambda auth: auth,
    "BASIC_AUTH": lambda auth: {**auth, "type": "BASIC_AUTH"},
    "SECRET_TEXT": lambda auth: {"type": "SECRET_TEXT", "secret_text": auth},
    "CUSTOM_AUTH": lambda auth: {"type": "CUSTOM_AUTH", "props": auth},
}


class Auth:
    """One kind of connection of a piece."""

    def __init__(self, app: App, declared: Row) -> None:
        self.app = app
        self.kind: str = declared["type"]
        self._refresh: Row | None = declared.get("refresh")

    def problem(self, auth: Json) -> str | None:
        """What is wrong with the value of a connection, or None. Never raises."""
        try:
            self.app.me(_CONNECTIONS[self.kind](auth))
        except Failure as error:
            refused = f"{self.app.name} does not accept this sign-in: check what you entered, and try again."
            return refused if error.status == 401 else error.message
        return None

    def identify(self, auth: Json) -> str | None:
        """``Ann Example, ann@example.com (Acme)``; a connection without a label is still a connection."""
        try:
            me = self.app.me(_CONNECTIONS[self.kind](auth))
        except Failure:
            return None
        name, email = me.get("name"), me.get("email")
        account = ", ".join(each for each in (name, email if email != name else "") if each)
        workspace = (me.get("workspace") or {}).get("name")
        return " ".join(each for each in (account, f"({workspace})" if workspace else "") if each) or None

    def refresh(self, auth: Json) -> Row:
        """A token of the app for the fields of a custom form, which newer servers keep."""
        answer = self.app.tokens.exchange(_CONNECTIONS[self.kind](auth))
        return {name: answer.get(name) for name in ("access_token", "expires_in")}
