"""What is logged for the developer when an app is not set up, and the reference that its customers get instead."""

from __future__ import annotations

import logging
import secrets

from ..errors import SetupError

log = logging.getLogger(__name__)

#: What programs are answered; the reference leads to the line in the log.
DESCRIPTION = "The app cannot answer this. Its operator finds the cause in the log: reference {}."


def report(error: SetupError, *, request: str) -> str:
    """Log what is missing; the reference by which somebody who met it can be helped."""
    reference = secrets.token_hex(4)
    # One line: the message names the remedy, and strangers can bring it about by a Host header.
    log.error("Reference %s: %s: %s", reference, request, error)
    return reference
