"""The definition of an app's piece. It is made once, when all routes of the app exist."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from ..errors import SetupError
from .declarations import Trigger
from .definition import PieceDefinition
from .manifest import Addresses, Manifest, build_manifest


class PieceRegistry:
    """The piece of one app. ``define`` checks its declarations against the routes of the app."""

    def __init__(self, define: Callable[[], PieceDefinition], addresses: Addresses, *, title: str | None) -> None:
        self._define = define
        self._addresses = addresses
        #: The title of the app's `Piece`; None if it has none.
        self.title = title
        self._lock = threading.Lock()
        self._definition: PieceDefinition | None = None

    def definition(self) -> PieceDefinition:
        """The definition. `DeclarationError` lists all problems of the declarations."""
        with self._lock:
            if self._definition is None:
                self._definition = self._define()
            return self._definition

    def triggers(self) -> Mapping[str, Trigger]:
        """The declared triggers by name."""
        return self.definition().triggers

    def manifest(self, *, version: str) -> Manifest:
        """The manifest of this version. `SetupError` says what is missing."""
        if self.title is None:
            raise SetupError(
                "The app has no piece: pass one to the extension, as in"
                ' Activepieces(host, piece=Piece(name="@acme/piece-acme", title="Acme")).'
            )
        return build_manifest(self.definition(), self._addresses, version=version)
