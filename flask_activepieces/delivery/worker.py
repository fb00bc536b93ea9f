"""The worker: distributes new events and delivers what is due, until it is stopped.

Any number of workers can run, on any number of machines. If one is killed, no event is lost: another worker takes
over its subscriptions when their leases end. An event that is then sent again keeps its id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from ..crypto.keyring import random_id
from ..errors import Unavailable
from .deliverer import PARALLEL, Deliverer
from .dispatcher import Claim, Dispatcher

log = logging.getLogger(__name__)

#: More than the deliveries to one server at once, so that a slow server leaves threads for the others.
THREADS = 16
#: How many seconds to wait if there is nothing to do, and the most seconds to wait after errors.
POLL_SECONDS = 1.0
LONGEST_PAUSE = 30.0


class Worker:
    """One worker with several threads: each delivers to one subscription at a time."""

    def __init__(self, dispatcher: Dispatcher, deliverer: Deliverer, *, threads: int = THREADS) -> None:
        self._dispatcher = dispatcher
        self._deliverer = deliverer
        self._threads = threads
        self._holder = random_id()
        self._is_stopping = False
        self._stop_calls = SimpleQueue[None]()

    def stop(self) -> None:
        """Finish the current requests, and end `run` or `run_once`. A signal handler may call it."""
        self._is_stopping = True
        # Not a `threading.Event`: its lock may be held by the code that the signal has interrupted.
        self._stop_calls.put(None)

    def run_once(self, *, seconds: float = float("inf")) -> int:
        """Deliver everything that is due now; returns the number of attempts. `Unavailable` without a database.

        After ``seconds``, no delivery begins.
        """
        attempts, running, end = 0, set[Future[int]](), time.monotonic() + seconds
        with self._pools() as (threads, senders):
            while not self._is_stopping and time.monotonic() < end:
                claims = self._dispatcher.claim(self._holder, limit=self._threads - len(running))
                running |= {threads.submit(self._deliver, claim, senders) for claim in claims}
                if claims and len(running) < self._threads:
                    continue
                if not running:
                    break
                # Do not wait for all of them: a slow one must not delay the others.
                done, running = wait(running, return_when=FIRST_COMPLETED)
                attempts += sum(each.result() for each in done)
        return attempts + sum(each.result() for each in running)

    def run(self) -> None:
        """Work until `stop`. While the database is unavailable, wait longer and longer."""
        running: set[Future[int]] = set()
        pause = POLL_SECONDS
        with self._pools() as (threads, senders):
            while not self._is_stopping:
                try:
                    claims = self._dispatcher.claim(self._holder, limit=self._threads - len(running))
                    pause = POLL_SECONDS
                except Unavailable as error:
                    log.warning("%s Trying again in %d seconds.", error, pause)
                    claims = []
                    pause = min(pause * 2, LONGEST_PAUSE)
                running |= {threads.submit(self._deliver, claim, senders) for claim in claims}
                if claims and len(running) < self._threads:
                    continue
                if running:
                    _, running = wait(running, timeout=pause, return_when=FIRST_COMPLETED)
                else:
                    with suppress(Empty):
                        self._stop_calls.get(timeout=pause)

    @contextmanager
    def _pools(self) -> Iterator[tuple[ThreadPoolExecutor, ThreadPoolExecutor]]:
        with (
            ThreadPoolExecutor(self._threads * (PARALLEL - 1)) as senders,
            ThreadPoolExecutor(self._threads) as threads,
        ):
            yield threads, senders

    def _deliver(self, claim: Claim, senders: ThreadPoolExecutor) -> int:
        try:
            return self._deliverer.deliver(claim, senders, is_stopping=lambda: self._is_stopping)
        except Unavailable as error:
            log.warning("%s The deliveries will be attempted again when the lease ends.", error)
        except Exception:
            # When the lease ends, there is another attempt.
            log.exception(
                "The deliveries to subscription %s failed, and will be attempted again.", claim.subscription_id
            )
        return 0
