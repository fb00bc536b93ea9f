"""The routes that the piece calls."""

from __future__ import annotations

from ..routes import Route
from . import account, actions, options, sign_in, subscriptions, triggers

ROUTES = (
    ("GET", "/me", account.me),
    ("POST", "/token", sign_in.token),
    ("POST", "/actions/<name>", actions.run_action),
    ("POST", "/options/<name>", options.list_options),
    ("POST", "/subscriptions", subscriptions.subscribe),
    ("POST", "/subscriptions/<subscription_id>/renew", subscriptions.renew),
    ("DELETE", "/subscriptions/<subscription_id>", subscriptions.unsubscribe),
    ("GET", "/triggers/<name>/samples", triggers.list_samples),
    ("POST", "/triggers/<name>/poll", triggers.poll),
)


def piece_routes(prefix: str) -> list[Route]:
    """The routes under this prefix; the endpoint of a view is its name after ``piece_``."""
    return [
        Route(f"{prefix}/piece{path}", f"piece_{view.__name__}", (method,), view, csrf_exempt=True)
        for method, path, view in ROUTES
    ]
