"""CPU time of processes and threads, user and system together, from Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The ids of the running child processes."""
    return [int(child) for task in _tasks(pid) for child in (task / "children").read_text(encoding="ascii").split()]


def threads_of(pid: int) -> list[Path]:
    """The threads of a process and its children, as directories in /proc."""
    return [task for process in (pid, *children_of(pid)) for task in _tasks(process)]


def thread(thread_id: int) -> Path:
    """The directory of a thread. A process with one thread has the same id."""
    return PROC / str(thread_id) / "task" / str(thread_id)


def runs(task: Path, program: str) -> bool:
    """Whether the thread exists and belongs to this program."""
    try:
        return (task / "comm").read_text(encoding="utf-8").strip() == program
    except OSError:
        return False


def seconds(tasks: Iterable[Path]) -> float:
    """The CPU time of these threads since they started."""
    return sum(_seconds(task) for task in tasks)


def _seconds(task: Path) -> float:
    try:
        # In nanoseconds; "stat" has the same time in ticks.
        return int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except FileNotFoundError:
        # utime and stime are fields 14 and 15; the program's name in parentheses may contain spaces.
        fields = (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def _tasks(pid: int) -> list[Path]:
    return sorted((PROC / str(pid) / "task").iterdir())
