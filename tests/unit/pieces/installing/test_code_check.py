"""A package is loaded in Node before it is uploaded, if Node is installed."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from flask_activepieces.errors import SetupError
from flask_activepieces.pieces.archive import PieceArchive, build_archive
from flask_activepieces.pieces.installing.code_check import check_code
from tests.support.piece_manifest import action, manifest, text, trigger
from tests.support.requirements import require

URL = "https://tasklane.example"


@pytest.fixture
def archive() -> PieceArchive:
    return build_archive(
        manifest(URL, actions=action("create_task", {"title": text("Title")}), triggers=trigger("task_done"))
    )


@pytest.fixture
def node() -> str:
    return require("node")


def with_file(archive: PieceArchive, name: str, content: bytes) -> PieceArchive:
    """The archive with another content of one file."""
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        files = {each.name: opened.extractfile(each).read() for each in opened}  # type: ignore[union-attr]
    files[f"package/{name}"] = content
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as written:
        for path, each in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(each)
            written.addfile(entry, io.BytesIO(each))
    return replace(archive, content=packed.getvalue())


def program(folder: Path, script: str) -> str:
    """A program that is not Node."""
    path = folder / "node"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_package_loads(archive: PieceArchive, node: str) -> None:
    assert check_code(archive, node=node) is True


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("src/piece.js", b"'use strict", "Invalid or unexpected token"),
        ("src/index.js", b"exports.piece = {};", "it has no piece"),
        ("src/manifest.json", b"{", "JSON"),
    ],
)
def test_a_package_that_does_not_load_is_an_error_with_the_reason(
    archive: PieceArchive, node: str, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(SetupError, match="was not installed, because Node cannot load its code: ") as error:
        check_code(with_file(archive, name, content), node=node)

    assert reason in str(error.value)


def test_without_node_the_package_is_not_checked(archive: PieceArchive) -> None:
    assert check_code(archive, node=None) is False


@pytest.mark.parametrize("script", ["exit 1", "exit 127", "kill -9 $$"])
def test_a_node_that_does_not_work_is_ignored(archive: PieceArchive, tmp_path: Path, script: str) -> None:
    """For example an old version, or another program with the same name."""
    assert check_code(archive, node=program(tmp_path, script)) is False


def test_a_missing_node_is_ignored(archive: PieceArchive, tmp_path: Path) -> None:
    assert check_code(archive, node=str(tmp_path / "node")) is False
