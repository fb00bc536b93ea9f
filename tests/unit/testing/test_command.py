"""``python -m flask_activepieces.testing`` runs the stand-in without tests."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from flask_activepieces.testing.__main__ import main

COMMAND = [sys.executable, "-m", "flask_activepieces.testing"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running command, and the printed values by name."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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


def stopped(process: subprocess.Popen[str], how: signal.Signals) -> int:
    """The exit code after a signal, after which nothing is printed."""
    process.send_signal(how)
    code = process.wait(timeout=10)
    assert process.stderr is not None
    assert process.stderr.read() == ""
    return code


def test_the_command_prints_the_values_for_a_client() -> None:
    with started("--version", "0.86", "--port", "0") as (process, printed):
        root = f"{printed['URL']}/api/v1"
        flags = requests.get(f"{root}/flags", timeout=10).json()
        project = requests.get(
            f"{root}/projects/{printed['Project']}",
            headers={"Authorization": f"Bearer {printed['API key']}"},
            timeout=10,
        )
        login = {"email": printed["E-mail"], "password": printed["Password"]}
        session = requests.post(f"{root}/authentication/sign-in", json=login, timeout=10)
        assert stopped(process, signal.SIGTERM) == 0

    assert flags["CURRENT_VERSION"] == "0.86.0"
    assert project.json()["displayName"] == "Stand-in project"
    assert session.status_code == 200


def test_ctrl_c_exits_with_0() -> None:
    with started("--port", "0", "--edition", "ce") as (process, printed):
        assert stopped(process, signal.SIGINT) == 0
    assert "API key" not in printed  # the Community Edition has no API keys


def test_an_occupied_port_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert main(["--port", port]) == 1

    error = capsys.readouterr().err
    assert f"port {port}:" in error
    assert "--port 0" in error


@pytest.mark.parametrize(
    "wrong", [["--version", "0.85.2"], ["--port", "x"], ["--port", "70000"], ["--port", "-1"]], ids=" ".join
)
def test_wrong_arguments_exit_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)

    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err
