"""Events of an app under test, on their whole way to the flows in the stand-in."""

from __future__ import annotations

from typing import Any

from flask import Flask

from ..errors import SetupError
from ..state import get_state
from .standin.server import ActivepiecesServer


def emit_event(
    app: Flask,
    server: ActivepiecesServer,
    trigger: str,
    payload: Any,
    *,
    tenant_id: str,
    organization_id: str | None = None,
    user_id: str | None = None,
) -> int:
    """Emit an event in a transaction of its own, and deliver it; returns the number of deliveries."""
    with app.app_context():
        triggers = get_state(app).piece.triggers()
        if trigger not in triggers:
            raise SetupError(f"The app has no trigger {trigger!r}. Its triggers: {', '.join(triggers) or 'none'}.")
        triggers[trigger].emit(payload, tenant_id=tenant_id, organization_id=organization_id, user_id=user_id)
        app.extensions["sqlalchemy"].session.commit()
    return deliver(app, server)


def deliver(app: Flask, server: ActivepiecesServer) -> int:
    """Run the app's worker once, and wait until all runs have ended; returns the number of deliveries."""
    with app.app_context():
        attempts = get_state(app).delivery.worker(threads=1).run_once()
    server.finish_runs()
    return attempts
