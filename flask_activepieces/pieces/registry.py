"""The definition of an app's piece, made once: when all routes of the app exist."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from .declarations import Declarations, Trigger
from .definition import PieceDefinition


class PieceRegistry:
    """The declarations of one app; ``define`` checks them against its routes."""

    def __init__(self, declarations: Declarations, define: Callable[[], PieceDefinition]) -> None:
        self.declarations = declarations
        self._define = define
        self._lock = threading.Lock()
        self._definition: PieceDefinition | None = None

    def definition(self) -> PieceDefinition:
        """The definition; `SetupError` lists all problems of the declarations."""
        with self._lock:
            if self._definition is None:
                self._definition = self._define()
            return self._definition

    def triggers(self) -> Mapping[str, Trigger]:
        """The declared triggers by name."""
        return self.definition().triggers
