"""What a connection holds, typed: one class for each way in which pieces authenticate.

Activepieces takes a wrong value with "Invalid input" and no field, and strips what it does not know without a word.
So everything is checked here, where there are words for it. No value shows a secret in its ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, get_args

from ...errors import InvalidInput

AuthorizationMethod = Literal["BODY", "HEADER"]
GrantType = Literal["authorization_code", "client_credentials"]
#: The types of values that a person's sign-in at a third party makes.
OAuth2Kind = Literal["OAUTH2", "PLATFORM_OAUTH2", "CLOUD_OAUTH2"]
#: How older documentation of Activepieces writes grant types; its API takes the other spelling only.
UPPER_CASE_GRANT_TYPES = {name.upper(): name for name in get_args(GrantType)}
OAUTH2_KINDS: tuple[OAuth2Kind, ...] = get_args(OAuth2Kind)


@dataclass(frozen=True)
class _Value:
    #: What Activepieces calls this kind of value.
    type: ClassVar[str]

    def __post_init__(self) -> None:
        problems = _problems(type(self), vars(self))
        if problems:
            raise InvalidInput(problems)

    def to_json(self) -> dict[str, Any]:
        """The value as Activepieces takes it; what is None is left out."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return {"type": self.type, **given}


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
    """The fields that the piece asks for, by their names. Activepieces takes it even if a required one is missing."""

    type: ClassVar[str] = "CUSTOM_AUTH"

    props: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class OIDC(_Value):
    """What the piece asks for, by name, to get in with a token that Activepieces signs itself (since 0.86)."""

    type: ClassVar[str] = "OIDC"

    props: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class NoAuth(_Value):
    """Nothing: for pieces that need no authentication."""

    type: ClassVar[str] = "NO_AUTH"


@dataclass(frozen=True, kw_only=True)
class OAuth2(_Value):
    """An OAuth2 code, which Activepieces exchanges for tokens at the piece's token endpoint.

    Tokens that exist already cannot be given: Activepieces always makes the exchange. ``code_challenge`` is, whatever
    its name, the PKCE *verifier*. ``authorization_method`` is BODY unless given, whatever the piece says. For the
    grant type ``client_credentials`` the code may be any text.
    """

    type: ClassVar[str] = "OAUTH2"

    client_id: str
    client_secret: str = field(repr=False)
    code: str = field(repr=False)
    redirect_url: str
    scope: str = ""
    code_challenge: str | None = field(default=None, repr=False)
    authorization_method: AuthorizationMethod | None = None
    grant_type: GrantType | None = None
    props: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class PlatformOAuth2(_Value):
    """Like `OAuth2`, with the client secret that the Activepieces platform keeps for this client id."""

    type: ClassVar[str] = "PLATFORM_OAUTH2"

    client_id: str
    code: str = field(repr=False)
    redirect_url: str
    scope: str = ""
    code_challenge: str | None = field(default=None, repr=False)
    authorization_method: AuthorizationMethod | None = None
    props: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class CloudOAuth2(_Value):
    """Like `OAuth2`, with the client that the makers of Activepieces keep; their secrets server must be in reach."""

    type: ClassVar[str] = "CLOUD_OAUTH2"

    client_id: str
    code: str = field(repr=False)
    scope: str = ""
    code_challenge: str | None = field(default=None, repr=False)
    authorization_method: AuthorizationMethod | None = None
    props: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Placeholder(_Value):
    """No value yet: flows can be made with the connection; it is ``MISSING`` until it is given one (since 0.85)."""

    type: ClassVar[str] = "PLACEHOLDER"


Value = (
    SecretText
    | BasicAuth
    | CustomAuth
    | OIDC
    | NoAuth
    | OAuth2
    | PlatformOAuth2
    | CloudOAuth2
    | Placeholder
)

VALUES: Mapping[str, type[Value]] = {kind.type: kind for kind in get_args(Value)}


def value_from_json(document: Mapping[str, Any]) -> Value:
    """The value in a document that came from outside; `InvalidInput` says which field does not fit."""
    name = document.get("type")
    kind = VALUES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidInput({"type": f"must be one of {', '.join(VALUES)}"})
    given = {name: value for name, value in document.items() if name != "type"}
    grant_type = given.get("grant_type")
    if isinstance(grant_type, str):
        given["grant_type"] = UPPER_CASE_GRANT_TYPES.get(grant_type, grant_type)
    unknown = given.keys() - {each.name for each in fields(kind)}
    problems = dict.fromkeys(sorted(map(str, unknown)), f"is not known of {name}")
    problems |= _problems(kind, given)
    if problems:
        raise InvalidInput(problems)
    return kind(**given)


def _problems(kind: type[Any], given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field; it never repeats what was given."""
    found = {each.name: _problem(each, given.get(each.name)) for each in fields(kind)}
    return {name: problem for name, problem in found.items() if problem}


def _problem(spec: Field[Any], value: object) -> str | None:
    if spec.default is MISSING and value in (None, ""):
        return "is required"
    fits, words = _CHECKS[str(spec.type).removesuffix(" | None")]
    return None if value is None or fits(value) else words


#: By the annotation of a field: what fits, and what to say if it does not.
_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "must be a text"),
    "Mapping[str, Any]": (lambda value: isinstance(value, Mapping), "must be an object"),
    "AuthorizationMethod": (lambda value: value in ("BODY", "HEADER"), "must be BODY or HEADER"),
    "GrantType": (
        lambda value: value in ("authorization_code", "client_credentials"),
        "must be authorization_code or client_credentials",
    ),
}
