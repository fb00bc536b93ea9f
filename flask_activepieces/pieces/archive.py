"""The piece as an npm package (``.tgz``), without npm and Node: a manifest and the runtime that all pieces share."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_RUNTIME = Path(__file__).parent / "runtime"
#: Servers up to 0.85 load this file and ignore ``main``. Servers look for translations next to it.
ENTRY = "src/index.js"


@dataclass(frozen=True, kw_only=True)
class PieceArchive:
    """The package of a piece, and its name and version, which are separate fields of the upload."""

    name: str
    version: str
    content: bytes = field(repr=False)

    @property
    def file_name(self) -> str:
        """The file name, as ``npm pack`` would choose it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def build_archive(manifest: Mapping[str, Any]) -> PieceArchive:
    """Build the package of this manifest. The same manifest always gives the same bytes."""
    files = dict(sorted(_files(manifest)))
    return PieceArchive(name=manifest["name"], version=manifest["version"], content=_pack(files))


def _files(manifest: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    translations = manifest.get("translations", {})
    # No dependencies, because a worker would install them from a registry, which it may not be able to reach.
    package = {key: manifest[key] for key in ("name", "version", "description") if key in manifest}
    yield "package.json", _to_json({**package, "main": f"./{ENTRY}", "dependencies": {}})
    yield "src/manifest.json", _to_json({key: manifest[key] for key in manifest if key != "translations"})
    for locale, texts in translations.items():
        yield f"src/i18n/{locale}.json", _to_json(texts)
    for script in _RUNTIME.glob("*.js"):
        yield f"src/{script.name}", script.read_bytes()


def _pack(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive without owners and times."""
    packed = io.BytesIO()
    # Not gzip.compress: its header differs between versions of Python.
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content in files.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _to_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
