"""Operations that are compared with another one, on the same database and in the same run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .measurement import Measurement
from .operations import OPERATIONS


@dataclass(frozen=True)
class Comparison:
    """What an operation costs as a multiple of another one."""

    operation: str
    database: str
    other: str
    ratio: float
    target: float

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target


def compare(measurements: Iterable[Measurement]) -> list[Comparison]:
    """All comparisons of which both operations were measured."""
    ratios = {(each.operation, each.database): each.ratio for each in measurements}
    return [
        Comparison(
            operation.title, database, other, ratios[operation.title, database] / ratios[other, database], target
        )
        for operation in OPERATIONS
        if operation.compared_with is not None
        for other, target in [operation.compared_with]
        for database in dict.fromkeys(database for _, database in ratios)
        if {(operation.title, database), (other, database)} <= set(ratios)
    ]
