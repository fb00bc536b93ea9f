"""Replays recordings against a stand-in in order, and collects the differences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.test import Client, TestResponse

from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.access.accounts import add_api_key
from flask_activepieces.testing.standin.connections.rows import store_value, value_of
from flask_activepieces.testing.standin.routing.authentication import user_token
from tests.support.clock import StoppedClock
from tests.support.recordings import Recording
from tests.support.token_endpoint import TokenEndpoint

from .comparison import differences
from .substitution import Names, decoded, encoded

#: The placeholder for a private key in recordings.
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY----- left out -----END RSA PRIVATE KEY-----\n"

#: Repeats an unrecorded setup step between two recordings.
Setup = Callable[["Replay"], None]
#: The form with a file, for an app at this address.
Upload = Callable[[str], dict[str, Any]]


@dataclass
class Replay:
    """One stand-in, the recordings of one server, and the name mappings learned so far."""

    server: ActivepiecesServer
    clock: StoppedClock
    endpoint: TokenEndpoint
    #: Recordings that sent a file -> the form with that file.
    uploads: Mapping[str, Upload]
    names: Names = field(default_factory=Names)

    def findings(
        self,
        recordings: Sequence[Recording],
        arrangements: Mapping[str, Setup],
        corrections: Mapping[str, tuple[str, str]],
    ) -> Iterator[list[str]]:
        """The differences of each recording."""
        unrecorded = rows_created_without_a_recording(recordings)
        for recording in recordings:
            self._set_clock(recording)
            self._seed(unrecorded, recording)
            if recording.name in arrangements:
                arrangements[recording.name](self)
            if recording.name in corrections:
                recording = corrected(recording, *corrections[recording.name])
            yield self._compare(recording, self._send(recording))

    def call(self, method: str, path: str, body: Any = None, *, by_user: bool = False) -> Any:
        """Send an unrecorded request with recorded names, by API key or as the admin."""
        state = self.server.state
        platform = state.store.first("platform")
        assert platform is not None
        owner = state.store.get("user", platform["ownerId"])
        assert owner is not None
        token = user_token(state, owner) if by_user else add_api_key(state, platform["id"], "arranged")[1]
        # A webhook passes its headers to the flow, so send those of the recordings' client.
        is_webhook = path.startswith("/webhooks/")
        answer = Client(self.server.app).open(
            state.api_root + self.names.text(path),
            base_url=self.server.url,
            method=method,
            headers={"Accept-Encoding": "identity"} | ({} if is_webhook else {"Authorization": f"Bearer {token}"}),
            json=self.names.translated(body),
        )
        assert answer.status_code < 300, answer.text
        return answer_body(answer)

    def change_value(self, external_id: str, **changes: Any) -> None:
        """Change fields of a connection's value in the database; None removes a field."""
        state = self.server.state
        row = state.store.first("app_connection", externalId=external_id)
        assert row is not None, f"there is no connection {external_id}"
        value = value_of(state, row) | changes
        left = {name: part for name, part in value.items() if part is not None}
        store_value(state, row, left, updated=row["updated"])

    def _set_clock(self, recording: Recording) -> None:
        body = recording.body if isinstance(recording.body, dict) else {}
        written = body.get("updated") or body.get("created")
        if recording.method != "GET" and isinstance(written, str):
            self.clock.now = max(self.clock.now, instant(written))

    def _seed(self, unrecorded: dict[str, dict[str, Any]], recording: Recording) -> None:
        """Create the connections in lists that no recorded request created."""
        shown = {row["id"] for row in rows_in(recording.body)}
        for row_id, row in list(unrecorded.items()):
            if row_id in shown or instant(row["created"]) <= self.clock.now:
                unrecorded.pop(row_id)
                self.add_connection(row)

    def add_connection(self, row: Mapping[str, Any]) -> None:
        """Create a connection as a list shows it."""
        store = self.server.state.store
        fields = {name: value for name, value in row.items() if name not in ("id", "owner", "flowIds", "projects")}
        value = {"type": row["type"]}
        made = store.add(
            "app_connection",
            {
                "preSelectForNewProjects": False,
                "usingSecretManager": False,
                **self.names.translated(fields),
                "sealed": store.encrypt(value),
            },
        )
        self.names.bind(row["id"], made["id"])

    def _send(self, recording: Recording) -> TestResponse:
        headers = dict(recording.request_headers)
        authorization = headers.get("Authorization", "")
        scheme, _, token = authorization.partition(" ")
        if token.count(".") == 2 and not self.names.knows(token):
            self._sign_unknown_token(token)
        if token.startswith("sk-") and len(token) == len(self.server.api_key):
            self.names.bind_once(token, self.server.api_key)
        if authorization:
            headers["Authorization"] = f"{scheme} {self.names.text(token)}"
        upload = self.uploads.get(recording.name)
        if upload is not None:
            headers.pop("Content-Type")  # whose boundary is that of the recorded body
        return Client(self.server.app).open(
            self.names.text(recording.path),
            base_url=self.server.url,
            method=recording.method,
            headers={"Accept-Encoding": "identity", **headers},
            data=upload(self.endpoint.url) if upload is not None else self._body(recording),
        )

    def _sign_unknown_token(self, recorded: str) -> None:
        """A token that is in no recorded response: sign it for the user in its claims."""
        state = self.server.state
        try:
            claims = self.names.translated(decoded(recorded.split(".")[1]))
        except ValueError:
            return  # intentionally invalid
        user = state.store.get("user", claims.get("id"))
        if user is not None and claims["tokenVersion"] != "stale":
            self.names.bind(recorded, user_token(state, user))
            return
        key = OctKey.import_key(state.jwt_secret)
        self.names.bind(recorded, jwt.encode({"alg": "HS256"}, claims, key))

    def _body(self, recording: Recording) -> bytes | None:
        body = self.names.translated(recording.request_body)
        if isinstance(body, dict) and "." in body.get("externalAccessToken", ""):
            body["externalAccessToken"] = self._resigned(recording)
        kind = recording.request_headers.get("Content-Type", "")
        if body is None:
            return None
        if isinstance(body, str):
            size = body.removesuffix(" bytes>").removeprefix("<")
            return b'{"a":"' + b"x" * int(size) + b'"}' if size.isdigit() else body.encode()
        if kind == "application/x-www-form-urlencoded":
            return urlencode(body).encode()
        return json.dumps(body).encode()

    def _resigned(self, recording: Recording) -> str:
        """A token for managed sign-in, with the stand-in's key id and signed by the stand-in's key."""
        header, payload, signature = recording.request_body["externalAccessToken"].split(".")
        headers = self.names.translated(decoded(header))
        if headers["alg"] == "RS256" and "another key" not in recording.name:
            key = RSAKey.import_key(self.names.text(PRIVATE_KEY))
            return jwt.encode(headers, decoded(payload), key)
        return f"{encoded(headers)}.{payload}.{signature}"

    def _compare(self, recording: Recording, answer: TestResponse) -> list[str]:
        body = answer_body(answer)
        if answer.status_code != recording.status:
            return [f"status {recording.status} recorded, {answer.status_code} here: {body!r:.300}"]
        if answer.mimetype != recording.content_type and recording.body is not None:
            return [f"{recording.content_type} recorded, {answer.mimetype} here"]
        if recording.content_type != "application/json":
            return []
        self.names.learn(recording.body, body)
        expected = self.names.translated(recording.body)
        return list(differences(expected, body)) if recording.body is not None else []


def answer_body(answer: TestResponse) -> Any:
    """The answer's body, decoded if it is JSON."""
    text = answer.get_data(as_text=True)
    return json.loads(text) if answer.mimetype == "application/json" and text else text or None


def corrected(recording: Recording, written: str, sent: str) -> Recording:
    """The recording with its request as it was sent."""
    body = json.loads(json.dumps(recording.request_body).replace(written, sent))
    return replace(recording, request_body=body)


def instant(text: str) -> float:
    """The time of an Activepieces timestamp."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def rows_in(body: Any) -> list[dict[str, Any]]:
    """The connections in a response with a list."""
    data = body.get("data") if isinstance(body, dict) else None
    rows = data if isinstance(data, list) else []
    return [row for row in rows if isinstance(row, dict) and "externalId" in row and "pieceName" in row]


def rows_created_without_a_recording(recordings: Sequence[Recording]) -> dict[str, dict[str, Any]]:
    """Connections in lists whose creation was not recorded."""
    made = {entry.body.get("id") for entry in recordings if entry.status == 201 and isinstance(entry.body, dict)}
    shown = {row["id"]: row for entry in reversed(recordings) for row in rows_in(entry.body)}
    return {row_id: row for row_id, row in shown.items() if row_id not in made}
