"""The form for a new connection, as the piece describes its authentication, and the value that it sends.

Fields are numbered, because the names of a piece's properties may be anything, and choices are, because their values
may be any JSON.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from werkzeug.datastructures import MultiDict

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
_MAX_NUMBER_LENGTH = 30
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
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

    def defaults(self) -> dict[str, Sequence[str]]:
        """What the fields contain at first, as `entered` returns it."""
        return {field.name: _default(field) for field in self.fields}

    def entered(self, form: MultiDict[str, str]) -> dict[str, Sequence[str]]:
        """What was entered, by the names of the fields: the boxes and options that were chosen, and no secrets."""
        return {field.name: form.getlist(field.name) for field in self.fields if field.kind != "secret"}

    @property
    def has_secrets(self) -> bool:
        """Whether a field is not shown again after an error."""
        return any(field.kind == "secret" for field in self.fields)

    def read(self, form: MultiDict[str, str]) -> Mapping[str, Any]:
        """The values by the names of the properties; `InvalidInput` names each field that is missing or wrong."""
        values, problems = dict[str, Any](), dict[str, str]()
        for field in self.fields:
            try:
                value = _read(field, form)
            except InvalidInput as problem:
                problems |= problem.fields
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


def _default(field: FormField) -> Sequence[str]:
    """What the piece suggests for a field, as the form sends it."""
    default = field.prop.default_value
    match field.kind:
        case "note" | "secret":
            return []
        case "checkbox":
            return ["1"] if default is True else []
        case "select" | "multiselect":
            # As JSON: in Python, True is 1.
            wanted = default if field.kind == "multiselect" and isinstance(default, list) else [default]
            wanted_json = {json.dumps(each, sort_keys=True) for each in wanted}
            options = enumerate(_options(field.prop))
            return [
                str(place)
                for place, option in options
                if json.dumps(option.get("value"), sort_keys=True) in wanted_json
            ]
        case _:
            is_text = isinstance(default, str | int | float) and not isinstance(default, bool)
            return [str(default)] if is_text else []


def _read(field: FormField, form: MultiDict[str, str]) -> Any:
    """The value of one field; `InvalidInput` says what is wrong with it."""
    match field.kind:
        case "note":
            return None
        case "checkbox":
            return field.name in form
        case "select":
            chosen = form.get(field.name, "")
            return _choice(field, chosen) if chosen else None
        case "multiselect":
            return [_choice(field, each) for each in form.getlist(field.name)]
        case "number":
            text = form.get(field.name, "").strip()
            return _number(field, text) if text else None
        case "secret" | "long":
            return form.get(field.name, "")
        case _:
            return form.get(field.name, "").strip()


def _choice(field: FormField, place: str) -> Any:
    if place not in field.choices:
        raise InvalidInput({field.name: Message("Choose one of the options.")})
    return _options(field.prop)[int(place)].get("value")


def _number(field: FormField, text: str) -> int | float:
    """A number that JSON has: finite, and not thousands of digits long."""
    if len(text) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return int(text) if text.lstrip("+-").isdigit() else number
    raise InvalidInput({field.name: Message("Enter a number.")})
