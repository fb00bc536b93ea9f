"""The versions of Activepieces that the stand-in imitates, and their differences, listed in docs/recordings.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Version = Literal["0.78", "0.83", "0.85", "0.86", "0.92"]

#: Version -> the release that was run or, for 0.83 and 0.92, whose source was read. Of 0.83 only the MCP servers were
#: read; otherwise, it behaves like 0.78.
RELEASES: Mapping[Version, str] = {
    "0.78": "0.78.2",
    "0.83": "0.83.0",
    "0.85": "0.85.2",
    "0.86": "0.86.0",
    "0.92": "0.92.0",
}
_ORDER = list(RELEASES)


@dataclass(frozen=True)
class Change:
    """A change in behavior since a version."""

    since: Version
    before: str
    after: str
    #: ``recorded`` on a running server, or ``read`` in upstream's source or documentation.
    evidence: Literal["recorded", "read"]
    #: The recordings that show it, or where it was read.
    source: str

    def is_in(self, version: Version) -> bool:
        """Whether that version has the change."""
        return _ORDER.index(version) >= _ORDER.index(self.since)


API_PREFIX = Change(
    since="0.85",
    before="The API is at `/v1`; the proxy in the image adds `/api`. Unknown paths are 404.",
    after="The API is at `/api/v1`. Paths outside `/api` return the web pages with 200.",
    evidence="recorded",
    source="[0.78.2] /api prefix on the bare node server · no /api prefix",
)
FIRST_SIGN_UP = Change(
    since="0.85",
    before="The first sign-up creates a platform and a project, and returns a full token.",
    after="The first sign-up returns an onboarding token, with which `POST /platforms` creates the platform.",
    evidence="recorded",
    source="[0.78.2] sign-up first user · sign-up first user",
)
ZOD = Change(
    since="0.85",
    before="An invalid body with several forms is reported once per form (`body must have required property …`).",
    after="It is reported as `body/ Invalid input`, without the field.",
    evidence="recorded",
    source="[0.78.2] conn upsert missing projectId · conn upsert unknown type",
)
MODERN_FIELDS = Change(
    since="0.85",
    before="Connections, flows and keys lack later fields (`preSelectForNewProjects` and others).",
    after="They have `preSelectForNewProjects`, `usingSecretManager`, `createdBy` and `lastUpdatedDate`.",
    evidence="recorded",
    source="[0.78.2] burst page 0 · [0.78.2] flows create · [0.78.2] api-keys create",
)
PLACEHOLDER = Change(
    since="0.85",
    before="Connections of type PLACEHOLDER are rejected with 400.",
    after="Connections of type PLACEHOLDER are 201, with status MISSING.",
    evidence="recorded",
    source="conn upsert PLACEHOLDER",
)
AUTHORIZATION_URL = Change(
    since="0.85",
    before="`POST /app-connections/oauth2/authorization-url` is 404.",
    after="It returns 200 for users.",
    evidence="recorded",
    source="[0.78.2] oauth2 authorization-url · oauth2 authorization-url (user)",
)
MCP_TOOLS = Change(
    since="0.83",
    before="An MCP server has a switch (`status`). The platform has no server.",
    after="An MCP server has `enabledTools`, which is null until it is set: then all are on. The platform has a"
    " server too.",
    evidence="read",
    source="mcp.ts@094a047 · AddEnabledToolsToMcpServer · AddPlatformMcpServer",
)
MCP_BY_OAUTH = Change(
    since="0.85",
    before="The token of an MCP server works for `/projects/:id/mcp-server/http`, even while the server is disabled.",
    after="An MCP server has `disabledTools`, and its token is never accepted: `/mcp` only accepts tokens of"
    " Activepieces' own OAuth server.",
    evidence="recorded",
    source="[0.78.2] mcp-server enable {status} · [0.78.2] mcp-server http, mcp token"
    " · mcp: project mcp-server update · mcp: POST /mcp with the CURRENT project mcp token",
)
AGENT_TOOLS = Change(
    since="0.85",
    before="`POST /projects/:id/agent-tools/mcp/validate` is 404.",
    after="For users, it checks an MCP server for an agent step, and returns the names of its tools or an error. The"
    " stand-in stores agent steps, and does not run them.",
    evidence="read",
    source="the OpenAPI document of 0.85.2 · mcp-tool-validator.ts@0e6cfb2",
)
SSRF_FILTER = Change(
    since="0.85",
    before="Token requests to private addresses are sent.",
    after="They are blocked (`unknown error`) unless `AP_SSRF_ALLOW_LIST` allows them. The stand-in allows loopback"
    " by default (`ssrf_allow_list=`).",
    evidence="recorded",
    source="[0.78.2] OAUTH2 code exchange to loopback, no SSRF allow list · SSRF filter on: refresh with a loopback"
    " token_url (engine read)",
)
REPLACE_BY_CHOICE = Change(
    since="0.86",
    before="`POST /app-connections/replace` moves all flows and deletes the source; it ignores other fields.",
    after="It changes drafts and keeps the source, unless `applyToPublishedVersions` and `deleteSourceConnection`"
    " are sent. It is 409 if it would delete a source that a published flow still uses, or if both connections"
    " are the same.",
    evidence="recorded",
    source="0.86.0 · PR #13723",
)
ENTRY_IS_PACKAGE_MAIN = Change(
    since="0.86",
    before="A piece is loaded from `src/index.js`, and the `main` of its `package.json` is ignored.",
    after="It is loaded from the `main` of its `package.json`.",
    evidence="recorded",
    source="0.85.2 and 0.86.0",
)
GLOBAL_IS_NOT_DELETED_BY_PROJECT = Change(
    since="0.86",
    before="`DELETE /app-connections/:id` of a global connection is 204 and deletes nothing.",
    after="It is 403 `AUTHORIZATION`.",
    evidence="recorded",
    source="app-connections delete on a global id · 0.86.0",
)
NO_ANSWER_IS_408 = Change(
    since="0.86",
    before="`/webhooks/:id/sync` of a flow that fails or sends no response is 204.",
    after="It is 408 with `{}`.",
    evidence="recorded",
    source="[worker] webhook sync, connection deleted · 0.86.0",
)
OIDC = Change(
    since="0.86",
    before="Connections of type OIDC are rejected with 400.",
    after="Connections of type OIDC (`props`, as in CUSTOM_AUTH) are 201.",
    evidence="read",
    source="upsert-app-connection-request.ts@098b2e9 · PR #13439",
)
EMBED_CONSTRAINTS = Change(
    since="0.86",
    before="`metadata.embedConstraints` of a flow is stored and has no effect.",
    after="A flow without any of `requiredPieceNames` cannot be published, and `triggerLock` protects its trigger"
    " (`locked`) and the trigger's settings (`frozen`): 409.",
    evidence="read",
    source="publish-constraints.mdx@862a65e",
)
ACCOUNT_IDENTIFIER = Change(
    since="0.92",
    before="The server writes nothing to `metadata`.",
    after="An upsert sets `metadata.accountIdentifier`: the e-mail address in the token response or its `id_token`,"
    " otherwise the account that the piece reports (`StandinPiece(identify=…)`). An update of"
    " `metadata` replaces it.",
    evidence="read",
    source="PR #14402",
)
PIECE_SETS = Change(
    since="0.92",
    before="Embedding tokens: `pieceSet` is ignored, and the user sees all pieces.",
    after="With `version` v4, `pieceSet` names the piece set of the project; v3 is still accepted.",
    evidence="read",
    source="provision-users.mdx@0011a65 · token extractor of 0.85",
)
QUOTA = Change(
    since="0.92",
    before="Runs have no quota; `over_quota=True` does nothing.",
    after="Over the quota a run ends as `QUOTA_EXCEEDED` before its first step, and `/webhooks/:id/sync` is 402"
    " (with `over_quota=True`).",
    evidence="read",
    source="breaking-changes 0.87",
)

#: All changes, oldest first.
CHANGES = tuple(value for value in list(globals().values()) if isinstance(value, Change))
