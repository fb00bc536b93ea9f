"""The files that some recordings sent, which are too large to be recorded."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

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


def _archive() -> bytes:
    """A piece like the recorded one, in an archive built by this package."""
    (like,) = (one for one in acme_pieces("") if one.name == "@activepieces/piece-acme-secret")
    described = like.as_json()
    for action in described["actions"].values():
        action |= {"method": "GET", "path": "/"}
    text = json.dumps(described).encode()
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        for name, content in (("package/src/manifest.json", text), ("package/src/index.js", b"")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            files.addfile(entry, BytesIO(content))
    return packed.getvalue()


UPLOADS: Mapping[str, Upload] = {
    "[worker] piece install ARCHIVE (api key)": lambda: _flaskext(pieceArchive=_archive()),
    "[worker] piece install same version again": lambda: _flaskext(pieceArchive=_archive()),
    "[worker] piece install not a tgz": lambda: _flaskext(pieceArchive=b"no archive"),
    "[worker] piece install without the file": _flaskext,
}
