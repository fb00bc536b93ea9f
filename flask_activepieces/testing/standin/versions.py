"""The versions of Activepieces that the stand-in imitates, and their differences, listed in docs/recordings.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Version = Literal["0.78", "0.85", "0.86", "0.92"]

#: Version -> the release that was run or, for 0.92, whose source was read.
RELEASES: Mapping[Version, str] = {
    "0.78": "0.78.2",
    "0.85": "0.85.2",
    "0.86": "0.86.0",
    "0.92": "0.92.0",
}
_ORDER = list(RELEASES)


@dataclass(frozen=True)
class Change:
    """A change in behaviour since a version."""

    since: Version
    before: str
    after: str
    #: ``recorded`` on a running server, or ``read`` in upstream's source or documentation.
    known: Literal["recorded", "read"]
    #: The recordings that show it, or where it was read.
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
    before="An MCP server has a switch (`status`), and its token opens `/projects/:id/mcp-server/http`, also when it"
    " is off. The platform has no server.",
    after="An MCP server has `disabledTools`, and its token opens nothing: `/mcp` takes only tokens of Activepieces'"
    " own OAuth server. The platform has one, too.",
    known="recorded",
    source="[0.78.2] mcp-server enable {status} · [0.78.2] mcp-server http, mcp token"
    " · mcp: project mcp-server update · mcp: POST /mcp with the CURRENT project mcp token",
)
SSRF_FILTER = Change(
    since="0.85",
    before="Token endpoints on private addresses are asked.",
    after="They are not (`unknown error`), unless they are on `AP_SSRF_ALLOW_LIST`. The stand-in's list has loopback"
    " unless `ssrf_allow_list=` says otherwise.",
    known="recorded",
    source="[0.78.2] OAUTH2 code exchange to loopback, no SSRF allow list · SSRF filter on: refresh with a loopback"
    " token_url (engine read)",
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
ENTRY_IS_PACKAGE_MAIN = Change(
    since="0.86",
    before="A piece is loaded from `src/index.js`, whatever its `package.json` says.",
    after="It is loaded from the `main` of its `package.json`.",
    known="recorded",
    source="0.85.2 and 0.86.0",
)
GLOBAL_IS_NOT_DELETED_BY_PROJECT = Change(
    since="0.86",
    before="`DELETE /app-connections/:id` of a global connection is 204 and deletes nothing.",
    after="It is 403 `AUTHORIZATION`.",
    known="recorded",
    source="app-connections delete on a global id · 0.86.0",
)
NO_ANSWER_IS_408 = Change(
    since="0.86",
    before="`/webhooks/:id/sync` of a flow that fails or gives no answer is 204.",
    after="It is 408 with `{}`.",
    known="recorded",
    source="[worker] webhook sync, connection deleted · 0.86.0",
)
OIDC = Change(
    since="0.86",
    before="Connections of type OIDC are refused with 400.",
    after="Connections of type OIDC (`props`, as in CUSTOM_AUTH) are 201.",
    known="read",
    source="upsert-app-connection-request.ts@098b2e9 · PR #13439",
)
EMBED_CONSTRAINTS = Change(
    since="0.86",
    before="`metadata.embedConstraints` of a flow is kept and has no effect.",
    after="A flow that uses none of `requiredPieceNames` is not published, and `triggerLock` keeps its trigger"
    " (`locked`) and the trigger's settings (`frozen`): 409.",
    known="read",
    source="publish-constraints.mdx@862a65e",
)
ACCOUNT_IDENTIFIER = Change(
    since="0.92",
    before="The server writes nothing to `metadata`.",
    after="An upsert sets `metadata.accountIdentifier`: the e-mail address in the token answer or its `id_token`, or"
    " else what the piece says (`Piece(identify=…)`). An update with `metadata` replaces it.",
    known="read",
    source="PR #14402",
)
PIECE_SETS = Change(
    since="0.92",
    before="Embedding tokens: `pieceSet` is ignored, and the user sees all pieces.",
    after="With `version` v4, `pieceSet` names the piece set of the project; v3 is still taken.",
    known="read",
    source="provision-users.mdx@0011a65 · token extractor of 0.85",
)
QUOTA = Change(
    since="0.92",
    before="Runs have no quota; `over_quota=True` does nothing.",
    after="Over the quota a run ends as `QUOTA_EXCEEDED` before its first step, and `/webhooks/:id/sync` is 402"
    " (switched on by `over_quota=True`).",
    known="read",
    source="breaking-changes 0.87",
)

#: All changes, oldest first.
CHANGES = tuple(value for value in list(globals().values()) if isinstance(value, Change))
