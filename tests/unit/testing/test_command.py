"""``python -m flask_activepieces.testing``: the stand-in alone."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

COMMAND = [sys.executable, "-m", "flask_activepieces.testing"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running command, and what it printed: name -> value."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    printed: dict[str, str] = {}
    try:
        for line in process.stdout:
            name, _, value = line.partition(":")
            printed[name.strip()] = value.strip()
            if "Ctrl-C" in line:
                break
        yield process, printed
    finally:
        process.kill()
        process.communicate()


def test_it_prints_what_a_client_needs() -> None:
    with started("--version", "0.86") as (_, printed):
        url, key = printed["URL"], printed["API key"]

        flags = requests.get(f"{url}/api/v1/flags", timeout=10).json()
        project = requests.get(
            f"{url}/api/v1/projects/{printed['Project']}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
        )

    assert flags["CURRENT_VERSION"] == "0.86.0"
    assert project.json()["displayName"] == "Stand-in project"


def test_its_admin_signs_in_with_the_password_that_it_prints() -> None:
    with started() as (_, printed):
        answer = requests.post(
            f"{printed['URL']}/api/v1/authentication/sign-in",
            json={"email": printed["E-mail"], "password": printed["Password"]},
            timeout=10,
        )

    assert answer.status_code == 200


def test_the_community_edition_has_no_key() -> None:
    with started("--edition", "ce") as (_, printed):
        assert "API key" not in printed
        assert printed["Password"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_0_when_it_is_stopped(how: signal.Signals) -> None:
    with started() as (process, _):
        process.send_signal(how)

        assert process.wait(timeout=10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_port_that_is_taken_ends_it_with_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, timeout=30
        )

    assert ended.returncode == 1
    assert re.search(rf"port {port}\b", ended.stderr)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("wrong", [["--version", "0.85.2"], ["--port", "x"], ["--port", "70000"]])
def test_wrong_arguments_end_it_with_2(wrong: list[str]) -> None:
    ended = subprocess.run([*COMMAND, *wrong], capture_output=True, text=True, timeout=30)

    assert ended.returncode == 2
    assert wrong[0] in ended.stderr
