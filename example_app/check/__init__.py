"""``make check-demo``: the demo's scenario with Tasklane and Activepieces, unattended and over real HTTP.

Both servers run on local ports. If the environment has ``ACTIVEPIECES_BASE_URL`` and ``ACTIVEPIECES_API_KEY``, the
same steps run against that server. ``CHECK_EMAIL`` and ``CHECK_PASSWORD`` can replace the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing

import requests

from flask_activepieces import ActivepiecesError
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.errors import SetupError

from . import agent_steps, flow_steps, setup_steps
from .browser import Browser
from .report import CheckFailed, StepSkipped
from .run import CheckRun
from .servers import IncompleteEnvironment, activepieces_from, serve_tasklane

__all__ = ["STEPS", "check"]

Step = Callable[[CheckRun], str]

STEPS: tuple[tuple[str, Step], ...] = (
    ("sign in", setup_steps.sign_in),
    ("piece", setup_steps.install_piece),
    ("setup", setup_steps.set_up),
    ("secret text", setup_steps.connect_by_secret_text),
    ("one click", setup_steps.connect_with_one_click),
    ("flow", flow_steps.build_flow),
    ("run", flow_steps.run_flow),
    ("trigger", flow_steps.enable_trigger),
    ("event", flow_steps.receive_event),
    ("refresh", flow_steps.refresh_token),
    ("mcp", flow_steps.rotate_mcp_token),
    ("disconnect", flow_steps.disconnect),
    ("refused", flow_steps.run_disconnected_flow),
    ("agent challenge", agent_steps.read_challenge),
    ("agent resource", agent_steps.read_resource_metadata),
    ("agent server", agent_steps.read_server_metadata),
    ("agent registration", agent_steps.register),
    ("agent consent", agent_steps.consent),
    ("agent token", agent_steps.get_token),
    ("agent tools", agent_steps.list_tools),
    ("agent call", agent_steps.call_tool),
    ("agent refresh", agent_steps.refresh),
    ("agent disconnect", agent_steps.disconnect),
)


def check(*, host: str = "127.0.0.1", port: int = 0) -> bool:
    """Run all steps and print a line for each. Returns whether all succeeded."""
    try:
        with (
            activepieces_from(os.environ) as activepieces,
            serve_tasklane(os.environ, activepieces, host=host, port=port) as (app, address),
            closing(Browser(address)) as admin,
        ):
            api_client = ActivepiecesClient(activepieces.url, credential=activepieces.credential)
            return _run_steps(CheckRun(app, activepieces, admin, api_client))
    except (IncompleteEnvironment, SetupError) as error:
        return _report("FAIL", "start", error)


def _run_steps(run: CheckRun) -> bool:
    try:
        succeeded = all(_run_step(name, step, run) for name, step in STEPS)
    finally:
        cleaned_up = _run_step("clean up", _clean_up, run)
    return succeeded and cleaned_up


def _run_step(name: str, step: Step, run: CheckRun) -> bool:
    try:
        return _report("ok", name, step(run))
    except StepSkipped as reason:
        _report("--", name, f"skipped: {reason}")
        return True
    except (CheckFailed, ActivepiecesError, LookupError, requests.RequestException) as error:
        return _report("FAIL", name, error)


def _clean_up(run: CheckRun) -> str:
    """Remove what this run created, except pieces, which Activepieces cannot remove, and tasks."""
    removed = []
    while run.clean_ups:
        name, remove = run.clean_ups.pop()
        remove()
        removed.append(name)
    return f"removed {', '.join(removed)}" if removed else "there was nothing to remove"


def _report(outcome: str, name: str, result: object) -> bool:
    print(f"{outcome:<4} {name}: {result}", flush=True)
    return outcome == "ok"
