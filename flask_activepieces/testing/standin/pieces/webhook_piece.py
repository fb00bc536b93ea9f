"""The piece that starts flows by a webhook and responds to its caller. Every Activepieces includes it."""

from __future__ import annotations

from .calls import ActionCall
from .piece import Action, StandinPiece, Trigger, WebhookResponse


def _return_response(call: ActionCall) -> WebhookResponse:
    fields = call.props.get("fields", {})
    final = call.props.get("respond", "stop") == "stop"
    if call.props.get("responseType") == "redirect":
        return WebhookResponse(301, {"Location": str(fields.get("body"))}, None, final)
    return WebhookResponse(int(fields.get("status", 200)), fields.get("headers", {}), fields.get("body"), final)


WEBHOOK = StandinPiece(
    "@activepieces/piece-webhook",
    display_name="Webhook",
    version="0.1.34",
    description="Receive HTTP requests and trigger flows using unique URLs.",
    actions={"return_response": Action("Return Response", _return_response)},
    triggers={"catch_webhook": Trigger("Catch Webhook")},
)
