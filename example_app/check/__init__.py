"""``make check-demo``: the whole loop between Tasklane and Activepieces, over real HTTP.

Both servers are started on ports of this machine. With ``ACTIVEPIECES_BASE_URL`` and ``ACTIVEPIECES_API_KEY`` in the
environment the same steps go to that server; ``CHECK_EMAIL`` and ``CHECK_PASSWORD`` can take the place of the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing

import requests

from flask_activepieces import ActivepiecesError
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.errors import SetupError

from . import linking, running
from .browser import Browser
from .loop import Loop
from .places import NotEnough, activepieces_for, tasklane_for
from .report import Skipped, Surprise

__all__ = ["STEPS", "check"]

STEPS: tuple[tuple[str, Callable[[Loop], str]], ...] = (
    ("sign in", linking.sign_in),
    ("pieces", linking.install_pieces),
    ("setup", linking.set_up),
    ("secret text", linking.connect_by_secret_text),
    ("one click", linking.connect_with_one_click),
    ("flow", running.build_flow),
    ("run", running.run_flow),
    ("refresh", running.refresh),
    ("mcp", running.rotate_mcp),
    ("disconnect", running.disconnect),
    ("refused", running.run_in_vain),
)


def check(*, host: str = "127.0.0.1", port: int = 0) -> bool:
    """Walk the loop and print a line a step; whether all went well."""
    try:
        with (
            activepieces_for(os.environ) as place,
            tasklane_for(os.environ, place, host=host, port=port) as (app, address),
            closing(Browser(address)) as admin,
        ):
            client = ActivepiecesClient(place.url, credential=place.credential)
            return walked(Loop(app, place, admin, client))
    except (NotEnough, SetupError) as error:
        return told("FAIL", "start", error)


def walked(loop: Loop) -> bool:
    """Whether every step went well; what was made is removed in any case."""
    try:
        well = all(stepped(name, step, loop) for name, step in STEPS)
    finally:
        clean = stepped("clean up", cleaned_up, loop)
    return well and clean


def cleaned_up(loop: Loop) -> str:
    """Pieces stay, since Activepieces removes none, and so do the tasks."""
    removed = []
    while loop.clean_ups:
        name, remove = loop.clean_ups.pop()
        remove()
        removed.append(name)
    return f"removed {', '.join(removed)}" if removed else "there was nothing to remove"


def stepped(name: str, step: Callable[[Loop], str], loop: Loop) -> bool:
    """Whether this step went well; its line is printed."""
    try:
        return told("ok", name, step(loop))
    except Skipped as reason:
        told("--", name, f"skipped: {reason}")
        return True
    except (Surprise, ActivepiecesError, LookupError, requests.RequestException) as error:
        return told("FAIL", name, error)


def told(word: str, name: str, words: object) -> bool:
    """Print a line; whether it tells of something good."""
    print(f"{word:<4} {name}: {words}", flush=True)
    return word == "ok"
