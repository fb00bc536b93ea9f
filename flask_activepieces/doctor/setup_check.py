"""What a developer forgot to set up, as far as the first request shows it: logged with the remedy.

These are the checks of ``flask activepieces doctor`` that cost nothing.
"""

from __future__ import annotations

import logging

from flask import Flask, request

from .examination import free_findings

log = logging.getLogger(__name__)


def check_setup(app: Flask) -> None:
    """Log what is missing."""
    # The server in front of the app also says where it is mounted.
    for finding in free_findings(app, mounts=[request.root_path]):
        log.log(logging.ERROR if finding.breaks_something else logging.WARNING, "%s", finding)
