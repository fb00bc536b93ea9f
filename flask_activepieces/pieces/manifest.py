"""The manifest, from which the JavaScript runtime in the package creates the piece.

It depends only on the definition and the app's addresses, so that two builds of the same app are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from ..config.settings import Settings
from ..errors import SetupError
from . import auth as kinds
from .declarations import Action, Trigger, as_schema, optional_schema
from .definition import CUSTOM_API_CALL, PieceDefinition
from .properties import (
    IN_CUSTOM_AUTH,
    IN_OAUTH2,
    SINCE_0_86,
    Property,
    input_fields,
    is_file,
    properties_of,
    value_fields,
)
from .schemas import output_fields, sample
from .translations import LONGEST_TEXT

Manifest = dict[str, Any]

#: Must change if older runtimes cannot read the manifest.
FORMAT = 1
#: The oldest servers that support the context of the runtime (version 1), and the newest kinds of fields. Both were
#: read in the source of Activepieces; docs/piece-publishing.md says what was run.
OLDEST_RELEASE = "0.73.0"
RELEASE_OF_NEW_KINDS = "0.86.0"
#: The field of the form for the address of the app.
ADDRESS = "base_url"
#: Subscriptions are renewed once a day, at a quiet hour.
RENEWAL = "17 3 * * *"

_GRANT_TYPES = {
    "AUTHORIZATION_CODE": "authorization_code",
    "CLIENT_CREDENTIALS": "client_credentials",
    "BOTH": "both_client_credentials_and_authorization_code",
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses at which the piece calls the app."""

    #: The app's public URL; None: every connection contains the address.
    base_url: str | None
    oauth_prefix: str
    #: The prefix of the routes for the piece.
    api_path: str
    #: Whether Activepieces asks for events, because the app cannot reach Activepieces.
    polls: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Addresses:
        """The addresses of an app."""
        return cls(
            base_url=settings.public_url,
            oauth_prefix=settings.oauth_prefix,
            api_path=f"{settings.url_prefix}/piece",
            polls=settings.trigger_delivery == "polling",
        )


def build_manifest(definition: PieceDefinition, addresses: Addresses, *, version: str) -> Manifest:
    """The manifest of this version; `SetupError` if the piece would have no address of the app."""
    piece = definition.piece
    if addresses.base_url is None and not all(map(_asks_for_address, piece.auth)):
        raise SetupError(
            "ACTIVEPIECES_PUBLIC_URL is not set, so the piece would not know where the app is. Set it to the app's"
            " public URL, such as https://app.example.com, or let every kind of authentication ask for the address."
        )
    actions = {each.name: _action(each, definition, addresses) for each in definition.actions.values()}
    if piece.custom_api_call:
        actions[CUSTOM_API_CALL] = _custom_api_call(piece.title)
    triggers = {each.name: _trigger(each, definition, addresses) for each in definition.triggers.values()}
    return {
        "format": FORMAT,
        "name": piece.name,
        "version": version,
        "displayName": piece.title,
        "description": piece.description,
        "logoUrl": definition.logo_url,
        "authors": list(piece.authors),
        "categories": list(piece.categories),
        "minimumSupportedRelease": _oldest_release([*actions.values(), *triggers.values()]),
        "baseUrl": addresses.base_url,
        "apiPath": addresses.api_path,
        "auth": [_auth(each, definition, addresses) for each in piece.auth],
        "actions": actions,
        "triggers": triggers,
        "translations": {
            language: {text[:LONGEST_TEXT]: translated for text, translated in texts.items()}
            for language, texts in piece.translations.items()
        },
    }


def _oldest_release(steps: Iterable[Manifest]) -> str:
    used = {each["type"] for step in steps for each in step["props"].values()}
    return RELEASE_OF_NEW_KINDS if used & SINCE_0_86 else OLDEST_RELEASE


def _asks_for_address(declared: kinds.Auth) -> bool:
    match declared:
        case kinds.OAuth2():
            return declared.asks_for_address
        case kinds.CustomAuth():
            return ADDRESS in dict(input_fields(as_schema(declared.form)))
        case _:
            return False


def _auth(declared: kinds.Auth, definition: PieceDefinition, addresses: Addresses) -> Manifest:
    common = {"type": declared.kind, "displayName": declared.title, "description": declared.description}
    match declared:
        case kinds.OAuth2():
            return {**common, "required": declared.required, **_oauth2(declared, definition, addresses)}
        case kinds.BasicAuth():
            labels = {
                "username": {"displayName": declared.username_title, "description": declared.username_description},
                "password": {"displayName": declared.password_title, "description": declared.password_description},
            }
            return {**common, "required": True, **labels}
        case kinds.CustomAuth():
            props = properties_of(as_schema(declared.form), allowed=IN_CUSTOM_AUTH)
            described = {**common, "required": declared.required, "props": props}
            return {**described, "refresh": {"defaultExpiresIn": declared.refresh}} if declared.refresh else described
        case kinds.SecretText():
            return {**common, "required": declared.required}


def _oauth2(declared: kinds.OAuth2, definition: PieceDefinition, addresses: Addresses) -> Manifest:
    props = properties_of(optional_schema(declared.form), allowed=IN_OAUTH2)
    site = addresses.base_url
    if declared.asks_for_address:
        site = f"{{{ADDRESS}}}"
        props = {ADDRESS: _address(definition.piece.title, addresses.base_url), **props}
    described: Manifest = {
        "authUrl": f"{site}{addresses.oauth_prefix}/authorize",
        "tokenUrl": f"{site}{addresses.oauth_prefix}/token",
        "scope": definition.scopes if declared.scopes is None else list(declared.scopes),
        "grantType": _GRANT_TYPES[declared.grant_type],
        "authorizationMethod": declared.authorization_method,
        "pkce": declared.pkce,
    }
    if declared.pkce:
        described["pkceMethod"] = "S256"
    if declared.prompt is not None:
        described["prompt"] = declared.prompt
    if declared.extra:
        described["extra"] = dict(declared.extra)
    if props:
        described["props"] = props
    return described


def _address(title: str, default: str | None) -> Property:
    described = {
        "type": "SHORT_TEXT",
        "displayName": f"Address of {title}",
        "description": "For example https://app.example.com",
        "required": True,
    }
    return described if default is None else {**described, "defaultValue": default}


def _action(action: Action, definition: PieceDefinition, addresses: Addresses) -> Manifest:
    described: Manifest = {
        "displayName": action.title,
        "description": action.description,
        "requireAuth": True,
        "props": _props(action.input, definition),
        "errorHandlingOptions": {
            "retryOnFailure": _error_handling(action.retry),
            "continueOnFailure": _error_handling(action.continue_on_failure),
        },
        "audience": action.audience,
        "aiMetadata": {"description": action.ai or action.description, "idempotent": action.idempotent},
        "request": _request(action, definition, addresses),
    }
    outputs = output_fields(action.output)
    return {**described, "outputSchema": {"fields": outputs}} if outputs else described


def _error_handling(default: bool | None) -> Mapping[str, bool]:
    return {"defaultValue": bool(default), "hide": default is None}


def _request(action: Action, definition: PieceDefinition, addresses: Addresses) -> Manifest:
    files = [name for name, field in value_fields(action.input) if is_file(field)]
    names = [name for name, _ in value_fields(action.input) if name not in files]
    route = definition.routes.get(action.name)
    if route is None:
        path = f"{addresses.api_path}/actions/{action.name}"
        return {"method": "POST", "path": path, "pathParams": [], "query": [], "body": names, "files": files}
    others = [name for name in names if name not in route.path_params]
    in_query = route.method in ("GET", "DELETE")
    return {
        "method": route.method,
        "path": route.path,
        "pathParams": list(route.path_params),
        "query": others if in_query else [],
        "body": [] if in_query else others,
        "files": files,
    }


def _trigger(trigger: Trigger, definition: PieceDefinition, addresses: Addresses) -> Manifest:
    described: Manifest = {
        "displayName": trigger.title,
        "description": trigger.description,
        "requireAuth": True,
        "props": _props(trigger.input, definition),
        "type": "POLLING" if addresses.polls else "WEBHOOK",
        "sampleData": sample(trigger.payload),
        "outputSchema": {"fields": output_fields(trigger.payload)},
        "aiMetadata": {"description": trigger.ai or trigger.description},
    }
    return described if addresses.polls else {**described, "renew": RENEWAL}


def _props(schema: Schema | None, definition: PieceDefinition) -> dict[str, Property]:
    return {name: _with_options(each, definition) for name, each in properties_of(schema).items()}


def _with_options(described: Property, definition: PieceDefinition) -> Property:
    """The property with details of its declared options, also in a list of objects."""
    if "properties" in described:
        inner = {name: _with_options(each, definition) for name, each in described["properties"].items()}
        return {**described, "properties": inner}
    if described["type"] not in ("DROPDOWN", "MULTI_SELECT_DROPDOWN", "DYNAMIC"):
        return described
    is_dynamic = described["type"] == "DYNAMIC"
    declared = definition.options[described["props" if is_dynamic else "options"]]
    refreshers = list(dict.fromkeys([*described["refreshers"], *declared.refreshers]))
    search = {} if is_dynamic else {"refreshOnSearch": declared.search}
    return {**described, "refreshers": refreshers, **search}


def _custom_api_call(title: str) -> Manifest:
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    method = {
        **_field("Method", "", "STATIC_DROPDOWN", required=True),
        "defaultValue": "GET",
        "options": {"options": [{"label": each, "value": each} for each in methods]},
    }
    return {
        "displayName": "Custom API call",
        "description": f"Calls any route of {title} with the permissions of the connection",
        "requireAuth": True,
        "props": {
            "method": method,
            "path": _field("Path", f"A path of {title}, such as /api/tasks", required=True),
            "query": _field("Query parameters", "", "OBJECT"),
            "body": _field("Body", "A JSON value", "JSON"),
        },
        "errorHandlingOptions": {
            "retryOnFailure": _error_handling(False),
            "continueOnFailure": _error_handling(False),
        },
        "audience": "both",
        "aiMetadata": {"description": f"Call a route of {title} that no other action covers", "idempotent": False},
        "request": {"custom": True},
    }


def _field(title: str, description: str, kind: str = "SHORT_TEXT", *, required: bool = False) -> Property:
    return {"type": kind, "displayName": title, "description": description, "required": required}
