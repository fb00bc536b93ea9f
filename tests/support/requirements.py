"""External services and programs that some tests need: databases, Redis, a browser, Node, npm, axe.

A test (or its fixture) calls ``require("postgres")`` and gets the URL or path. If the service is not available, the
test is skipped with a reason; with REQUIRE_ALL=1 in the environment, as in CI, it fails.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
import redis
from kombu.connection import Connection
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.support.machines import machine
from tests.support.npm import install_programs

Name = Literal["postgres", "mariadb", "redis", "rabbitmq", "chromium", "node", "npm", "nginx", "axe", "unshare"]

TIMEOUT_SECONDS = 2
#: The accessibility checker, which npm installs here in the version of the lock file.
AXE = Path(__file__).parents[1] / "browser" / "programs" / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True)
class Requirement:
    """A service or program, its usual place, and how to check that it is available."""

    title: str
    variable: str  # the environment variable that overrides the usual place
    usual_place: str
    probe: Callable[[str], str]  # returns the URL or path, or raises any exception

    def place(self) -> str:
        return os.environ.get(self.variable) or self.usual_place


def connect_to_database(url: str) -> str:
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": TIMEOUT_SECONDS})
    with engine.connect():
        return url


def ping_redis(url: str) -> str:
    with redis.Redis.from_url(
        url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    ) as connection:
        connection.ping()
    return url


def connect_to_broker(url: str) -> str:
    with Connection(url, connect_timeout=TIMEOUT_SECONDS) as connection:  # type: ignore[no-untyped-call]  # kombu
        connection.ensure_connection(max_retries=1, timeout=TIMEOUT_SECONDS)
    return url


def find_program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"no program {name}")
    return path


def find_axe(path: str) -> str:
    if path == str(AXE):
        install_programs(find_program("npm"), AXE.parents[2])
    if not Path(path).exists():
        raise FileNotFoundError(f"no file {path}")
    return path


def start_machine(unshare: str) -> str:
    """Only root can start one, and not in every container."""
    with TemporaryDirectory() as folder, machine(Path(folder), find_program(unshare)):
        return unshare


REQUIREMENTS: dict[Name, Requirement] = {
    "postgres": Requirement(
        "PostgreSQL", "TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test", connect_to_database
    ),
    "mariadb": Requirement(
        "MariaDB",
        "TEST_MARIADB_URL",
        # With TLS, PyMySQL reads all certificates of the machine for each connection.
        "mysql+pymysql://root@127.0.0.1:3306/test?ssl_disabled=true",
        connect_to_database,
    ),
    "redis": Requirement("Redis", "TEST_REDIS_URL", "redis://127.0.0.1:6379/0", ping_redis),
    "rabbitmq": Requirement(
        "RabbitMQ", "TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//", connect_to_broker
    ),
    "chromium": Requirement("Chromium", "TEST_CHROMIUM", "chromium", find_program),
    "node": Requirement("Node", "TEST_NODE", "node", find_program),
    "npm": Requirement("npm", "TEST_NPM", "npm", find_program),
    "nginx": Requirement("nginx", "TEST_NGINX", "/usr/sbin/nginx", find_program),
    "axe": Requirement("axe", "TEST_AXE", str(AXE), find_axe),
    "unshare": Requirement("unshare", "TEST_UNSHARE", "unshare", start_machine),
}


@cache
def look_for(name: Name) -> tuple[str, str]:
    """The URL or path and ``""``, or ``""`` and the reason why it is not available; checked once per process."""
    requirement = REQUIREMENTS[name]
    try:
        return requirement.probe(requirement.place()), ""
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        return "", lines[0]


def require(name: Name) -> str:
    """The URL or path; if it is not available, the running test is skipped or fails."""
    place, problem = look_for(name)
    if place:
        return place
    requirement = REQUIREMENTS[name]
    reason = f"needs {requirement.title}, not found ({requirement.variable}): {problem}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def skipped_for(reports: list[pytest.TestReport]) -> Iterator[str]:
    """The title of the missing service, once for each test that was skipped without it."""
    for report in reports:
        found = re.search(r"needs (\w+), not found", str(report.longrepr))
        if found:
            yield found[1]


def summarise_missing(terminalreporter: pytest.TerminalReporter) -> None:
    """Print in one line what was not tested; called by the hook ``pytest_terminal_summary``.

    It reads the reports, because pytest-xdist runs the tests in other processes.
    """
    counts = Counter(skipped_for(terminalreporter.stats.get("skipped", [])))
    if counts:
        listed = ", ".join(f"{title} ({number})" for title, number in sorted(counts.items()))
        terminalreporter.write_line(f"Not tested, because it is not available: {listed}", yellow=True)
