"""An app with the tools that the conformance suite of the protocol calls, as far as an app of ours has such tools."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, abort
from marshmallow import Schema, fields

from flask_activepieces import Activepieces, FileResult

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
#: A header without samples.
WAV = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=")


class TaskSchema(Schema):
    title = fields.String()


def declare(activepieces: Activepieces) -> None:
    """The tools, and one trigger."""

    def tool(name: str, result: Any) -> None:
        activepieces.action(name, scope="tasks:read", description="For the suite.", read_only=True)(lambda: result)

    text = FileResult("embedded.txt", b"This is an embedded resource content.", "text/plain")
    tool("test_simple_text", "This is a simple text response for testing.")
    tool("test_image_content", FileResult("image.png", PNG, "image/png"))
    tool("test_audio_content", FileResult("sound.wav", WAV, "audio/wav"))
    tool("test_embedded_resource", text)
    tool("test_multiple_content_types", ["Multiple content types test:", FileResult("i.png", PNG, "image/png"), text])

    @activepieces.action("test_error_handling", scope="tasks:read", description="Fails for the suite.")
    def fail() -> None:
        abort(400, "This tool intentionally returns an error for testing")

    @activepieces.action("test_logging_tool", scope="tasks:read", description="Logs for the suite.")
    def write_log() -> str:
        log.warning("This message is for the app's developers only.")
        return "Logged."

    # The suite sends it parameters that this server does not know.
    tool("test_input_required_result_elicitation", "Hello!")

    activepieces.trigger(
        "task_done",
        scope="tasks:read",
        payload=TaskSchema,
        samples=lambda: [{"title": "Feed the cat"}],
        description="When a task is done.",
    )


def with_token(app: Flask, token: str) -> WSGIApplication:
    """The app for clients that send no token: the suite signs no one in."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        return app(environ, start_response)

    return call
