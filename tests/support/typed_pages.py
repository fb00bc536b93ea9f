"""Types the shell lines of a page as its reader does: with bash, in order, and in one folder.

A page names ids, tokens and ports that the reader replaces. The tables below contain what replaces them here, and
what is added to a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .documents import all_blocks, commands, file_name
from .ports import free_port
from .terminals import Program, Terminals

#: Lines that run until Ctrl-C: options by which they use free ports, and what they print when they are ready.
ENDLESS = {
    r"flask .*\brun$": ("--port {port}", "Running on"),
    r"python -m example_app ": ("", "Running on"),
    r"python -m flask_activepieces\.testing": ("--port 0", "Project: "),
    r"flask .*activepieces deliver$": ("", "^Delivering events"),
    r"flask .*activepieces try ": ("--port 0 --activepieces-port 0 --no-browser", "^Consent page"),
    r"make demo$": ("ARGS='--port 0 --activepieces-port 0'", "Ctrl-C stops both"),
}
#: What is added to other lines: npm publishes nothing, and `make test` runs one file in one process.
ADDED = {r"npm publish ": "--dry-run --offline", r"make test$": "ARGS='-n 0 tests/unit/test_messages.py'"}
#: The exit statuses of lines that report what is wrong, and of curl for an answer that the page announces: a 401.
STATUSES = {
    r".*activepieces (doctor|integrations check|embedding check|grants check|piece diff)\b": (0, 1),
    r"curl -i ": (22,),
}
#: What the reader copies from the output of a line, and what it replaces in later lines.
COPIED = {
    r"^client_id +(\S+)$": (r"\$CLIENT_ID\b", "5d1b8c0f3c7e4a55b3f0a8f0f5f6c2de"),
    r"^client_secret +(\S+)$": (r"\$CLIENT_SECRET\b",),
    r'"access_token": ?"([^"]+)"': (r"\$ACCESS_TOKEN\b",),
    r"^(apat_\S+)$": ("apat_…",),
    r"API key: +(\S+)$": ("sk-…",),
    r"^ *(?:URL:|Activepieces) +http://(\S+)": (r"127\.0\.0\.1:8080",),
}
#: The introduction of a block that is a file, but does not name it.
_SAVED = re.compile(r"(?:Save this as |^)`([\w.]+\.py)`[.,:]", re.M)
#: curl fails if the server does.
_CURLRC = "silent\nshow-error\nfail-with-body\n"

T = TypeVar("T")


def write_curlrc(folder: Path) -> Path:
    """Write the options of curl there; ``CURL_HOME`` is this folder."""
    (folder / ".curlrc").write_text(_CURLRC, "utf-8")
    return folder


@dataclass
class TypedPage:
    """A page, and the terminals in which its next block is typed."""

    path: Path
    terminals: Terminals
    #: The terminals of lines that are typed elsewhere, by the beginning of the line.
    elsewhere: dict[str, Terminals] = field(default_factory=dict)
    #: What replaces the names of the page.
    names: dict[str, str] = field(default_factory=dict)
    #: The port of the app, for its server.
    port: int = field(default_factory=free_port)
    #: What runs until Ctrl-C.
    running: list[Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names |= {r"\b5000\b": str(self.port), r"https://app\.example\.com": f"http://127.0.0.1:{self.port}"}
        self._rest = all_blocks(self.path.read_text("utf-8"))

    def types_next(self, *, to: str = "") -> list[str]:
        """Type the next block of commands, which contains this; returns what each of its lines prints."""
        self.saves()
        block = self._rest.pop(0)
        lines = commands(block)
        assert to in block.content, f"{to} is not in {lines}"
        return [self._type(line) for line in lines]

    def saves(self) -> None:
        """Save the files before the next commands, except those that the reader has."""
        while not commands(self._rest[0]):
            block = self._rest.pop(0)
            saved = _SAVED.search(block.introduction)
            name = file_name(block.content) or (saved and saved[1])
            if name and not (target := self.place(name)).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(block.content, "utf-8")

    def place(self, name: str) -> Path:
        """Where the reader saves a file with this name."""
        return self.terminals.folder / name.lstrip("/")

    def types_all(self) -> None:
        """Type all blocks."""
        while self.is_unfinished:
            self.types_next()

    @property
    def is_unfinished(self) -> bool:
        """Whether commands remain."""
        return any(commands(block) for block in self._rest)

    def interrupt(self) -> None:
        """Stop what runs, with Ctrl-C."""
        while self.running:
            self.running.pop().interrupt()

    def replaced(self, line: str) -> str:
        """The line with what the reader writes in place of the page's names."""
        for name, actual in self.names.items():
            line = re.sub(name, actual.replace("\\", r"\\"), line)
        return line

    def _type(self, line: str) -> str:
        line = re.sub(r"\s{2,}# .*$", "", line)
        terminals = _lookup(self.elsewhere, line, self.terminals)
        command = f"{self.replaced(line)} {_lookup(ADDED, line, '')}"
        options, ready = _lookup(ENDLESS, line, ("", ""))
        if ready:
            self.running.append(terminals.starts(f"{command} {options.format(port=self.port)}"))
            self.running[-1].prints(ready)
            output = self.running[-1].output
        else:
            answers = self.replaced("apat_…\n") if "mcp register" in line else "y\n"
            output = terminals.types(command, answers=answers, statuses=_lookup(STATUSES, line, (0,)))
        for pattern, names in COPIED.items():
            for copied in re.findall(pattern, output, re.M):
                self.names |= dict.fromkeys(names, copied)
        return output


def _lookup(table: dict[str, T], line: str, default: T) -> T:
    """The value of the first pattern that the line begins with."""
    return next((value for pattern, value in table.items() if re.match(pattern, line)), default)


@contextmanager
def typed_page(page: TypedPage) -> Iterator[TypedPage]:
    """The page, all of whose lines must be typed in the block; what they started is stopped afterwards."""
    yield page
    page.interrupt()
    assert not page.is_unfinished
