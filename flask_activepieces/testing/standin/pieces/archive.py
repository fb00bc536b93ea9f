"""Pieces from an archive: an npm package with a manifest, as ``flask activepieces piece build`` writes it."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....pieces.metadata import metadata_of
from ..routing.responses import Row

_MANIFEST = "src/manifest.json"
_ENTRY = "src/index.js"
_TRANSLATIONS = "src/i18n/"
_HANDSHAKE = {"strategy": "HEADER_PRESENT", "paramName": "webhook-handshake"}
#: Set by upstream's framework, whatever the piece itself declares.
_OLDEST_RELEASE = "0.82.0"


class BadArchive(ValueError):
    """The file is not a gzipped tar archive, or has no manifest."""


class NoEntry(ValueError):
    """The file from which an engine loads the piece is not in the archive."""


@dataclass(frozen=True)
class Package:
    """The content of an archive."""

    manifest: Row
    #: The path of the file from which the piece is loaded.
    entry: str
    #: Path below the top folder -> content.
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def translations(self) -> Row | None:
        """Locale -> English text -> translation."""
        found = {
            path.removeprefix(_TRANSLATIONS).removesuffix(".json"): json.loads(content)
            for path, content in self.files.items()
            if path.startswith(_TRANSLATIONS)
        }
        return found or None

    def as_row(self) -> Row:
        """The package in the store."""
        files = {path: base64.b64encode(content).decode() for path, content in self.files.items()}
        return {"manifest": self.manifest, "entry": self.entry, "files": files}


def read_package(archive: bytes, *, honors_main: bool) -> Package:
    """The package in a ``.tgz``, whose top folder may have any name."""
    try:
        files = _files_in(archive)
        manifest = dict(json.loads(files[_MANIFEST]))
        package = json.loads(files.get("package.json", b"{}"))
        main = str(package.get("main", _ENTRY)).removeprefix("./")
        metadata_row(manifest)
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadArchive(f"{_MANIFEST} cannot be read") from error
    entry = main if honors_main else _ENTRY
    if entry not in files:
        raise NoEntry(f"{entry} is missing")
    return Package(manifest, entry, files)


def metadata_row(manifest: Row, *, names_accounts: bool = True) -> Row:
    """The metadata that the server stores of the piece; older servers do not know that it names accounts."""
    metadata = metadata_of(manifest)
    flag = {"hasConnectionIdentifier": True} if names_accounts else {}
    kinds = [{**kind, **flag} for kind in metadata["auth"]]
    actions, triggers = metadata["actions"], metadata["triggers"]
    return {
        "displayName": manifest["displayName"],
        "logoUrl": manifest.get("logoUrl", ""),
        "description": manifest.get("description", ""),
        "authors": manifest.get("authors", []),
        "categories": manifest.get("categories", []),
        "minimumSupportedRelease": manifest.get("minimumSupportedRelease", _OLDEST_RELEASE),
        "maximumSupportedRelease": manifest.get("maximumSupportedRelease"),
        # One kind is an object, several are a list.
        "auth": kinds if len(kinds) > 1 else next(iter(kinds), None),
        "actions": {name: {**action, "name": name} for name, action in actions.items()},
        "triggers": {
            name: {**trigger, **_trigger_row(name, manifest["triggers"][name])} for name, trigger in triggers.items()
        },
    }


def _trigger_row(name: str, described: Mapping[str, Any]) -> Row:
    renew = described.get("renew")
    by_webhook = described["type"] == "WEBHOOK"
    return {
        "name": name,
        "handshakeConfiguration": _HANDSHAKE if by_webhook else {"strategy": "NONE"},
        "renewConfiguration": {"strategy": "CRON", "cronExpression": renew} if renew else {"strategy": "NONE"},
        "testStrategy": "TEST_FUNCTION",
    }


def _files_in(archive: bytes) -> dict[str, bytes]:
    """Path below the top folder -> content."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        members = [(member, opened.extractfile(member)) for member in opened]
        return {member.name.partition("/")[2]: content.read() for member, content in members if content}
