"""The default roles of a platform, and their permissions in a project."""

from __future__ import annotations

_VIEWER = (
    "READ_APP_CONNECTION",
    "READ_FLOW",
    "READ_PROJECT_MEMBER",
    "READ_INVITATION",
    "READ_PROJECT",
    "READ_RUN",
    "READ_FOLDER",
    "READ_TABLE",
    "READ_MCP",
    "READ_KNOWLEDGE_BASE",
    "READ_VARIABLE",
)
_EDITOR = (
    "READ_APP_CONNECTION",
    "WRITE_APP_CONNECTION",
    "READ_FLOW",
    "WRITE_FLOW",
    "UPDATE_FLOW_STATUS",
    "READ_PROJECT_MEMBER",
    "READ_INVITATION",
    "WRITE_PROJECT_RELEASE",
    "READ_PROJECT_RELEASE",
    "READ_RUN",
    "WRITE_RUN",
    "READ_PROJECT",
    "WRITE_FOLDER",
    "READ_FOLDER",
    "READ_TABLE",
    "WRITE_TABLE",
    "READ_MCP",
    "WRITE_MCP",
    "READ_KNOWLEDGE_BASE",
    "WRITE_KNOWLEDGE_BASE",
    "READ_VARIABLE",
    "WRITE_VARIABLE",
)

ALL_PERMISSIONS = (
    *_EDITOR,
    "WRITE_INVITATION",
    "WRITE_PROJECT_MEMBER",
    "WRITE_PROJECT",
    "WRITE_ALERT",
)

#: Name -> permissions.
DEFAULT_ROLES = {"Admin": ALL_PERMISSIONS, "Editor": _EDITOR, "Viewer": _VIEWER}
