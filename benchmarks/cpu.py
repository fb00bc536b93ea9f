"""CPU time, user and system together, of processes and of single threads, as Linux has it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    return [
        int(child)
        for task in _tasks(pid)
        for child in (task / "children").read_text(encoding="ascii").split()
    ]


def family_of(pid: int) -> list[Path]:
    """The threads of a process and of all its children, as directories below /proc."""
    return [task for process in (pid, *children_of(pid)) for task in _tasks(process)]


def thread(thread_id: int) -> Path:
    """One thread; a process with a single thread has the same number."""
    return PROC / str(thread_id) / "task" / str(thread_id)


def is_of(task: Path, program: str) -> bool:
    """Whether the thread is there and belongs to that program."""
    try:
        return (task / "comm").read_text(encoding="utf-8").strip() == program
    except OSError:
        return False


def seconds(tasks: Iterable[Path]) -> float:
    """The CPU time that these threads have had since they began."""
    return sum(_seconds(task) for task in tasks)


def _seconds(task: Path) -> float:
    try:
        # The scheduler's own count, in nanoseconds; the two numbers in "stat" are the same time in ticks.
        return int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except FileNotFoundError:
        # The program's name, in parentheses, may contain spaces; utime and stime are the 14th and 15th field.
        fields = (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def _tasks(pid: int) -> list[Path]:
    return sorted((PROC / str(pid) / "task").iterdir())
