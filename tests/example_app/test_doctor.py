"""The doctor finds nothing in the demo: Tasklane, linked with the stand-in."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from example_app import demo
from example_app.demo import start_demo
from example_app.models import db


def doctor(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["activepieces", "doctor", *arguments])
    with app.app_context():
        db.engine.dispose()
    return result.exit_code, result.output


def test_the_doctor_finds_nothing_in_the_demo(tmp_path: Path) -> None:
    with start_demo(tmp_path):
        assert doctor(demo.create_app(tmp_path)) == (0, "No problems found.\n")
        assert doctor(demo.create_app(tmp_path), "--tenant", "acme") == (0, "No problems found.\n")


def test_the_doctor_notices_when_the_demo_has_ended(tmp_path: Path) -> None:
    with start_demo(tmp_path):
        pass

    code, output = doctor(demo.create_app(tmp_path))

    assert code == 1
    assert "Warning: public-url-unreachable" in output
    assert "Error: activepieces-unreachable" in output
