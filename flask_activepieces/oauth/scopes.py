"""Scope strings (RFC 6749 §3.3) and who may have which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from authlib.oauth2.rfc6749 import InvalidScopeError

from ..config.settings import Scope


def split(scope: str | None) -> list[str]:
    """The scope tokens, each once, in the order in which they were asked for."""
    return list(dict.fromkeys((scope or "").split()))


def join(names: Iterable[str]) -> str:
    """The scope string of these tokens."""
    return " ".join(names)


def requested(asked: str | None, *, allowed: str, known: Mapping[str, Scope]) -> list[str]:
    """What a client asks for; all that it may have if it does not say.

    Raises InvalidScopeError for a scope that does not exist or that the client is not registered for.
    """
    names = split(asked) or split(allowed)
    outside = [name for name in names if name not in known or name not in split(allowed)]
    if outside:
        # Named only when it can stand in an error description (RFC 6749 §4.1.2.1).
        named = next((f" '{name}'" for name in outside if name in known), "")
        raise InvalidScopeError(
            f"The client may not ask for the scope{named}; see its registration."
        )
    if not names:
        raise InvalidScopeError(
            "The client is registered for no scope, so there is nothing to ask for."
        )
    return names


def narrowed(asked: str | None, *, granted: str) -> str:
    """The scope of a refreshed token: what was granted, or a part of it (RFC 6749 §6).

    Raises InvalidScopeError when more is asked for than the user allowed.
    """
    names = split(asked)
    if not names:
        return granted
    if not set(names) <= set(split(granted)):
        raise InvalidScopeError("A refresh cannot ask for more than the user allowed.")
    return join(names)
