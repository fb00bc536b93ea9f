"""The commands on the page about publishing: the job for CI, and npm."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.testing import ActivepiecesServer
from tests.docs.conftest import RunPage
from tests.support.documents import DOCS, blocks, page, shell_lines
from tests.support.piece_manifest import manifest
from tests.support.requirements import require

(JOB,) = blocks(page("piece-publishing"), "yaml")
#: What a secret of the job is in this test.
SECRET = re.compile(r"\$\{\{ secrets\.(\w+) \}\}")


def test_the_job_builds_compares_and_installs_the_piece(
    run_page: RunPage, activepieces_server: ActivepiecesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"SECRET_KEY": "a key for this test only", "ACTIVEPIECES_API_KEY": activepieces_server.api_key}
    for name, value in re.findall(r"^      (\w+): (.+)$", JOB, re.M):
        if name.isupper() and name != "FLASK_APP":
            monkeypatch.setenv(name, SECRET.sub(lambda found: secrets[found[1]], value))
    monkeypatch.setenv("FLASK_ACTIVEPIECES_BASE_URL", activepieces_server.url)
    create_app = run_page(DOCS / "first-piece.md")["create_app"]

    outputs = []
    for command in re.findall(r"run: flask activepieces (.+)$", JOB, re.M):
        app: Flask = create_app()
        result = app.test_cli_runner().invoke(args=["activepieces", *shlex.split(command)])
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
        assert result.exit_code == 0, result.output
        outputs.append(result.output)

    assert [output.splitlines()[-1] for output in outputs] == [
        "Built piece-shop 1.0.0: dist/piece-shop-1.0.0.tgz",
        "The piece is not installed yet; its first version is 1.0.0.",
        "Installed version 1.0.0.",
    ]


def test_npm_accepts_the_package(tmp_path: Path) -> None:
    archive = build_archive(manifest("https://tasklane.example"))
    (tmp_path / archive.file_name).write_bytes(archive.content)
    (command,) = [line for line in shell_lines(page("piece-publishing")) if line.startswith("npm ")]
    npm, *arguments = shlex.split(command)

    done = subprocess.run(
        [require("npm"), *arguments, "--dry-run", "--offline"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert npm == "npm"
    assert done.returncode == 0, done.stderr
    assert done.stdout == "+ @tasklane/piece-tasklane@1.0.0\n"
