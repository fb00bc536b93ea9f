"""Packs Tasklane's pieces for Activepieces as npm would. Node is not required.

A piece is a manifest (such as `piece/tasklane.json`) and the runtime that all manifests share (`piece/index.js`).
Raise the version after changing either of them: Activepieces accepts each version only once.
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
#: Signs in with Tasklane's consent page, or is connected with one click.
OAUTH_MANIFEST = HERE / "piece" / "tasklane.json"
#: Takes a pasted access token, which Activepieces calls SECRET_TEXT.
KEY_MANIFEST = HERE / "piece" / "tasklane-key.json"


@dataclass(frozen=True)
class PackedPiece:
    """A piece as an npm package, ready for upload to Activepieces."""

    name: str
    version: str
    archive: bytes = field(repr=False)


def pack(manifest_path: Path) -> PackedPiece:
    """Pack the piece of this manifest. The same files always give the same bytes."""
    manifest = json.loads(manifest_path.read_text("utf-8"))
    name, version = manifest["name"], manifest["version"]
    # As a data URL, because Activepieces' pages cannot always reach this app.
    manifest["logoUrl"] = data_url(HERE / "static" / "tasklane.svg")
    package = json.loads((HERE / "piece" / "package.json").read_text("utf-8"))
    files = {
        "package/package.json": to_json({"name": name, "version": version, **package}),
        "package/src/index.js": (HERE / "piece" / "index.js").read_bytes(),
        "package/src/manifest.json": to_json(manifest),
    }
    return PackedPiece(name, version, build_archive(files))


def build_archive(files: dict[str, bytes]) -> bytes:
    """The files as a ``.tgz`` without user names and times."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def data_url(image: Path) -> str:
    """The SVG image as a ``data:`` URL."""
    return "data:image/svg+xml;base64," + b64encode(image.read_bytes()).decode("ascii")


def to_json(value: Any) -> bytes:
    """Indented JSON."""
    return (json.dumps(value, indent=2) + "\n").encode()
