"""``flask activepieces try``: the app with a stand-in for Activepieces, linked, and its consent page opened."""

from __future__ import annotations

import signal
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from ..errors import SetupError
from ..state import State, get_state
from .output import HostId


@click.command("try")
@click.option("--tenant", "tenant_id", type=HostId(), help="The tenant to link: that of the user you sign in as.")
@click.option("--port", type=click.IntRange(0, 65_535), default=5000, show_default=True, help="Of the app.")
@click.option(
    "--activepieces-port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Of the stand-in for Activepieces.",
)
@click.option("--no-browser", is_flag=True, help="Print the address of the consent page, and do not open it.")
@click.option("--keep", is_flag=True, help="Use the app's own database, and leave client and integration there.")
@with_appcontext
def try_command(tenant_id: str | None, port: int, activepieces_port: int, no_browser: bool, keep: bool) -> None:
    """Run the app with a stand-in for Activepieces, linked, and open the consent page, until Ctrl+C.

    The app's database stays as it is, unless --keep is used. No account and no network is needed.
    """
    if port == activepieces_port != 0:
        raise click.UsageError("--port and --activepieces-port must be different.")
    # Imported here: an app in production never loads the stand-in.
    trials = import_module("flask_activepieces.testing.trial")
    chosen = tenant_id or _choose_tenant(get_state())
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    ports = {"port": port, "activepieces_port": activepieces_port}
    try:
        with _until_signal() as stopped, trials.run_trial(app, tenant_id=chosen, keep=keep, **ports) as trial:
            click.echo(_instructions(trial, keep=keep))
            if not no_browser:
                webbrowser.open(trial.consent_url)
            stopped.wait()
    except trials.PortInUse as error:
        option = "--port" if error.port == port else "--activepieces-port"
        raise SetupError(f"{error} Stop it, or use another one with {option}.") from None


def _choose_tenant(state: State) -> str:
    only = getattr(state.host, "only_tenant", None)
    if only is not None:
        return str(only)
    try:
        return str(click.prompt("Which tenant do you sign in to? Its id", type=HostId(), err=True))
    except click.Abort:
        click.echo(err=True)
        raise click.UsageError("Name the tenant of the user you sign in as: --tenant ID.") from None


def _instructions(trial: Any, *, keep: bool) -> str:
    data = (
        "The OAuth client and the integration stay in the app's database."
        if keep
        else ("Nothing is stored in the app's database; Ctrl+C ends everything.")
    )
    return f"""
Your app       {trial.url}
Activepieces   {trial.activepieces_url} (a stand-in: put nothing real into it)
               {trial.email}, password {trial.password}
OAuth client   {trial.client_id}
               secret {trial.client_secret}

Consent page   {trial.consent_url}

Sign in as a user of tenant {trial.tenant_id} and allow access: Activepieces then has a connection to your app.
The page of the stand-in shows it, and lets you connect again with the OAuth client.
For users of another tenant, use --tenant with its id.

{data}
"""


@contextmanager
def _until_signal() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set."""
    stopped = Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        signal.signal(number, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
