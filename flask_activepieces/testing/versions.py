"""The versions of Activepieces that the stand-in plays, and where they differ, as docs/recordings.md shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Version = Literal["0.78", "0.85", "0.86", "0.92"]

#: Version -> the release that was run or, for 0.92, read.
RELEASES: Mapping[Version, str] = {
    "0.78": "0.78.2",
    "0.85": "0.85.2",
    "0.86": "0.86.0",
    "0.92": "0.92.0",
}
_ORDER = list(RELEASES)


@dataclass(frozen=True)
class Change:
    """One thing that servers do differently from a version on."""

    since: Version
    before: str
    after: str
    #: ``recorded``: seen on a running server. ``read``: in upstream's source or documents.
    known: Literal["recorded", "read"]
    #: The recordings that show it, or where it was seen or read.
    source: str

    def is_in(self, version: Version) -> bool:
        """Whether that version has the change."""
        return _ORDER.index(version) >= _ORDER.index(self.since)


API_PREFIX = Change(
    since="0.85",
    before="The API is at `/v1`; the proxy in the image adds `/api`. Unknown paths are 404.",
    after="The API is at `/api/v1`. Paths outside `/api` answer 200 with the web pages.",
    known="recorded",
    source="[0.78.2] /api prefix on the bare node server · no /api prefix",
)
FIRST_SIGN_UP = Change(
    since="0.85",
    before="The first sign-up makes a platform and a project, and returns a full token.",
    after="The first sign-up returns an onboarding token, with which `POST /platforms` makes the platform.",
    known="recorded",
    source="[0.78.2] sign-up first user · sign-up first user",
)
ZOD = Change(
    since="0.85",
    before="A body with several forms is refused once for each form (`body must have required property …`).",
    after="A body with several forms is refused with `body/ Invalid input`, without the field.",
    known="recorded",
    source="[0.78.2] conn upsert missing projectId · conn upsert unknown type",
)
MODERN_FIELDS = Change(
    since="0.85",
    before="Connections, flows and keys lack the fields that came later (`preSelectForNewProjects` and others).",
    after="They have `preSelectForNewProjects`, `usingSecretManager`, `createdBy` and `lastUpdatedDate`.",
    known="recorded",
    source="[0.78.2] burst page 0 · [0.78.2] flows create · [0.78.2] api-keys create",
)
PLACEHOLDER = Change(
    since="0.85",
    before="Connections of type PLACEHOLDER are refused with 400.",
    after="Connections of type PLACEHOLDER are 201, with status MISSING.",
    known="recorded",
    source="conn upsert PLACEHOLDER",
)
AUTHORIZATION_URL = Change(
    since="0.85",
    before="`POST /app-connections/oauth2/authorization-url` is 404.",
    after="It answers 200 to users.",
    known="recorded",
    source="[0.78.2] oauth2 authorization-url · oauth2 authorization-url (user)",
)
MCP_BY_OAUTH = Change(
    since="0.85",
    before="An MCP server has a switch (`status`); there is none for the platform.",
    after="An MCP server has `disabledTools`; the platform has one, too.",
    known="recorded",
    source="[0.78.2] mcp-server enable {status} · mcp: project mcp-server update",
)
REPLACE_BY_CHOICE = Change(
    since="0.86",
    before="`POST /app-connections/replace` moves all flows and deletes the source; it ignores other fields.",
    after="It changes drafts and keeps the source, unless `applyToPublishedVersions` and `deleteSourceConnection`"
    " are sent. It is 409 if it would delete a source that a published flow still uses, or if both connections"
    " are the same.",
    known="recorded",
    source="0.86.0 · PR #13723",
)

#: Every change, the oldest first.
CHANGES = tuple(value for value in list(globals().values()) if isinstance(value, Change))
