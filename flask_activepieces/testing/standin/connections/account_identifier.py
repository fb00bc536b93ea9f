"""The account of a connection, which 0.92 writes to its metadata if the value or the piece reveals it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from ..pieces.catalogue import bare, identifier_of
from ..routing.responses import Json, Row
from ..state import ServerState
from ..versions import ACCOUNT_IDENTIFIER
from .rows import KIND
from .tokens import OAUTH_TYPES

#: Claims that hold an e-mail address, always or sometimes.
_EMAIL, _POSSIBLE_EMAIL = ("email", "mail"), ("preferred_username", "upn", "unique_name")


def with_account(state: ServerState, row: Row, piece: Row, value: Row) -> Row:
    """The connection after an upsert, with its account added to its metadata if it is known."""
    account = _account_of(state, piece, value) if state.has(ACCOUNT_IDENTIFIER) else None
    if account is None:
        return row
    metadata = {**(row["metadata"] or {}), "accountIdentifier": account}
    return state.store.change(KIND, row["id"], metadata=metadata)


def _account_of(state: ServerState, piece: Row, value: Row) -> str | None:
    """The e-mail address in the token response or its ``id_token``; otherwise the account that the piece reports."""
    if value["type"] in OAUTH_TYPES:
        data = value.get("data")
        address = _email(data) or _email(_claims(data))
        if address:
            return address
    identify = identifier_of(state, piece, value["type"])
    return identify(bare(value)) if identify and value["type"] != "NO_AUTH" else None


def _email(claims: Json) -> str | None:
    if not isinstance(claims, Mapping):
        return None
    strings = {name: string for name, string in claims.items() if isinstance(string, str) and string}
    addresses = [strings[name] for name in _EMAIL if name in strings]
    addresses += [strings[name] for name in _POSSIBLE_EMAIL if "@" in strings.get(name, "")]
    return next(iter(addresses), None)


def _claims(data: Json) -> Json:
    """The claims of an ``id_token``, without verifying its signature."""
    token = data.get("id_token") if isinstance(data, Mapping) else None
    try:
        part = str(token).split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return None
