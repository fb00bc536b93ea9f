"""Projects."""

from __future__ import annotations

from .answers import Row
from .area import Area
from .world import World

area = Area("projects")


def make_project(
    world: World,
    owner: Row,
    display_name: str,
    *,
    kind: str = "TEAM",
    external_id: str | None = None,
) -> Row:
    """A project of the owner's platform."""
    return world.store.add(
        "project",
        {
            "ownerId": owner["id"],
            "displayName": display_name,
            "platformId": owner["platformId"],
            "maxConcurrentJobs": None,
            "type": kind,
            "icon": {"color": "LAVENDER"},
            "externalId": external_id,
            "releasesEnabled": False,
            "metadata": None,
            "poolId": None,
        },
    )
