"""What can go wrong, by what the caller can do about it.

    ActivepiecesError
    ├── ConfigError          fix the configuration and start again
    ├── SetupError           the extension is not (or not rightly) set up on this app
    ├── InvalidInput         a person or program gave values we cannot take: {field: message}
    ├── NotFound             no such thing, or not in this tenant (the caller must not learn which)
    ├── IntegrationDisabled  the integration is switched off, so Activepieces is not asked
    ├── ClientDisabled       an OAuth client is suspended, and gets no tokens
    ├── ConnectionInUse      a connection has flows: deleting it would break them
    ├── AuthorizationDeclined  a third party, or its user, did not allow what was asked for
    ├── SignatureError       a signed text is not ours, or was changed
    │   └── SignatureExpired it is ours, and its time is over
    ├── Unavailable          a database or cache is away: the same call may work later
    │   └── Locked           another request is at the same thing just now
    ├── NoRedirect           `oauth.authorization`: there is nobody to redirect to, the person is told on a page
    ├── Refused              `oauth.authorization`: the client is told of an OAuth error by redirect
    ├── Problem              `views.problems`: who calls the JSON API is answered with a status and words
    └── ApiError           `client.errors`: a call of Activepieces failed; a tree of its own

What the OAuth protocol itself calls an error is Authlib's ``OAuth2Error`` family: it carries the words of
RFC 6749 and no parallel one is invented here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ActivepiecesError(Exception):
    """The base of everything this package raises on purpose."""


class ConfigError(ActivepiecesError):
    """Raised by ``init_app`` with every problem of the configuration at once, each named by its key."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["Activepieces cannot start:", *(f"  - {p}" for p in problems)]))


class SetupError(ActivepiecesError):
    """Raised when something needs the extension on an app that was not given it, or was given it twice."""


class InvalidInput(ActivepiecesError):
    """Raised when values do not fit; ``fields`` says what is wrong with each, in words for its author."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {message}" for name, message in self.fields.items()))


class NotFound(ActivepiecesError):
    """Raised when a thing does not exist for the asking tenant; ``kind`` and ``id`` are what was asked."""

    def __init__(self, kind: str, identifier: str) -> None:
        self.kind = kind
        self.identifier = identifier
        super().__init__(f"There is no {kind} {identifier!r} here.")


class IntegrationDisabled(ActivepiecesError):
    """Raised when an integration may not be used for now; ``reason`` says why, and what ends it."""

    def __init__(self, integration_id: str, reason: str) -> None:
        self.integration_id = integration_id
        self.reason = reason
        super().__init__(f"The integration {integration_id!r} is off: {reason}.")


class ClientDisabled(ActivepiecesError):
    """Raised when an OAuth client that is suspended asks for tokens."""

    def __init__(self) -> None:
        super().__init__("This OAuth client is suspended: an administrator switched it off.")


class ConnectionInUse(ActivepiecesError):
    """Raised instead of deleting a connection that flows use; ``flow_ids`` are those flows."""

    def __init__(self, flow_ids: Sequence[str]) -> None:
        self.flow_ids = tuple(flow_ids)
        count = len(self.flow_ids)
        flows = "1 flow uses" if count == 1 else f"{count} flows use"
        super().__init__(f"{flows} this connection and would fail without it.")


class AuthorizationDeclined(ActivepiecesError):
    """Raised when an authorization comes back without a code; ``error`` is the third party's word for why.

    ``next_url`` is where the browser was to go afterwards.
    """

    def __init__(self, error: str, description: str = "", *, next_url: str | None = None) -> None:
        self.error = error
        self.description = description
        self.next_url = next_url
        super().__init__(description or f"The authorization was not given: {error}.")


class SignatureError(ActivepiecesError):
    """Raised when a signed text does not verify; the message never repeats the text."""


class SignatureExpired(SignatureError):
    """Raised when a signed text is genuine but older than it may be."""


class Unavailable(ActivepiecesError):
    """Raised when storage cannot be reached; ``retry_after`` is a fair number of seconds to wait."""

    def __init__(self, what: str, retry_after: int = 5) -> None:
        self.what = what
        self.retry_after = retry_after
        super().__init__(f"The {what} cannot be reached just now.")


class Locked(Unavailable):
    """Raised when another request is at the same thing, and does not finish; ``retry_after`` is when it must have."""

    def __str__(self) -> str:
        return f"Another request is at this {self.what}. Try again in {self.retry_after} seconds."
