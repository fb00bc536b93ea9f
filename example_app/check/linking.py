"""The steps that link Tasklane with Activepieces: pieces, set-up, and the two connections."""

from __future__ import annotations

from typing import Any

from flask_activepieces.api_client.errors import Conflict, ResourceNotFound

from ..pieces import PackedPiece
from ..seed import DEMO_PASSWORD, DEMO_USERS
from .flow import WEBHOOK_PIECE
from .loop import Loop
from .report import Surprise, expect, told_by

#: Who acts in Tasklane: the admin of Acme.
ADMIN = DEMO_USERS[0].email


def sign_in(loop: Loop) -> str:
    """The admin signs in by the login form."""
    page = loop.admin.send("/login", "/login", email=ADMIN, password=DEMO_PASSWORD)
    expect(
        "Tasks of" in page.text,
        expected="the tasks after the login form",
        came=told_by(page),
        check="that DATABASE_URL has the demo's users",
    )
    return f"{ADMIN} is at {loop.admin.site}"


def install_pieces(loop: Loop) -> str:
    """Activepieces gets the two pieces of Tasklane; the flow needs one of its own catalogue, too."""
    try:
        loop.webhook_version = loop.client.pieces.get(WEBHOOK_PIECE).version
    except ResourceNotFound:
        raise Surprise(
            expected=f"{WEBHOOK_PIECE} in the catalogue of {loop.place.url}",
            came="a catalogue without it, as of a server without Internet access",
            check="Platform Admin, Pieces, and install it there: from npm by its name, or without"
            f" Internet access the archive that `npm pack {WEBHOOK_PIECE}` makes",
        ) from None
    return ", ".join(_installed(loop, piece) for piece in (loop.piece, loop.key_piece))


def _installed(loop: Loop, piece: PackedPiece) -> str:
    told = f"{piece.name} {piece.version}"
    try:
        loop.client.pieces.install(piece.archive, name=piece.name, version=piece.version)
    except Conflict:
        return f"{told} (was there)"
    return told


def set_up(loop: Loop) -> str:
    """The admin links Acme with Activepieces; the key and the password are not shown afterwards."""
    done = loop.api(
        "POST",
        "/setup",
        loop.place.setup(),
        status=201,
        check="the key or the user, and that ACTIVEPIECES_PROJECT_ID names one of their projects",
    )
    loop.integration_id = done["integrationTenantId"]
    path = f"/setup/{loop.integration_id}"
    loop.clean_ups.append(("the link of Acme", lambda: loop.remove(path)))

    shown = loop.api("GET", f"/setup/{loop.integration_id}", check="the integration")
    expect(
        not any(secret in str(shown) for secret in loop.place.secrets),
        expected="a masked credential",
        came="the key or the password itself",
        check="what the app answers about its integrations",
    )
    loop.project_id = shown["projectId"]
    return f"project {loop.project_id}, credential {shown['credentialHint']}"


def connect_by_secret_text(loop: Loop) -> str:
    """A connection of the simplest kind: a text that its piece keeps."""
    connection = loop.api(
        "POST",
        "/connection",
        {
            "integrationId": loop.integration_id,
            "accessToken": "a token that opens nothing",
            "pieceName": loop.key_piece.name,
            "connectionName": f"Check {loop.mark}, secret text",
        },
        status=201,
        check=f"that {loop.place.url} has {loop.key_piece.name}",
    )
    return _made(loop, connection)


def connect_with_one_click(loop: Loop) -> str:
    """Tasklane hands Activepieces a code in the admin's name, and Activepieces redeems it."""
    loop.connection = loop.api(
        "POST",
        f"/connections/{loop.integration_id}/connect",
        status=201,
        check=f"that Activepieces reaches {loop.admin.site};"
        " an address of a private network has to be in its AP_SSRF_ALLOW_LIST",
    )
    loop.token_was_read()
    told = _made(loop, loop.connection)
    expect(
        bool(loop.heard("token.issued")),
        expected="Activepieces to redeem the code",
        came="no token from the token endpoint",
        check="that ACTIVEPIECES_PUBLIC_URL leads to this process",
    )
    return f"{told}, and the code was redeemed"


def _made(loop: Loop, connection: dict[str, Any]) -> str:
    path = f"/connections/{loop.integration_id}/{connection['id']}"
    loop.clean_ups.append((f"connection {connection['id']}", lambda: loop.remove(path)))
    expect(
        connection["status"] == "ACTIVE",
        expected="an ACTIVE connection",
        came=connection["status"],
        check=f"connection {connection['id']} in Activepieces",
    )
    return f"{connection['type']} connection {connection['id']}"
