"""The worker: distributes new events and delivers what is due, until it is stopped.

Any number of workers may run, on any number of machines. One that is killed loses nothing: its subscriptions are
delivered by another when their leases end, and what had been sent already keeps its event id.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ..crypto.keyring import random_id
from ..errors import Unavailable
from .deliverer import Deliverer
from .dispatcher import Claim, Dispatcher

log = logging.getLogger(__name__)

#: How long to wait when there is nothing to do, in seconds; and how long at most after errors.
POLL_SECONDS = 1.0
LONGEST_PAUSE = 30.0


class Worker:
    """One worker with several threads: each delivers to one subscription at a time."""

    def __init__(self, dispatcher: Dispatcher, deliverer: Deliverer, *, threads: int = 8) -> None:
        self._dispatcher = dispatcher
        self._deliverer = deliverer
        self._threads = threads
        self._holder = random_id()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish what is being delivered, and end `run`."""
        self._stopping.set()

    def run_once(self) -> int:
        """Deliver everything that is due now; returns the number of attempts."""
        attempts = 0
        while claims := self._dispatcher.claim(self._holder, limit=self._threads):
            with ThreadPoolExecutor(self._threads) as threads:
                attempts += sum(threads.map(self._deliverer.deliver, claims))
        return attempts

    def run(self) -> None:
        """Work until `stop`. While the database is unavailable, wait longer and longer."""
        running: set[Future[int]] = set()
        pause = POLL_SECONDS
        with ThreadPoolExecutor(self._threads) as threads:
            while not self._stopping.is_set():
                try:
                    claims = self._dispatcher.claim(self._holder, limit=self._threads - len(running))
                    pause = POLL_SECONDS
                except Unavailable as error:
                    log.warning("%s Trying again in %d seconds.", error, pause)
                    claims = []
                    pause = min(pause * 2, LONGEST_PAUSE)
                running |= {threads.submit(self._deliver, claim) for claim in claims}
                if len(running) >= self._threads:
                    _, running = wait(running, return_when=FIRST_COMPLETED)
                elif not claims:
                    self._stopping.wait(pause)
                    running = {future for future in running if not future.done()}

    def _deliver(self, claim: Claim) -> int:
        try:
            return self._deliverer.deliver(claim)
        except Exception:
            # The lease ends by itself, and another attempt follows.
            log.exception("A delivery failed; it will be tried again.")
            return 0
