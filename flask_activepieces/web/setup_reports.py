"""A `SetupError` goes to the log, for the developer; callers get a reference to that line."""

from __future__ import annotations

import logging
import secrets

from flask import request

from ..errors import SetupError

log = logging.getLogger(__name__)

#: The error message for programs.
DESCRIPTION = "The app is not set up correctly. Its log explains the cause: reference {}."


def report(error: SetupError) -> str:
    """Log what is missing, and return the reference of the log line."""
    reference = secrets.token_hex(4)
    # Without a traceback: the message names the remedy, and anyone can trigger it with a Host header.
    # The path with %r: it may contain line breaks.
    log.error("Reference %s: %s %r: %s", reference, request.method, request.path, error)
    return reference
