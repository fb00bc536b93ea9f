"""The form for a new connection, as the piece describes its authentication, and the value that it sends.

Fields are numbered, because the names of a piece's properties may be anything, and choices are, because their values
may be any JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ....api_client.resources.connection_values import BasicAuth, CustomAuth, NoAuth, OAuth2, SecretText, Value
from ....api_client.resources.pieces import PieceAuth, PieceProperty
from ....errors import InvalidInput
from ....integrations.sign_in import piece_auth
from ....messages import Message

Kind = Literal["text", "secret", "long", "number", "checkbox", "select", "multiselect", "note"]

_KINDS: Mapping[str, Kind] = {
    "SHORT_TEXT": "text",
    "LONG_TEXT": "long",
    "SECRET_TEXT": "secret",
    "NUMBER": "number",
    "CHECKBOX": "checkbox",
    "STATIC_DROPDOWN": "select",
    "STATIC_MULTI_SELECT_DROPDOWN": "multiselect",
    "MARKDOWN": "note",
}
_CLIENT_ID = PieceProperty(name="client_id", type="SHORT_TEXT", required=True)
_CLIENT_SECRET = PieceProperty(name="client_secret", type="SECRET_TEXT", required=True)
_OAUTH_LABELS = {"client_id": Message("Client ID"), "client_secret": Message("Client secret")}
_BASIC_LABELS = {"username": Message("User name"), "password": Message("Password")}


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of the form."""

    #: Its name in the form: ``field-0``.
    name: str
    prop: PieceProperty
    kind: Kind
    label: str
    #: The labels of a dropdown, by their numbers.
    choices: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ConnectionForm:
    """A way to authenticate that a form can fill in."""

    auth: PieceAuth | None
    fields: Sequence[FormField]

    def read(self, form: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values by the names of the properties; `InvalidInput` for each required field that is missing."""
        values, problems = dict[str, Any](), dict[str, str]()
        for field in self.fields:
            try:
                value = _read(field, form)
            except ValueError as error:
                problems[field.name] = Message(str(error))
                continue
            if value in (None, "", []):
                if field.prop.required and field.kind not in ("note", "checkbox"):
                    problems[field.name] = Message("This is required.")
            else:
                values[field.prop.name] = value
        if problems:
            raise InvalidInput(problems)
        return values


def has_form(auth: PieceAuth) -> bool:
    """Whether a form is enough, without a sign-in at the service."""
    if auth.type == OAuth2.type:
        return auth.grant_type == "client_credentials"
    known = all(each.type in _KINDS for each in auth.properties)
    return auth.type in (SecretText.type, BasicAuth.type, CustomAuth.type) and known


def form_for(auth: PieceAuth | None) -> ConnectionForm:
    """The form for this way to authenticate; None for a piece without authentication."""
    if auth is None:
        return ConnectionForm(auth=None, fields=())
    labels: Mapping[str, str] = {}
    match auth.type:
        case SecretText.type:
            label = auth.display_name or Message("Secret")
            secret = PieceProperty(name="secret", display_name=label, type="SECRET_TEXT", required=True)
            properties: Sequence[PieceProperty] = (secret,)
        case BasicAuth.type:
            properties, labels = auth.properties, _BASIC_LABELS
        case OAuth2.type:
            properties, labels = (_CLIENT_ID, _CLIENT_SECRET, *auth.properties), _OAUTH_LABELS
        case _:
            properties = auth.properties
    return ConnectionForm(auth=auth, fields=[_field(number, prop, labels) for number, prop in enumerate(properties)])


def sign_in_form(auth: PieceAuth) -> ConnectionForm:
    """What a sign-in at the service needs to know first, such as the name of a workspace."""
    return ConnectionForm(auth=auth, fields=[_field(number, prop, {}) for number, prop in enumerate(auth.properties)])


def value_of(form: ConnectionForm, values: Mapping[str, Any], *, redirect_url: str) -> Value:
    """The value of a connection; ``redirect_url`` is for OAuth2 only, and not used without a sign-in."""
    auth = form.auth
    if auth is None:
        return NoAuth()
    match auth.type:
        case SecretText.type:
            return SecretText(values["secret"])
        case BasicAuth.type:
            return BasicAuth(values["username"], values["password"])
        case OAuth2.type:
            props = {name: str(value) for name, value in values.items() if name in auth.props}
            piece_auth.check_props(auth, props)
            return OAuth2(
                client_id=values["client_id"],
                client_secret=values["client_secret"],
                # Activepieces requires a code, and does not use it for this grant type.
                code="none",
                redirect_url=redirect_url,
                grant_type="client_credentials",
                scope=piece_auth.fill_placeholders(" ".join(auth.scope), props),
                authorization_method=piece_auth.authorization_method(auth),
                props=props or None,
            )
        case _:
            return CustomAuth(values)


def _field(number: int, prop: PieceProperty, labels: Mapping[str, str]) -> FormField:
    return FormField(
        name=f"field-{number}",
        prop=prop,
        kind=_KINDS.get(prop.type, "text"),
        label=prop.display_name or labels.get(prop.name, prop.name),
        choices={str(place): str(option.get("label", "")) for place, option in enumerate(_options(prop))},
    )


def _options(prop: PieceProperty) -> Sequence[Mapping[str, Any]]:
    options = prop.options.get("options")
    return [each for each in options if isinstance(each, Mapping)] if isinstance(options, list) else []


def _read(field: FormField, form: Mapping[str, Any]) -> Any:
    """The value of one field; `ValueError` says what is wrong with it."""
    match field.kind:
        case "note":
            return None
        case "checkbox":
            return field.name in form
        case "select":
            chosen = form.get(field.name, "")
            return _choice(field, chosen) if chosen else None
        case "multiselect":
            getlist = getattr(form, "getlist", None)
            chosen_places = getlist(field.name) if getlist else []
            return [_choice(field, each) for each in chosen_places]
        case "number":
            text = form.get(field.name, "").strip()
            return _number(text) if text else None
        case "secret" | "long":
            return form.get(field.name, "")
        case _:
            return form.get(field.name, "").strip()


def _choice(field: FormField, place: str) -> Any:
    options = _options(field.prop)
    if not place.isdecimal() or int(place) >= len(options):
        raise ValueError("Choose one of the options.")
    return options[int(place)].get("value")


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError("Enter a number.") from None
