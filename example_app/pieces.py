"""Tasklane's pieces for Activepieces, packed as npm would pack them; no Node is needed.

A piece is a manifest (`piece/tasklane.json`) beside one runtime that reads it (`piece/index.js`).
After a change of a manifest or of the runtime, raise the version: Activepieces takes each version only once.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: Who signs in through Tasklane's consent page; what the demo connects with one click.
OAUTH_MANIFEST = HERE / "piece" / "tasklane.json"
#: For those who have a token already: Activepieces calls this kind of secret SECRET_TEXT.
KEY_MANIFEST = HERE / "piece" / "tasklane-key.json"


@dataclass(frozen=True)
class PackedPiece:
    """A piece as Activepieces takes it: an npm package in an archive."""

    name: str
    version: str
    archive: bytes = field(repr=False)


def packed(manifest_path: Path) -> PackedPiece:
    """The piece of this manifest; the same files make the same bytes."""
    manifest = json.loads(manifest_path.read_text("utf-8"))
    name, version = manifest["name"], manifest["version"]
    # Activepieces shows the logo on its own pages, which cannot always reach this app.
    manifest["logoUrl"] = data_url(HERE / "static" / "tasklane.svg")
    package = json.loads((HERE / "piece" / "package.json").read_text("utf-8"))
    files = {
        "package/package.json": as_json({"name": name, "version": version, **package}),
        "package/src/index.js": (HERE / "piece" / "index.js").read_bytes(),
        "package/src/manifest.json": as_json(manifest),
    }
    return PackedPiece(name, version, archive_of(files))


def archive_of(files: dict[str, bytes]) -> bytes:
    """The files as a ``.tgz``, without a trace of who packed it and when."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def data_url(image: Path) -> str:
    """The SVG image as a URL that needs no server."""
    return "data:image/svg+xml;base64," + b64encode(image.read_bytes()).decode("ascii")


def as_json(value: Any) -> bytes:
    """JSON as people like to read it."""
    return (json.dumps(value, indent=2) + "\n").encode()
