"""``flask activepieces deliver``: the worker that sends events to flows."""

from __future__ import annotations

import signal
from types import FrameType

import click

from ..delivery.worker import THREADS, Worker
from ..state import get_state
from .output import counted


@click.command("deliver")
@click.option("--once", is_flag=True, help="Deliver what is due now, and exit.")
@click.option(
    "--threads",
    type=click.IntRange(1, 200),
    default=THREADS,
    show_default=True,
    help="How many subscriptions to serve at the same time. Use more than ACTIVEPIECES_DELIVERIES_PER_SERVER.",
)
def deliver_command(once: bool, threads: int) -> None:
    """Send events to the flows that subscribed, until SIGTERM or Ctrl+C. Several workers can run at the same time.

    If the database is unreachable, waits for it; with --once, fails with exit code 3.
    """
    state = get_state()
    # Report problems in the declarations now, and not with the first event.
    state.piece.triggers()
    worker = state.delivery.worker(threads=threads)
    _stop_on_signals(worker)
    if once:
        click.echo(f"Made {counted(worker.run_once(), 'attempt')}.")
        return
    click.echo("Delivering events. SIGTERM or Ctrl+C stops this worker after its current deliveries.", err=True)
    worker.run()


def _stop_on_signals(worker: Worker) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
