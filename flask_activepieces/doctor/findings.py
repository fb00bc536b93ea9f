"""What a check finds: what was seen, why it matters, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

#: An error breaks something now. A warning is a risk, or breaks something later.
Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Kind:
    """A kind of finding; ``code`` is its name in JSON and in docs/doctor.md."""

    code: str
    level: Level
    why: str

    def found(self, seen: str, remedy: str, *, tenant_id: str | None = None) -> Finding:
        """A finding of this kind."""
        return Finding(kind=self, seen=seen, remedy=remedy, tenant_id=tenant_id)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that an operator should change."""

    kind: Kind
    seen: str
    remedy: str
    #: The tenant that it concerns; None: the whole app.
    tenant_id: str | None = None

    @property
    def breaks_something(self) -> bool:
        """Whether something does not work because of it."""
        return self.kind.level == "error"

    def to_json(self) -> dict[str, Any]:
        """The finding for scripts."""
        return {
            "code": self.kind.code,
            "level": self.kind.level,
            "tenant_id": self.tenant_id,
            "seen": self.seen,
            "why": self.kind.why,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        # A list, such as that of the piece's problems, keeps its lines.
        separator = "\n" if "\n" in self.seen else " "
        return f"{self.kind.code}: {separator.join((self.seen, self.kind.why, self.remedy))}"


Findings = Iterator[Finding]
