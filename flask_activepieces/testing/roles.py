"""The roles that every platform begins with, and what each may do in a project."""

from __future__ import annotations

_READING = (
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
_EDITING = (
    "WRITE_APP_CONNECTION",
    "WRITE_FLOW",
    "UPDATE_FLOW_STATUS",
    "WRITE_PROJECT_RELEASE",
    "READ_PROJECT_RELEASE",
    "WRITE_RUN",
    "WRITE_FOLDER",
    "WRITE_TABLE",
    "WRITE_MCP",
    "WRITE_KNOWLEDGE_BASE",
    "WRITE_VARIABLE",
)
_ADMINISTERING = ("WRITE_INVITATION", "WRITE_PROJECT_MEMBER", "WRITE_PROJECT", "WRITE_ALERT")

ALL_PERMISSIONS = (*_READING, *_EDITING, *_ADMINISTERING)

#: Name -> permissions.
DEFAULT_ROLES = {
    "Admin": ALL_PERMISSIONS,
    "Editor": (*_READING, *_EDITING),
    "Viewer": _READING,
}
