"""Runs each app in gunicorn, with the same options."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import cpu

WORKERS = 2
_ROOT = Path(__file__).parents[1]
_TIMEOUT = 30


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """The CPU seconds of the master and its workers so far."""
        return cpu.seconds(cpu.threads_of(self.pid))


@contextmanager
def serve(app: str) -> Iterator[Server]:
    """Serve ``module:factory(arguments)`` until the block ends."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{port}"]
    command += [f"--workers={WORKERS}", "--worker-class=sync", "--log-level=warning"]
    if "--no-control-socket" in _options():
        command.append("--no-control-socket")  # a file in the home directory, shared by all
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
        try:
            _wait(process, port)
            yield Server(port, process.pid)
        except Exception:
            log.seek(0)
            print(log.read()[-4000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(_TIMEOUT)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        http_connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        try:
            http_connection.request("GET", "/")
            http_connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            # All workers must run before their threads are listed.
            if len(cpu.children_of(process.pid)) == WORKERS:
                return
        finally:
            http_connection.close()
    raise RuntimeError(f"gunicorn did not start on port {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _options() -> str:
    command = [sys.executable, "-m", "gunicorn", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
