"""What the doctor's checks find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask

from flask_activepieces.config.settings import Settings
from flask_activepieces.doctor.findings import Finding

from .hosts import SCOPES, SECRET_KEY

PUBLIC = "https://app.example.com"


def settings(**config: Any) -> Settings:
    """The settings of an app with this configuration; the names are without ``ACTIVEPIECES_``."""
    keys = {f"ACTIVEPIECES_{name}": value for name, value in config.items()}
    return Settings.from_app_config({"SECRET_KEY": SECRET_KEY, "ACTIVEPIECES_SCOPES": SCOPES, **keys})


def flask_config(**config: Any) -> dict[str, Any]:
    """Flask's defaults with these changes."""
    return {**Flask("defaults").config, **config}


def codes(findings: Iterable[Finding]) -> list[str]:
    """The codes of the findings."""
    return [finding.kind.code for finding in findings]


def only(findings: Iterable[Finding], code: str) -> Finding:
    """The only finding, which has this code."""
    (finding,) = findings
    assert finding.kind.code == code
    return finding
