"""Installs programs from npm for tests."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_process_at_a_time(file: Path) -> Iterator[None]:
    """Wait until no other process of the tests is in such a block with the same file."""
    with file.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_programs(npm: str, folder: Path, *options: str) -> None:
    """Install what the lock file in the folder lists, once for all processes of the tests."""
    with one_process_at_a_time(folder / "package-lock.json"):
        # npm writes this file last.
        if not (folder / "node_modules" / ".package-lock.json").exists():
            command = [npm, "ci", *options, "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
