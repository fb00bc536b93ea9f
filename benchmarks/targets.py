"""Which targets a run of the benchmarks missed."""

from __future__ import annotations

from collections.abc import Iterable

from .comparison import Comparison
from .delivery import DeliveryFigures
from .imports import ImportTimes
from .listing import Listing
from .measurement import Measurement
from .pages import PageCost
from .tool_listing import ToolListing


def missed_targets(
    measurements: Iterable[Measurement],
    comparisons: Iterable[Comparison],
    deliveries: Iterable[DeliveryFigures],
    imports: ImportTimes,
    listing: Listing,
    tools: ToolListing,
    pages: Iterable[PageCost],
) -> list[str]:
    """The names of the figures that have a target and miss it; what was not measured misses none."""
    met: dict[str, bool | None] = {f"{each.operation}, {each.database}": each.met for each in measurements}
    met |= {f"{each.operation}, {each.database}, against {each.other}": each.met for each in comparisons}
    for each in deliveries:
        met |= {f"emit, {each.database}": each.emit_met, f"deliveries in order, {each.database}": each.speed_met}
    met |= {"import": imports.met, "listing connections": listing.met, "listing tools": tools.met}
    met |= {f"page of {each.page}": each.met for each in pages}
    return [name for name, is_met in met.items() if is_met is False]
