"""What a page says after an action: the redirect names the notice, so that a reload does not repeat the action."""

from __future__ import annotations

from collections.abc import Mapping

from ....messages import Message
from ...pages.i18n import gettext

_NOTICES = {
    "linked": Message("Your workspace is connected to Activepieces."),
    "settings-saved": Message("The settings were saved."),
    "enabled": Message("Automation is on."),
    "disabled": Message("Automation is off."),
    "unlinked": Message("The connection to Activepieces was removed."),
    "connection-saved": Message("The connection was saved, and works."),
    "connection-renamed": Message("The connection was renamed."),
    "connection-deleted": Message("The connection was deleted."),
    "connection-replaced": Message("The flows use the other connection now."),
    "replaced-kept": Message(
        "The flows use the other connection now. The old one could not be deleted: look whether something uses it."
    ),
    "signed-in": Message("You signed in, and the connection works."),
    "sign-in-declined": Message("Nothing was changed: the sign-in was not completed."),
    "flow-enabled": Message("The flow is on."),
    "flow-disabled": Message("The flow is off."),
    "run-retried": Message("The run was started again."),
    "replayed": Message("The event will be sent again in a moment."),
    "replayed-all": Message("What failed will be sent again in a moment."),
    "none-failed": Message("There is nothing to send again: the flows that missed events no longer get any."),
    "paused": Message("Deliveries are paused. New events are kept."),
    "resumed": Message("Deliveries continue."),
    "client-saved": Message("The client was saved."),
    "client-suspended": Message("The client is suspended: it gets no new tokens."),
    "client-resumed": Message("The client gets tokens again."),
    "client-deleted": Message("The client was deleted, and its access revoked."),
    "mcp-changed": Message("The MCP server was changed."),
    "mcp-rotated": Message("There is a new token, and the old one no longer works."),
    "policy-saved": Message("The choice was saved. Agents that it does not allow were disconnected."),
    "agent-step-changed": Message("The agent step can use this app now. Publish the flow to use the change."),
    "agent-step-unchecked": Message(
        "The app was added to the step, but Activepieces did not check it. Test the step, then publish the flow."
    ),
    "piece-installed": Message("The piece was installed."),
    "workspace-selected": Message("You now work in this workspace."),
}


def notice(name: str | None) -> str | None:
    """The text of a notice; None for an unknown one."""
    return gettext(_NOTICES[name]) if name in _NOTICES else None


def sign_in_notice(query: Mapping[str, str]) -> str | None:
    """The result of a sign-in at a third party, which its callback adds to the query of the page it leads to."""
    if "error" in query:
        return notice("sign-in-declined")
    return notice("signed-in") if "connection" in query else None
