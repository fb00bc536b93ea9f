"""Errors, grouped by what the caller can do about them.

    ActivepiecesError
    ├── ConfigError            fix the configuration and restart
    ├── SetupError             the extension is not, or not correctly, set up on this app
    │   └── DeclarationError   the actions, triggers and options of the piece have problems
    ├── InvalidInput           a person or program sent invalid values: {field: message}
    ├── NotFound               not found in this tenant (the caller must not learn whether it exists in another)
    ├── IntegrationDisabled    the integration is disabled, so Activepieces is not called
    ├── ClientNotAllowed       an admin of the tenant does not allow this OAuth client, which registered itself
    ├── ClientDisabled         the OAuth client is suspended, and gets no tokens
    ├── ConnectionInUse        flows use the connection, and would break without it
    ├── AuthorizationDeclined  a third party, or its user, declined what was asked for
    ├── SignatureError         a signed value is not ours, or was changed
    │   └── SignatureExpired   it is ours, and has expired
    ├── Unavailable            a database or cache is unreachable: the same call may work later
    │   └── Locked             another request works on the same thing
    ├── UnverifiedClientError   `oauth.authorization.request`: the user reads an error page
    ├── AuthorizationErrorResponse   `oauth.authorization.request`: the OAuth client gets the error by redirect
    ├── DocumentError          `oauth.documents.client_urls`: the metadata document of a client cannot be used
    ├── InvalidMetadata        `oauth.clients.metadata`: what a client claims about itself cannot be used
    ├── Problem                `web.api.problems`: an error response of the JSON API
    ├── CallInProgress         `pieces.idempotency`: the first call with this idempotency key is still running
    └── ApiError               `api_client.errors`: a call to Activepieces failed; a tree of its own

Errors of the OAuth protocol are Authlib's ``OAuth2Error`` family, which has the error codes of RFC 6749.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click


class ActivepiecesError(Exception):
    """The base class of all errors of this package."""


class ConfigError(ActivepiecesError, click.ClickException):
    """Raised by ``init_app`` with all problems of the configuration, each named by its setting.

    A ``flask`` command prints it without a traceback, and exits with 1.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["Invalid flask-activepieces configuration:", *(f"  - {p}" for p in problems)]))


class SetupError(ActivepiecesError):
    """Raised when the extension is missing on an app, set up twice, or lacks something that the app must provide."""


class DeclarationError(SetupError):
    """Raised with all problems of the declarations of a piece, each with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The piece of this app has problems:", *(f"  - {p}" for p in problems)]))


class InvalidInput(ActivepiecesError):
    """Raised when values are invalid; ``fields`` says what is wrong with each, for the person who sent it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(f"{name}: {message}" for name, message in self.fields.items()))


class NotFound(ActivepiecesError):
    """Raised when something does not exist in the caller's tenant; ``kind`` and ``identifier`` say what."""

    def __init__(self, kind: str, identifier: str) -> None:
        self.kind = kind
        self.identifier = identifier
        super().__init__(f"{kind[0].upper()}{kind[1:]} {identifier!r} not found.")


class IntegrationDisabled(ActivepiecesError):
    """Raised when an integration cannot be used; ``reason`` says why."""

    def __init__(self, integration_id: str, reason: str) -> None:
        self.integration_id = integration_id
        self.reason = reason
        super().__init__(f"Integration {integration_id!r} is disabled: {reason}.")


class ClientDisabled(ActivepiecesError):
    """Raised when a suspended OAuth client asks for tokens."""

    def __init__(self) -> None:
        super().__init__("This OAuth client is suspended by an administrator.")


class ClientNotAllowed(ActivepiecesError):
    """Raised when a user may not approve an OAuth client that registered itself; ``name`` is what it calls itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"An administrator of the workspace does not allow {name!r}.")


class ConnectionInUse(ActivepiecesError):
    """Raised instead of deleting a connection that flows use; ``flow_ids`` are those flows."""

    def __init__(self, flow_ids: Sequence[str]) -> None:
        self.flow_ids = tuple(flow_ids)
        count = len(self.flow_ids)
        flows = "1 flow uses" if count == 1 else f"{count} flows use"
        super().__init__(f"{flows} this connection and would fail without it.")


class AuthorizationDeclined(ActivepiecesError):
    """Raised when an authorization is returned without a code; ``error`` is the third party's error code.

    ``next_url`` is the page that the user wanted to return to.
    """

    def __init__(self, error: str, description: str = "", *, next_url: str | None = None) -> None:
        self.error = error
        self.description = description
        self.next_url = next_url
        super().__init__(description or f"Authorization was declined: {error}.")


class SignatureError(ActivepiecesError):
    """Raised when a signature does not verify; the message never repeats the signed value."""


class SignatureExpired(SignatureError):
    """Raised when a signed value is genuine but has expired."""


class Unavailable(ActivepiecesError):
    """Raised when storage is unreachable; ``retry_after`` is a reasonable number of seconds to wait."""

    def __init__(self, what: str, retry_after: int = 5) -> None:
        self.what = what
        self.retry_after = retry_after
        super().__init__(f"The {what} is currently unavailable.")


class Locked(Unavailable):
    """Raised when another request works on the same thing; it must have finished after ``retry_after`` seconds."""

    def __str__(self) -> str:
        return f"This {self.what} is being changed by another request. Retry in {self.retry_after} seconds."
