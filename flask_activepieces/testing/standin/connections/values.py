"""The value of a connection: its forms, and how it is processed before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pieces.catalogue import bare, behavior_of, check_of, find_piece
from ..routing.responses import ErrorResponse, Json, Row, activepieces_error, rule_violation
from ..routing.validation import Validator, fields, nullable, one_of, optional, record, text, union
from ..state import ServerState
from .tokens import OAUTH_TYPES, claim_tokens

#: Seconds after which a server stops waiting for a worker.
SAFETY_TIMEOUT = 300.0

_GRANT = one_of("authorization_code", "client_credentials")
_METHOD = one_of("HEADER", "BODY")
_AN_OAUTH_VALUE = {
    "client_id": text(min_length=1),
    "code": text(min_length=1),
    "code_challenge": optional(text()),
    "scope": text(),
    "authorization_method": optional(_METHOD),
}
_VALUES: Mapping[str, Mapping[str, Validator]] = {
    "CUSTOM_AUTH": {"props": record()},
    "CLOUD_OAUTH2": {**_AN_OAUTH_VALUE, "props": optional(record())},
    "PLATFORM_OAUTH2": {**_AN_OAUTH_VALUE, "redirect_url": text(min_length=1), "props": optional(record())},
    "OAUTH2": {
        **_AN_OAUTH_VALUE,
        "client_secret": text(min_length=1),
        "redirect_url": text(min_length=1),
        "grant_type": optional(_GRANT),
        "props": optional(record()),
    },
    "SECRET_TEXT": {"secret_text": text(min_length=1)},
    "BASIC_AUTH": {"username": text(min_length=1), "password": text(min_length=1)},
    "NO_AUTH": {},
}
_COMMON = {
    "externalId": text(),
    "displayName": text(),
    "pieceName": text(min_length=1),
    "pieceVersion": optional(text()),
    "metadata": optional(nullable(record())),
}


def draft(common: Mapping[str, Validator], *later: str) -> Validator:
    """The body of an upsert: one form for each type, each with the fields in ``common``."""
    forms: dict[str, Mapping[str, Validator]] = {
        kind: {"value": _value(kind, validators)} for kind, validators in _VALUES.items()
    }
    forms |= {kind: _LATER_FORMS[kind] for kind in later}
    return union(*(fields({**_COMMON, **common, "type": one_of(kind), **form}) for kind, form in forms.items()))


def project_upsert_body(*later: str) -> Validator:
    """The body of an upsert into a project; ``later`` are types that only newer versions have."""
    return draft({"projectId": text()}, *later)


def _value(kind: str, validators: Mapping[str, Validator]) -> Validator:
    return fields({"type": one_of(kind), **validators})


#: Types that only newer versions have. A placeholder has no value.
_LATER_FORMS: Mapping[str, Mapping[str, Validator]] = {
    "PLACEHOLDER": {},
    "OIDC": {"value": _value("OIDC", {"props": record()})},
}


def piece_for(state: ServerState, body: Row) -> Row:
    """The piece of a connection. Any exact version is valid; a range is not."""
    version = body.get("pieceVersion")
    if version is not None and not version.replace(".", "").isalnum():
        raise rule_violation("Invalid piece version")
    piece = find_piece(state, body["pieceName"])
    if piece is None:
        message = f"piece_metadata_not_found pieceName={body['pieceName']}"
        raise activepieces_error(404, "ENTITY_NOT_FOUND", {"message": message})
    return piece | ({"version": version} if version else {})


def prepare_value(state: ServerState, piece: Row, body: Row, platform_id: str) -> Json:
    """The value to store: codes are exchanged for tokens, and the piece's check runs if there is a worker."""
    value = body["value"]
    if value["type"] in (*OAUTH_TYPES, "CLOUD_OAUTH2"):
        auth = oauth_of(piece)
        value = claim_tokens(state, value, auth=auth, platform_id=platform_id, piece_name=body["pieceName"])
    if state.validates_values and value["type"] != "NO_AUTH":
        _check_with_piece(state, piece, value)
    return value


def oauth_of(piece: Row) -> Mapping[str, Any]:
    """The OAuth 2 declaration of the piece."""
    for auth in auths_of(piece):
        if auth["type"] == "OAUTH2":
            return auth
    raise invalid_connection("invalid auth type")


def auths_of(piece: Row) -> list[Row]:
    """The authentication declarations of the piece; some pieces have several."""
    auth = piece["auth"]
    if auth is None:
        return []
    return auth if isinstance(auth, list) else [auth]


def invalid_connection(message: str) -> ErrorResponse:
    """400: the value is invalid for this piece."""
    return activepieces_error(400, "INVALID_APP_CONNECTION", {"error": message})


def _check_with_piece(state: ServerState, piece: Row, value: Row) -> None:
    if not state.has_worker:
        state.sleep(SAFETY_TIMEOUT)
        message = "Worker did not respond within the safety timeout"
        raise activepieces_error(400, "ENGINE_OPERATION_FAILURE", {"message": message})
    if not behavior_of(state, piece).validate:
        return  # not even the type is checked
    kinds = [auth["type"] for auth in auths_of(piece)]
    kind = "OAUTH2" if value["type"] in OAUTH_TYPES else value["type"]
    if kinds and kind not in kinds:
        message = "Connection value type does not match piece auth type"
        raise invalid_connection(f"{message}: {'/'.join(kinds)} !== {value['type']}")
    check = check_of(state, piece, value["type"])
    problem = check(bare(value)) if check else None
    if problem is not None:
        raise invalid_connection(problem)
