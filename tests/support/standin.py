"""Calls a stand-in Activepieces without a network, and creates flows on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.test import Client, TestResponse

from flask_activepieces.testing import ActivepiecesServer


@dataclass(frozen=True)
class Standin:
    """One stand-in and a caller's token, by default the API key."""

    server: ActivepiecesServer
    token: str

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request; the path is relative to the root of the API."""
        return Client(self.server.app).open(
            self.server.state.api_root + path,
            method=method,
            headers={"Authorization": f"Bearer {self.token}"},
            json=body,
            **options,
        )

    def get(self, path: str) -> Any:
        """The decoded response of a successful GET."""
        return decoded(self.ask("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        """The decoded response of a successful POST."""
        return decoded(self.ask("POST", path, body))

    def by(self, token: str) -> Standin:
        """The same stand-in with another token."""
        return Standin(self.server, token)

    def by_admin(self) -> Standin:
        """The same stand-in, called by the platform's admin."""
        return self.by(self.server.user_token())

    def by_member(self, role: str) -> Standin:
        """The same stand-in, called by a user who has that role in its project."""
        email, password = f"{role.lower()}@example.com", "their-pass-1"
        invitation = {"type": "PROJECT", "email": email, "projectRole": role}
        self.post("/user-invitations", {**invitation, "projectId": self.server.project_id})
        names = {"firstName": "Mem", "lastName": "Ber", "trackEvents": False, "newsLetter": False}
        who = {"email": email, "password": password}
        return self.by(self.post("/authentication/sign-up", {**who, **names})["token"])

    def projects(self, count: int) -> None:
        """Create projects until there are as many."""
        for number in range(count - len(self.server.state.store.all("project"))):
            self.post("/projects", {"displayName": f"Project {number}"})

    def connect(self, external_id: str, piece_name: str, value: dict[str, Any]) -> str:
        """Create a connection; return its id."""
        body = {
            "externalId": external_id,
            "displayName": external_id,
            "pieceName": piece_name,
            "projectId": self.server.project_id,
            "type": value["type"],
            "value": value,
        }
        return str(self.post("/app-connections", body)["id"])

    def flow(self, *steps: dict[str, Any], publish: bool = True) -> str:
        """Create a flow with a webhook trigger and these steps; return its id."""
        body = {"displayName": "A flow", "projectId": self.server.project_id}
        flow_id = str(self.post("/flows", body)["id"])
        self.operate(flow_id, "UPDATE_TRIGGER", catch_webhook())
        parent = "trigger"
        for step in steps:
            self.operate(flow_id, "ADD_ACTION", {"parentStep": parent, "action": step})
            parent = step["name"]
        if publish:
            self.operate(flow_id, "LOCK_AND_PUBLISH", {})
        return flow_id

    def operate(self, flow_id: str, operation: str, request: dict[str, Any]) -> Any:
        """Apply an operation of the flow builder; return the flow."""
        return self.post(f"/flows/{flow_id}", {"type": operation, "request": request})

    def runs(self, flow_id: str) -> Any:
        """The runs of a flow, newest first."""
        query = f"projectId={self.server.project_id}&flowId={flow_id}"
        return self.get(f"/flow-runs?{query}")["data"]


def standin(server: ActivepiecesServer) -> Standin:
    """Calls this stand-in with its API key."""
    return Standin(server, server.api_key)


def without_users(server: ActivepiecesServer) -> ActivepiecesServer:
    """Reset the stand-in to the state before the first sign-up; only its pieces stay."""
    store = server.state.store
    store.restore([row for row in store.snapshot() if row[0] == "piece"])
    return server


def decoded(answer: TestResponse) -> Any:
    """The JSON of a successful response."""
    assert answer.status_code < 300, answer.text
    return answer.get_json() if answer.data else None


def catch_webhook() -> dict[str, Any]:
    """A trigger: a request to the flow's webhook."""
    return {
        "type": "PIECE_TRIGGER",
        "name": "trigger",
        "displayName": "Catch webhook",
        "valid": True,
        "settings": {
            "pieceName": "@activepieces/piece-webhook",
            "pieceVersion": "~0.1.34",
            "triggerName": "catch_webhook",
            "input": {},
        },
    }


def action(name: str, piece_name: str, action_name: str, **given: Any) -> dict[str, Any]:
    """A step: an action of a piece, with its inputs."""
    return {
        "type": "PIECE",
        "name": name,
        "displayName": name,
        "valid": True,
        "settings": {"pieceName": piece_name, "actionName": action_name, "input": given},
    }


def answering(name: str, body: Any, *, status: int = 200) -> dict[str, Any]:
    """A step that responds to the caller of the webhook."""
    return action(
        name,
        "@activepieces/piece-webhook",
        "return_response",
        respond="stop",
        responseType="json",
        fields={"status": status, "headers": {}, "body": body},
    )
