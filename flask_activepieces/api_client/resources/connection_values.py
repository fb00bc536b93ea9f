"""The value of a connection: one class for each way in which pieces authenticate.

Activepieces rejects a wrong value with "Invalid input" without naming the field, and silently drops unknown fields.
So values are validated here. None shows a secret in its ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args

from ...errors import InvalidInput

AuthorizationMethod = Literal["BODY", "HEADER"]
GrantType = Literal["authorization_code", "client_credentials"]
#: The types of values that result from an OAuth2 authorization.
OAuth2Kind = Literal["OAUTH2", "PLATFORM_OAUTH2", "CLOUD_OAUTH2"]
#: Older documentation of Activepieces writes grant types in capitals, which its API rejects.
UPPER_CASE_GRANT_TYPES = {name.upper(): name for name in get_args(GrantType)}
OAUTH2_KINDS: tuple[OAuth2Kind, ...] = get_args(OAuth2Kind)


@dataclass(frozen=True)
class _Value:
    #: Activepieces' name for this kind of value.
    type: ClassVar[str]

    def __post_init__(self) -> None:
        problems = _problems(type(self), vars(self))
        if problems:
            raise InvalidInput(problems)

    def to_json(self) -> dict[str, Any]:
        """The JSON for Activepieces, without what is None."""
        members = {name: value for name, value in vars(self).items() if value is not None}
        return {"type": self.type, **members}


@dataclass(frozen=True)
class SecretText(_Value):
    """One secret: an API key, a personal access token."""

    type: ClassVar[str] = "SECRET_TEXT"
    secret_text: str = field(repr=False)


@dataclass(frozen=True)
class BasicAuth(_Value):
    """A user name and a password."""

    type: ClassVar[str] = "BASIC_AUTH"
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class CustomAuth(_Value):
    """The fields of the piece, by name. Activepieces does not check that required ones are present."""

    type: ClassVar[str] = "CUSTOM_AUTH"
    props: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class OIDC(_Value):
    """The fields of a piece that accepts tokens signed by Activepieces, by name (since 0.86)."""

    type: ClassVar[str] = "OIDC"
    props: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class NoAuth(_Value):
    """No value, for pieces without authentication."""

    type: ClassVar[str] = "NO_AUTH"


@dataclass(frozen=True, kw_only=True)
class _OAuth2Value(_Value):
    client_id: str
    code: str = field(repr=False)
    scope: str = ""
    #: Despite its name, the PKCE *verifier*.
    code_challenge: str | None = field(default=None, repr=False)
    #: Activepieces defaults to BODY, whatever the piece declares.
    authorization_method: AuthorizationMethod | None = None
    props: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class OAuth2(_OAuth2Value):
    """An OAuth2 code, which Activepieces exchanges for tokens at the piece's token endpoint.

    Existing tokens cannot be stored. For the grant type ``client_credentials`` the code may be any string.
    """

    type: ClassVar[str] = "OAUTH2"
    client_secret: str = field(repr=False)
    redirect_url: str
    grant_type: GrantType | None = None


@dataclass(frozen=True, kw_only=True)
class PlatformOAuth2(_OAuth2Value):
    """Like `OAuth2`, with the client secret that the Activepieces platform has stored for this client id."""

    type: ClassVar[str] = "PLATFORM_OAUTH2"
    redirect_url: str


@dataclass(frozen=True, kw_only=True)
class CloudOAuth2(_OAuth2Value):
    """Like `OAuth2`, with a client of Activepieces' developers; their secrets server must be reachable."""

    type: ClassVar[str] = "CLOUD_OAUTH2"


@dataclass(frozen=True)
class Placeholder(_Value):
    """No value yet: flows can use the connection, whose status is ``MISSING`` until it has one (since 0.85)."""

    type: ClassVar[str] = "PLACEHOLDER"


Value = (
    SecretText | BasicAuth | CustomAuth | OIDC | NoAuth
    | OAuth2 | PlatformOAuth2 | CloudOAuth2 | Placeholder
)  # fmt: skip

VALUES: Mapping[str, type[Value]] = {kind.type: kind for kind in get_args(Value)}


def value_from_json(document: Mapping[str, Any]) -> Value:
    """The value in a JSON document; `InvalidInput` lists every field that does not fit."""
    name = document.get("type")
    kind = VALUES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidInput({"type": f"must be one of {', '.join(VALUES)}"})
    members = {name: value for name, value in document.items() if name != "type"}
    grant_type = members.get("grant_type")
    if isinstance(grant_type, str):
        members["grant_type"] = UPPER_CASE_GRANT_TYPES.get(grant_type, grant_type)
    unknown = members.keys() - {each.name for each in fields(kind)}
    problems = dict.fromkeys(sorted(map(str, unknown)), f"unknown field for {name}")
    problems |= _problems(kind, members)
    if problems:
        raise InvalidInput(problems)
    return kind(**members)


def _problems(kind: type[Any], members: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by field; it never quotes a value."""
    problems = {each.name: _problem(each, members.get(each.name)) for each in fields(kind)}
    return {name: problem for name, problem in problems.items() if problem}


def _problem(described: Field[Any], value: object) -> str | None:
    if described.default is MISSING and value in (None, ""):
        return "is required"
    is_valid, problem = _CHECKS[str(described.type).removesuffix(" | None")]
    return None if value is None or is_valid(value) else problem


def _one_of(values: tuple[str, ...]) -> tuple[Callable[[object], bool], str]:
    return lambda value: value in values, f"must be {' or '.join(values)}"


#: By the annotation of a field.
_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "must be a string"),
    "Mapping[str, Any]": (lambda value: isinstance(value, Mapping), "must be an object"),
    "AuthorizationMethod": _one_of(get_args(AuthorizationMethod)),
    "GrantType": _one_of(get_args(GrantType)),
}
