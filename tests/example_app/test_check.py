"""``python -m example_app --check``: it walks the whole loop, says where it fails, and removes what it made."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from example_app.check import STEPS, check
from example_app.check.report import Surprise, json_of, told_by
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.testing import ActivepiecesServer
from tests.support.databases import fresh_database
from tests.support.servers import ROOT


def words_of(lines: str) -> dict[str, str]:
    """The first word of each line by its step: ok, FAIL, or -- where it was skipped."""
    read = (line.split(":", 1)[0].split(maxsplit=1) for line in lines.splitlines())
    return {step: word for word, step in read}


@pytest.fixture
def activepieces() -> Iterator[ActivepiecesServer]:
    """A server that is there already, as far as the check can tell a real one."""
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def named(activepieces: ActivepiecesServer, monkeypatch: pytest.MonkeyPatch) -> ActivepiecesServer:
    """The same, named by the environment."""
    monkeypatch.setenv("ACTIVEPIECES_BASE_URL", activepieces.url)
    monkeypatch.setenv("ACTIVEPIECES_API_KEY", activepieces.api_key)
    monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", activepieces.project_id)
    return activepieces


def test_the_loop_is_walked_on_sqlite_with_nothing_set_up(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "example_app", "--check"]
    walked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert words_of(walked.stdout) == dict.fromkeys([*dict(STEPS), "clean up"], "ok")


@pytest.mark.postgres
def test_the_loop_is_walked_on_postgresql_with_a_server_that_the_environment_names(
    tmp_path: Path,
    named: ActivepiecesServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fresh_database("postgres", tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        went_well = check()

    told = capsys.readouterr().out
    assert went_well, told
    assert words_of(told)["mcp"] == "--"
    assert "CHECK_EMAIL" in told
    assert named.api_key not in told
    client = ActivepiecesClient(named.url, api_key=named.api_key)
    assert list(client.connections.list(named.project_id)) == []
    assert list(client.flows.list(named.project_id)) == []


def test_a_key_that_opens_nothing_is_named_at_the_first_step_that_needs_it(
    named: ActivepiecesServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ACTIVEPIECES_API_KEY", "sk-that-opens-nothing")

    assert not check()

    told = capsys.readouterr().out
    assert words_of(told) == {"sign in": "ok", "pieces": "FAIL", "clean up": "ok"}
    assert "there was nothing to remove" in told


def test_an_activepieces_that_may_not_reach_the_app_is_told_where_to_allow_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ActivepiecesServer(ssrf_allow_list=()) as server:
        monkeypatch.setenv("ACTIVEPIECES_BASE_URL", server.url)
        monkeypatch.setenv("ACTIVEPIECES_API_KEY", server.api_key)
        monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", server.project_id)

        assert not check()

        client = ActivepiecesClient(server.url, api_key=server.api_key)
        assert list(client.connections.list(server.project_id)) == []
    told = capsys.readouterr().out
    assert words_of(told)["one click"] == "FAIL"
    assert "AP_SSRF_ALLOW_LIST" in told
    assert re.search(r"clean up: removed connection \S+, the link of Acme$", told, re.MULTILINE)
    assert "flow" not in words_of(told)


def test_a_user_alone_is_enough_where_there_are_no_api_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Community Edition has no API keys."""
    with ActivepiecesServer(edition="ce") as server:
        monkeypatch.setenv("ACTIVEPIECES_BASE_URL", server.url)
        monkeypatch.setenv("ACTIVEPIECES_PROJECT_ID", server.project_id)
        monkeypatch.setenv("CHECK_EMAIL", server.email)
        monkeypatch.setenv("CHECK_PASSWORD", server.password)

        went_well = check()

    told = capsys.readouterr().out
    assert went_well, told
    assert words_of(told) == dict.fromkeys([*dict(STEPS), "clean up"], "ok")
    assert server.password not in told


def test_a_catalogue_without_the_webhook_piece_is_told_what_to_install(
    named: ActivepiecesServer, capsys: pytest.CaptureFixture[str]
) -> None:
    store = named.state.store
    for row in store.all("piece", name="@activepieces/piece-webhook"):
        store.drop("piece", row["id"])

    assert not check()

    told = capsys.readouterr().out
    assert words_of(told) == {"sign in": "ok", "pieces": "FAIL", "clean up": "ok"}
    assert "npm pack @activepieces/piece-webhook" in told


BASE_URL = {"ACTIVEPIECES_BASE_URL": "https://activepieces.example.com"}
USER = {"CHECK_EMAIL": "ada@example.com", "CHECK_PASSWORD": "a password"}


@pytest.mark.parametrize(
    "given",
    [
        BASE_URL,
        {"ACTIVEPIECES_API_KEY": "sk-key"},
        USER,
        BASE_URL | {"CHECK_EMAIL": "ada@example.com"},
        BASE_URL | {"ACTIVEPIECES_API_KEY": "sk-key", "CHECK_PASSWORD": "a password"},
    ],
    ids=["address", "key", "user", "no password", "no e-mail"],
)
def test_half_of_a_real_server_is_no_reason_to_play_one(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert not check()

    told = capsys.readouterr().out
    assert words_of(told) == {"start": "FAIL"}
    for name in ("ACTIVEPIECES_BASE_URL", "ACTIVEPIECES_API_KEY", *USER):
        assert name in told


def answer(status: int, content: bytes) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, content
    made.request = requests.Request("POST", "http://127.0.0.1/setup").prepare()
    return made


def test_a_surprise_says_what_was_expected_what_came_and_what_to_check() -> None:
    refusal = answer(422, b'{"detail": "Activepieces does not accept the key."}')

    with pytest.raises(Surprise) as surprise:
        json_of(refusal, 201, check="the key")

    assert str(surprise.value) == (
        "expected 201 from POST /setup; came 422 (Activepieces does not accept the key.);"
        " check the key"
    )


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}"])
def test_an_answer_without_a_reason_is_told_by_its_status(content: bytes) -> None:
    assert told_by(answer(502, content)) == "502"
