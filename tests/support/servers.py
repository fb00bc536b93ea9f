"""Starts and stops real gunicorn servers for the small host."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .prepared_requests import PreparedRequest, send_together

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 30


@dataclass
class Server:
    """A running gunicorn, which shares a process group only with its workers."""

    process: subprocess.Popen[bytes]
    port: int
    log_file: Path

    def log(self) -> str:
        """The output so far, with the tracebacks of the app."""
        return self.log_file.read_text(errors="replace")

    def wait(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError):
                send_together(self.port, [PreparedRequest("GET", "/")], timeout=SECONDS_TO_START)
                return
            time.sleep(0.05)
        raise AssertionError(f"gunicorn does not answer:\n{self.log()}")

    def stop(self) -> None:
        """Kill the server and its workers: the whole process group."""
        with suppress(ProcessLookupError):  # it may have exited already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serve(directory: Path, *, workers: int = 4, threads: int = 1, **options: Any) -> Iterator[Server]:
    """A server for `hosts.make_app` with these options; the tables must exist already."""
    # We open the socket, so that no other program can take the port before gunicorn starts.
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        process = _start(listener, directory / "gunicorn.log", workers, threads, options)
    server = Server(process, port, directory / "gunicorn.log")
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _start(
    listener: socket.socket, log_file: Path, workers: int, threads: int, options: dict[str, Any]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "tests.support.served_app:load()"]
    command += ["--bind", f"fd://{listener.fileno()}", "--no-control-socket", "--preload"]
    command += ["--workers", str(workers), "--threads", str(threads)]
    with log_file.open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "SERVED_APP": json.dumps(options)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
