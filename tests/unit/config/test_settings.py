"""Settings: parsed from values or strings; all problems are reported together, by key."""

from __future__ import annotations

import json
import logging
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from flask_activepieces.config.scopes import Scope
from flask_activepieces.config.settings import Settings
from flask_activepieces.errors import ConfigError

KEY = "a secret key that is long enough"


def settings(**config: Any) -> Settings:
    own = {f"ACTIVEPIECES_{name}": value for name, value in config.items() if name.isupper()}
    return Settings.from_app_config({"SECRET_KEY": KEY} | own)


def problems(config: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.from_app_config({"SECRET_KEY": KEY} | config)
    return caught.value.problems


def test_a_secret_key_is_all_that_is_needed() -> None:
    found = settings()

    assert found.public_url is None
    assert (found.url_prefix, found.oauth_prefix) == ("/api/integration/activepieces", "/oauth")
    assert found.scopes == {}
    assert (found.access_token_ttl, found.refresh_token_ttl, found.code_ttl) == (3600, 7_776_000, 60)
    assert found.revocation_max_staleness == 0
    assert found.redis_url is found.consent_url is None
    assert found.jwt_keys.signing.algorithm == "HS256"


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        settings().code_ttl = 600  # type: ignore[misc]


def test_all_problems_are_reported_together_with_their_keys() -> None:
    found = problems(
        {
            "SECRET_KEY": "short",
            "ACTIVEPIECES_PUBLIC_URL": "app.example.com",
            "ACTIVEPIECES_SCOPES": "not json",
            "ACTIVEPIECES_CODE_TTL": "soon",
            "ACTIVEPIECES_JWT_KEYS": "nonsense",
        }
    )

    keys = [problem.partition(":")[0] for problem in found]
    assert sorted(keys) == sorted(
        ["SECRET_KEY", *(f"ACTIVEPIECES_{name}" for name in ("PUBLIC_URL", "SCOPES", "CODE_TTL", "JWT_KEYS"))]
    )


#: Each value as a Python object and as a string, as in an environment variable.
STRINGS: list[tuple[str, Any, str]] = [
    ("ACCESS_TOKEN_TTL", 7200, "7200"),
    ("REFRESH_TOKEN_TTL", 86_400, " 86400 "),
    ("CODE_TTL", 30, "30"),
    ("REVOCATION_MAX_STALENESS", 5, "5"),
    ("SCOPES", {"a": "A", "b": "B"}, '{"a": "A", "b": "B"}'),
    ("SCOPES", {"a": {"description": "A", "required": True}}, '{"a": {"description": "A", "required": true}}'),
    ("PUBLIC_URL", "https://app.example.com", "https://app.example.com/"),
    ("OAUTH_PREFIX", "/connect", "/connect"),
]


@pytest.mark.parametrize(("name", "value", "text"), STRINGS)
def test_values_may_be_strings(name: str, value: Any, text: str) -> None:
    from_value, from_text = (getattr(settings(**{name: given}), name.lower()) for given in (value, text))

    assert from_value == from_text


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_value_counts_as_unset(empty: str | None) -> None:
    names = ["PUBLIC_URL", "SCOPES", "CODE_TTL", "SECRET_KEYS", "JWT_KEYS", "REDIS_URL", "CONSENT_URL"]

    assert settings(**dict.fromkeys(names, empty)).code_ttl == 60


# Keys


def test_secret_keys_come_from_flask_unless_they_are_set() -> None:
    flask_own = Settings.from_app_config({"SECRET_KEY": KEY})
    with_fallback = Settings.from_app_config(
        {"SECRET_KEY": "a newer secret key, in front", "SECRET_KEY_FALLBACKS": [KEY]}
    )
    own = settings(SECRET_KEYS=["a key for this purpose only", KEY])
    signature = flask_own.secret_keys.sign("purpose", b"message")

    assert [repr(found.secret_keys) for found in (flask_own, with_fallback, own)] == [
        "<KeyRing of 1>",
        "<KeyRing of 2>",
        "<KeyRing of 2>",
    ]
    for found in (with_fallback, own):
        found.secret_keys.verify("purpose", b"message", signature)
        assert found.secret_keys.sign("purpose", b"message") != signature


@pytest.mark.parametrize(
    "text", [f"{KEY}, another key of some length", json.dumps([KEY, "another key of some length"])]
)
def test_secret_keys_may_be_a_string(text: str) -> None:
    ring = settings(SECRET_KEYS=text).secret_keys

    ring.verify("purpose", b"", settings().secret_keys.sign("purpose", b""))


@pytest.mark.parametrize("key", ["", "short", "x" * 15, None, b"", b"short"])
def test_a_short_or_missing_secret_key_is_rejected(key: Any) -> None:
    (problem,) = problems({"SECRET_KEY": key})

    assert problem.startswith("SECRET_KEY")
    assert "secrets.token_hex" in problem


@pytest.mark.parametrize("keys", [["x" * 16, "short"], "short", [1], 5, [b"bytes of some length"]])
def test_short_and_invalid_secret_keys_are_rejected(keys: Any) -> None:
    found = problems({"ACTIVEPIECES_SECRET_KEYS": keys})

    assert any("SECRET_KEYS" in problem for problem in found)


def test_a_secret_key_may_be_bytes() -> None:
    ring = Settings.from_app_config({"SECRET_KEY": KEY.encode()}).secret_keys

    ring.verify("purpose", b"", settings().secret_keys.sign("purpose", b""))


# Lifetimes


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ACCESS_TOKEN_TTL", 901, 86_400),
        ("REFRESH_TOKEN_TTL", 86_400, 315_360_000),
        ("CODE_TTL", 10, 600),
        ("REVOCATION_MAX_STALENESS", 0, 300),
    ],
)
def test_lifetimes_have_bounds(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(settings(**{name: value}), name.lower()) == value
    beyond: list[Any] = [low - 1, high + 1, "soon", "1.5", 1.5, True, "1e3", [], "\u00b2"]
    for wrong in beyond:
        (problem,) = problems({f"ACTIVEPIECES_{name}": wrong})
        assert "seconds" in problem


# Scopes


def test_scopes_have_descriptions_and_may_be_required() -> None:
    given = {"a": " A ", "b": {"description": "B", "required": True}, "c": {"description": "C", "required": "yes"}}

    assert settings(SCOPES=given).scopes == {
        "a": Scope("a", "A"),
        "b": Scope("b", "B", required=True),
        "c": Scope("c", "C", required=False),
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("tasks:read", "read"),
        ("tasks.READONLY", "read"),
        ("profile", "read"),
        ("https://tasklane.example/auth/tasks.delete", "delete"),
        ("tasks_remove", "delete"),
        ("read:tasks", "read"),
        ("delete:tasks", "delete"),
        ("read_write", "change"),
        ("list:edit", "change"),
        ("spread", "change"),
        ("tasks:undelete", "change"),
        ("admin", "change"),
        ("1", "change"),
    ],
)
def test_the_name_of_a_scope_says_what_it_allows(name: str, kind: str) -> None:
    assert settings(SCOPES={name: "A"}).scopes[name].kind == kind


def test_the_kind_and_the_details_of_a_scope_can_be_set() -> None:
    given = {"tasks:read": {"description": "A", "details": " And more ", "kind": "delete"}}

    assert settings(SCOPES=given).scopes == {"tasks:read": Scope("tasks:read", "A", False, "And more", "delete")}


@pytest.mark.parametrize(
    "scopes",
    [
        [],
        ["a"],
        "a b",
        "{",
        "[]",
        5,
        {"": "A"},
        {"a b": "A"},
        {'a"': "A"},
        {"a\\": "A"},
        {"é": "A"},
        {"a\n": "A"},
        {1: "A"},
        {"a": ""},
        {"a": "  "},
        {"a": None},
        {"a": 5},
        {"a": {}},
        {"a": {"title": ""}},
        {"a": {"required": True}},
        {"a": {"description": "A", "details": ["B"]}},
        {"a": {"description": "A", "kind": "write"}},
        {"a": {"description": "A", "kind": ["read"]}},
        {"a": {"description": "A", "kinds": "delete"}},
    ],
    ids=str,
)
def test_invalid_scopes_are_rejected(scopes: Any) -> None:
    (problem,) = problems({"ACTIVEPIECES_SCOPES": scopes})

    assert problem.startswith("ACTIVEPIECES_SCOPES: ")


def test_an_unknown_key_is_logged_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        settings(PUBLIC_URI="https://app.example.com")

    assert "ACTIVEPIECES_PUBLIC_URI" in caplog.text
    assert "app.example.com" not in caplog.text


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("PUBLICURL", "Did you mean ACTIVEPIECES_PUBLIC_URL?"),
        ("public_url", "Did you mean ACTIVEPIECES_PUBLIC_URL?"),
        ("SCOPE", "Did you mean ACTIVEPIECES_SCOPES?"),
        ("COLOUR", None),
    ],
)
def test_a_misspelt_key_is_logged_with_the_correct_one(
    key: str, suggestion: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    Settings.from_app_config({"SECRET_KEY": KEY, f"ACTIVEPIECES_{key}": "x"})

    (record,) = caplog.records
    assert record.getMessage().startswith(f"ACTIVEPIECES_{key} is not a setting")
    assert record.getMessage().endswith(suggestion or "version.")


def test_a_repr_shows_no_secret() -> None:
    shown = repr(settings(REDIS_URL="redis://:password@127.0.0.1/0", SECRET_KEYS=[KEY]))

    assert KEY not in shown
    assert "password" not in shown
