"""Scope strings (RFC 6749 §3.3), and which scopes a request may have."""

from __future__ import annotations

import pytest
from authlib.oauth2.rfc6749 import InvalidScopeError

from flask_activepieces.config.scopes import Scope
from flask_activepieces.oauth.scopes import join, narrowed, requested, split

KNOWN = {name: Scope(name, name) for name in ("a", "b", "c")}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, []),
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("a b", ["a", "b"]),
        ("b a", ["b", "a"]),
        ("a a b a", ["a", "b"]),
        (" a\t b\n", ["a", "b"]),
        ("a,b", ["a,b"]),
    ],
)
def test_a_scope_string_is_split_in_order_without_duplicates(text: str | None, names: list[str]) -> None:
    assert split(text) == names
    assert split(join(names)) == names


@pytest.mark.parametrize(
    ("asked", "allowed", "names"),
    [
        ("a", "a b", ["a"]),
        ("b a", "a b", ["b", "a"]),
        (None, "a b", ["a", "b"]),
        ("", "b", ["b"]),
        ("a a", "a", ["a"]),
    ],
)
def test_a_client_gets_the_requested_scopes_or_all_registered_ones(
    asked: str | None, allowed: str, names: list[str]
) -> None:
    assert requested(asked, allowed=allowed, known=KNOWN) == names


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("b", "a"),
        ("a b", "a"),
        ("A", "a"),
        ("d", "d"),  # registered once, and no longer in the settings
        (None, "a d"),
        (None, ""),
        ("", ""),
        ("a,b", "a b"),
        ('"\\é', "a"),
    ],
)
def test_other_scopes_are_rejected(asked: str | None, allowed: str) -> None:
    with pytest.raises(InvalidScopeError) as caught:
        requested(asked, allowed=allowed, known=KNOWN)

    assert str(caught.value.description).isprintable()
    assert str(caught.value.description).isascii()


@pytest.mark.parametrize(
    ("asked", "names"), [("a offline_access", ["a"]), ("offline_access b", ["b"]), ("offline_access", ["a", "b"])]
)
def test_offline_access_is_ignored(asked: str, names: list[str]) -> None:
    """Refresh tokens are always issued; claude.ai and others ask for them with this scope."""
    assert requested(asked, allowed="a b", known=KNOWN) == names
    assert narrowed(asked, granted="a b") == join(names)


@pytest.mark.parametrize("asked", ["a OFFLINE_ACCESS", "openid", "a openid", "a profile", "a email offline_access"])
def test_other_scopes_of_openid_connect_are_rejected(asked: str) -> None:
    with pytest.raises(InvalidScopeError):
        requested(asked, allowed="a", known=KNOWN)


def test_an_app_may_have_a_scope_named_offline_access() -> None:
    known = {**KNOWN, "offline_access": Scope("offline_access", "Work while you are away")}

    assert requested("offline_access", allowed="a offline_access", known=known) == ["offline_access"]
    assert narrowed("offline_access", granted="a offline_access") == "offline_access"
    with pytest.raises(InvalidScopeError):
        requested("offline_access", allowed="a", known=known)


@pytest.mark.parametrize(
    ("asked", "granted", "scope"),
    [
        (None, "a b", "a b"),
        ("", "a b", "a b"),
        (" ", "a b", "a b"),
        ("b", "a b", "b"),
        ("b a", "a b", "b a"),
        ("a a", "a b", "a"),
    ],
)
def test_a_refresh_may_request_less(asked: str | None, granted: str, scope: str) -> None:
    assert narrowed(asked, granted=granted) == scope


@pytest.mark.parametrize(("asked", "granted"), [("c", "a b"), ("a b c", "a b"), ("A", "a"), ("a", "")])
def test_a_refresh_may_not_request_more(asked: str, granted: str) -> None:
    with pytest.raises(InvalidScopeError):
        narrowed(asked, granted=granted)
