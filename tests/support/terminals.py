"""Terminals in which a reader of our pages types commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

SECONDS = 60
#: What an installation needs of the environment of the tests: never their own settings.
_KEPT = ("PATH", "HOME", "LANG", "PIP_", "SSL_", "REQUESTS_CA", "http", "HTTP", "no_proxy", "NO_PROXY")


@dataclass
class Program:
    """A program that runs in a terminal of its own, and its output."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text("utf-8")

    def prints(self, expected: str, *, seconds: float = SECONDS) -> str:
        """Wait until it has printed this; returns the match."""
        deadline = time.monotonic() + seconds
        while True:
            has_ended = self.process.poll() is not None or time.monotonic() > deadline
            found = re.search(expected, self.output, re.M)
            if found is not None:
                return found[1] if found.lastindex else found[0]
            assert not has_ended, f"{expected} was not printed, but:\n{self.output}"
            time.sleep(0.05)

    def interrupt(self) -> None:
        """Press Ctrl-C, which all processes of the terminal get, and wait until it has ended."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(SECONDS)


@dataclass
class Terminals:
    """The terminals of one reader, with the folder and the exported variables that the last command left."""

    folder: Path
    logs: Path
    environment: dict[str, str]
    #: A command that runs the shell elsewhere.
    enter: tuple[str, ...] = ()
    programs: list[Program] = field(default_factory=list)

    def types(self, commands: str, *, answers: str = "", statuses: tuple[int, ...] = (0,)) -> str:
        """Run commands, which end with one of these statuses, answer what they ask, and return what they print."""
        done = subprocess.run(
            self._shell(f'trap \'{{ export -p; printf "cd %q\\n" "$PWD"; }} > {self._state}\' EXIT\n{commands}'),
            cwd=self.folder,
            env=self.environment,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode in statuses, f"{commands}\n{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def starts(self, command: str) -> Program:
        """Run a command that does not end, in another terminal."""
        log = self.logs / f"terminal-{uuid4().hex}.log"
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                self._shell(f"exec {command}"),
                cwd=self.folder,
                env=self.environment | {"PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
        self.programs.append(Program(process, log))
        return self.programs[-1]

    @property
    def _state(self) -> Path:
        return self.logs / "state.sh"

    def _shell(self, commands: str) -> list[str]:
        return [*self.enter, "bash", "-ec", f"if [ -f {self._state} ]; then . {self._state}; fi\n{commands}"]


@contextmanager
def terminals(folder: Path, *, logs: Path, **environment: str) -> Iterator[Terminals]:
    """Terminals in this folder; what still runs in them ends with the block."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    opened = Terminals(folder, logs, kept | environment)
    # Tests that a shell runs in the background ignore Ctrl-C, and programs that they start inherit this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield opened
    finally:
        for program in opened.programs:
            program.process.terminate()
            program.process.wait(SECONDS)
