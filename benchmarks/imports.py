"""The cost of importing the package, compared with importing its dependencies alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory

BASE = ("flask", "flask_sqlalchemy", "authlib.integrations.flask_oauth2")
PACKAGE = ("flask_activepieces",)
TARGET = 1.8


@dataclass(frozen=True)
class ImportTimes:
    """Median milliseconds of CPU in a new interpreter."""

    base_ms: float
    package_ms: float
    ratio: float
    target: float = TARGET

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target


def measure_imports(rounds: int) -> ImportTimes:
    """Import the dependencies and the package in turn, each time in a new process."""
    with TemporaryDirectory() as compiled:
        # The first import compiles the bytecode, which happens only once per installation.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _milliseconds(BASE + PACKAGE, environment)
        pairs = [(_milliseconds(BASE, environment), _milliseconds(PACKAGE, environment)) for _ in range(rounds)]
    return ImportTimes(
        base_ms=median(base for base, _ in pairs),
        package_ms=median(package for _, package in pairs),
        ratio=median(package / base for base, package in pairs),
    )


def _milliseconds(modules: tuple[str, ...], environment: dict[str, str]) -> float:
    program = (
        "from time import process_time as now; start = now();"
        f"import {', '.join(modules)}; print((now() - start) * 1000)"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(result.stdout)
