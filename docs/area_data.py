"""What Acme has in Activepieces in the pictures of the automation area: connections, flows, runs and deliveries."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from flask import Flask

from example_app.activepieces import PIECE
from example_app.check.browser import Browser
from example_app.check.flow import WEBHOOK_PIECE
from example_app.seed import DEMO_PASSWORD, DEMO_USERS
from flask_activepieces import get_state
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import ConnectionDraft
from flask_activepieces.testing import Action, ActivepiecesServer, StandinPiece, StepFailed

SLACK = "@activepieces/piece-slack"
#: How long an event may take to its flow.
_PATIENCE = 10.0


def _refuse(call: object) -> Any:
    raise StepFailed("SlackError", "channel_not_found: the channel #anvils does not exist, or the bot is not in it")


def _oauth2(title: str, *, scope: str) -> dict[str, object]:
    site = "https://auth.example.com"
    return {
        "type": "OAUTH2",
        "displayName": title,
        "required": True,
        "authUrl": f"{site}/authorize",
        "tokenUrl": f"{site}/token",
        "scope": [scope],
    }


def _fields() -> dict[str, object]:
    def text(title: str, *, kind: str = "SHORT_TEXT", **more: object) -> dict[str, object]:
        return {"type": kind, "displayName": title, "required": True, **more}

    return {
        "type": "CUSTOM_AUTH",
        "displayName": "Mail server",
        "required": True,
        "props": {
            "host": text("Host", description="For example smtp.example.com"),
            "email": text("E-mail address"),
            "password": text("Password", kind="SECRET_TEXT"),
            "port": text("Port", kind="NUMBER", required=False),
            "TLS": text("Encrypt the connection", kind="CHECKBOX", required=False),
        },
    }


PIECES = (
    StandinPiece(
        SLACK,
        display_name="Slack",
        auth=_oauth2("Slack", scope="chat:write"),
        actions={"send": Action("Send a message", _refuse)},
    ),
    StandinPiece(
        "@activepieces/piece-google-sheets",
        display_name="Google Sheets",
        auth=_oauth2("Google", scope="spreadsheets"),
    ),
    StandinPiece(
        "@activepieces/piece-stripe",
        display_name="Stripe",
        auth={"type": "SECRET_TEXT", "displayName": "API key", "required": True},
    ),
    StandinPiece("@activepieces/piece-smtp", display_name="SMTP", auth=_fields()),
)


def fill(app: Flask, url: str, activepieces: ActivepiecesServer) -> None:
    """Add to what the demo has already."""
    _add_connections_and_flows(activepieces)
    _add_deliveries(app, url, activepieces)


def _add_connections_and_flows(activepieces: ActivepiecesServer) -> None:
    client = ActivepiecesClient(activepieces.url, api_key=activepieces.api_key)
    project = client.projects.find("acme")
    assert project is not None, "the demo has linked Acme"
    connection = client.connections.list(project.id)[0].external_id
    for external_id, name, piece in (
        ("sheets", "Order list", "@activepieces/piece-google-sheets"),
        ("stripe", "Payments", "@activepieces/piece-stripe"),
        ("slack", "Slack of the warehouse", SLACK),
    ):
        client.connections.upsert(
            ConnectionDraft(
                project_id=project.id,
                external_id=external_id,
                display_name=name,
                piece_name=piece,
                value=SecretText("a-secret"),
            )
        )
    _add_flow(client, project.id, "Fill the order list", _webhook(client), None)
    failing = _add_flow(
        client, project.id, "Tell the warehouse about orders", _webhook(client), _step(SLACK, "send", "slack")
    )
    client.flows.run(failing, {}, sync=False)
    trigger = {"triggerName": "task_created", "input": {"auth": _auth(connection), "contains": ""}}
    version = client.pieces.get(PIECE.name).version
    _add_flow(
        client, project.id, "Celebrate new tasks", {"pieceName": PIECE.name, "pieceVersion": version, **trigger}, None
    )
    activepieces.finish_runs()
    activepieces.break_connection("slack", project_id=project.id)


def _add_deliveries(app: Flask, url: str, activepieces: ActivepiecesServer) -> None:
    """Let something happen that a flow waits for; the first time, Activepieces does not take it."""
    activepieces.faults.fail("POST", "/webhooks/*", 400)
    with closing(Browser(url)) as admin:
        admin.submit("/login", "/login", email=DEMO_USERS[0].email, password=DEMO_PASSWORD)
        for number, title in enumerate(("Order new anvils", "Book the spring fair"), 1):
            admin.submit("/", "/tasks", title=title)
            _wait_for_deliveries(app, number)


def _wait_for_deliveries(app: Flask, count: int) -> None:
    log, end = get_state(app).delivery.log, time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with app.app_context():
            found = log.list("acme")
        if len(found) >= count and all(each.state != "pending" for each in found):
            return
        time.sleep(0.05)
    raise SystemExit("The events were not delivered.")


def _add_flow(
    client: ActivepiecesClient, project_id: str, name: str, trigger: dict[str, Any], step: dict[str, Any] | None
) -> str:
    flow_id = client.flows.create(project_id, name).id
    started = {"type": "PIECE_TRIGGER", "name": "trigger", "displayName": "Start", "valid": True, "settings": trigger}
    client.flows.apply(flow_id, "UPDATE_TRIGGER", started)
    if step is not None:
        client.flows.apply(flow_id, "ADD_ACTION", {"parentStep": "trigger", "action": step})
    client.flows.publish(flow_id)
    return flow_id


def _webhook(client: ActivepiecesClient) -> dict[str, Any]:
    return {
        "pieceName": WEBHOOK_PIECE,
        "pieceVersion": client.pieces.get(WEBHOOK_PIECE).version,
        "triggerName": "catch_webhook",
        "input": {"authType": "none", "authFields": {}},
    }


def _step(piece: str, action: str, connection: str) -> dict[str, Any]:
    settings = {
        "pieceName": piece,
        "pieceVersion": "1.0.0",
        "actionName": action,
        "input": {"auth": _auth(connection)},
    }
    return {"type": "PIECE", "name": "step_1", "displayName": "Send a message", "valid": True, "settings": settings}


def _auth(connection: str) -> str:
    return f"{{{{connections['{connection}']}}}}"
