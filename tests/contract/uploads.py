"""The files that some recordings sent, which are too large to be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask_activepieces.pieces.archive import build_archive
from tests.support.acme import acme_pieces

from .replay import Upload


def _flaskext(**file: bytes) -> dict[str, Any]:
    form: dict[str, Any] = {
        "packageType": "ARCHIVE",
        "scope": "PLATFORM",
        "pieceName": "@local/piece-flaskext",
        "pieceVersion": "0.0.1",
    }
    return form | {name: (BytesIO(content), "piece.tgz") for name, content in file.items()}


def _archive(app: str) -> bytes:
    """A piece like the recorded one, in an archive built by this package. The app checks its connections."""
    (like,) = (one for one in acme_pieces("") if one.name == "@activepieces/piece-acme-secret")
    described = like.as_json()
    for action in described["actions"].values():
        action["request"] = {"method": "GET", "path": "/"}
    # The recorded piece was built with upstream's framework, which requires 0.82.
    return build_archive({**described, "auth": [described["auth"]], "baseUrl": app, "apiPath": "/piece"}).content


UPLOADS: Mapping[str, Upload] = {
    "[worker] piece install ARCHIVE (api key)": lambda app: _flaskext(pieceArchive=_archive(app)),
    "[worker] piece install same version again": lambda app: _flaskext(pieceArchive=_archive(app)),
    "[worker] piece install not a tgz": lambda app: _flaskext(pieceArchive=b"no archive"),
    "[worker] piece install without the file": lambda app: _flaskext(),
}
