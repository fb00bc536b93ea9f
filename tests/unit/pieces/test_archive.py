"""The package of a piece, as Activepieces unpacks it."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from flask_activepieces.pieces.archive import build_archive

MANIFEST: dict[str, Any] = {
    "name": "@tasklane/piece-tasklane",
    "version": "1.2.3",
    "displayName": "Tasklane",
    "description": "Täglich",
    "translations": {"de": {"Create task": "Aufgabe anlegen"}, "zh-TW": {"Create task": "建立"}},
}


def files_in(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as opened:
        return {name: opened.extractfile(name).read() for name in opened.getnames()}  # type: ignore[union-attr]


def test_one_manifest_gives_the_same_bytes() -> None:
    assert build_archive(MANIFEST).content == build_archive(json.loads(json.dumps(MANIFEST))).content


def test_bytes_contain_no_time_and_no_owner() -> None:
    content = build_archive(MANIFEST).content

    assert content[4:8] == b"\0\0\0\0"  # RFC 1952 §2.3.1: the time
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        assert {(each.mtime, each.uid, each.gid, each.uname) for each in opened} == {(0, 0, 0, "")}


def test_package_has_the_entry_that_servers_load_and_no_dependencies() -> None:
    """Servers up to 0.85 load src/index.js whatever the package says."""
    files = files_in(build_archive(MANIFEST).content)

    assert json.loads(files["package/package.json"]) == {
        "name": "@tasklane/piece-tasklane",
        "version": "1.2.3",
        "description": "Täglich",
        "main": "./src/index.js",
        "dependencies": {},
    }
    assert b"exports.piece" in files["package/src/index.js"]
    assert all(name.startswith("package/") for name in files)


def test_translations_are_files_where_servers_look_for_them() -> None:
    files = files_in(build_archive(MANIFEST).content)

    assert json.loads(files["package/src/i18n/de.json"]) == {"Create task": "Aufgabe anlegen"}
    assert json.loads(files["package/src/i18n/zh-TW.json"]) == {"Create task": "建立"}
    assert "translations" not in json.loads(files["package/src/manifest.json"])


def test_manifest_keeps_the_order_of_the_form() -> None:
    props = {name: {"type": "SHORT_TEXT"} for name in ("title", "due", "assignee")}
    files = files_in(build_archive({**MANIFEST, "actions": {"create": {"props": props}}}).content)

    packed = json.loads(files["package/src/manifest.json"])
    assert list(packed["actions"]["create"]["props"]) == ["title", "due", "assignee"]


def test_file_has_the_name_that_npm_gives() -> None:
    assert build_archive(MANIFEST).file_name == "tasklane-piece-tasklane-1.2.3.tgz"
    assert build_archive({**MANIFEST, "name": "piece-x"}).file_name == "piece-x-1.2.3.tgz"


def test_scripts_change_no_setting_of_the_process() -> None:
    """TLS is checked as Node checks it."""
    files = files_in(build_archive(MANIFEST).content)

    scripts = b"".join(content for name, content in files.items() if name.endswith(".js"))
    assert b"process." not in scripts
    assert b"rejectUnauthorized" not in scripts
