"""Scope strings (RFC 6749 §3.3), and which scopes a request may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from authlib.oauth2.rfc6749 import InvalidScopeError

from ..config.scopes import Scope

#: OpenID Connect Core §11: a request for refresh tokens, which are always issued. Agents add it to their scopes.
OFFLINE_ACCESS = "offline_access"


def split(scope: str | None) -> list[str]:
    """The scopes in a scope string, without duplicates, in their order."""
    return list(dict.fromkeys((scope or "").split()))


def join(scopes: Iterable[str]) -> str:
    """The scope string of these scopes."""
    return " ".join(scopes)


def requested(scope: str | None, *, allowed: str, known: Mapping[str, Scope]) -> list[str]:
    """The requested scopes; all that the client is registered for if it names none.

    `OFFLINE_ACCESS` is ignored, unless the app has a scope of that name. InvalidScopeError if a scope does not exist,
    or the client is not registered for it.
    """
    scopes = _without_offline_access(scope, known) or split(allowed)
    if not scopes:
        raise InvalidScopeError("The client has no registered scopes.")
    rejected = [name for name in scopes if name not in known or name not in split(allowed)]
    if rejected:
        # Only known scopes: others may contain characters that a description must not (RFC 6749 §4.1.2.1).
        named = next((name for name in rejected if name in known), None)
        if named is None:
            raise InvalidScopeError(
                "The app does not know a requested scope. Compare it with the registration of the client."
            )
        raise InvalidScopeError(f"The client may not request the scope '{named}'. Register the client for it.")
    return scopes


def _without_offline_access(scope: str | None, known: Collection[str]) -> list[str]:
    return [name for name in split(scope) if name != OFFLINE_ACCESS or name in known]


def narrowed(scope: str | None, *, granted: str) -> str:
    """The scope of a refreshed token: what was granted, or a part of it (RFC 6749 §6).

    InvalidScopeError if more is requested than the user allowed.
    """
    scopes = _without_offline_access(scope, split(granted))
    if not scopes:
        return granted
    if not set(scopes) <= set(split(granted)):
        raise InvalidScopeError("A refresh cannot ask for more than the user allowed.")
    return join(scopes)
