"""The job for CI on the page about publishing."""

from __future__ import annotations

import re
import shlex

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.docs.conftest import RunPage
from tests.support.documents import DOCS, blocks, page

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
