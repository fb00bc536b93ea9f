"""What an engine passes to the functions of a piece, as far as the stand-in provides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..routing.responses import Json, Row


@dataclass(frozen=True)
class PieceFile:
    """The value of a FILE property: an engine downloads it before the step."""

    filename: str
    data: bytes = field(repr=False)
    extension: str | None = None


class PieceStore(Protocol):
    """What a piece keeps for its flow, or with ``scope="PROJECT"`` for all flows of the project."""

    def get(self, key: str, scope: str = "FLOW") -> Json:
        """The value, or None."""

    def put(self, key: str, value: Json, scope: str = "FLOW") -> None:
        """Keep a value."""

    def delete(self, key: str, scope: str = "FLOW") -> None:
        """Forget a value, if there is one."""

    def values(self, scope: str) -> Row:
        """All values."""


class StepFiles(Protocol):
    """Where a step stores files."""

    #: The URL of a file without its token.
    prefix: str

    def write(self, name: str, content: bytes, token: str | None = None) -> str:
        """Store a file, by default with a new token; returns its URL."""


@dataclass(frozen=True)
class Call:
    """What every function of a piece gets.

    ``props`` are all inputs including ``auth``, the whole connection, as in an engine's ``propsValue``.
    """

    auth: Json = field(repr=False)
    props: Row = field(repr=False)
    #: The connections of the project by their external ids.
    connections: Mapping[str, Json] = field(repr=False)
    #: ``apiUrl``, ``publicUrl`` and the engine's ``token``.
    server: Mapping[str, str] = field(repr=False)
    #: ``id``, and ``externalId`` if the project has one.
    project: Mapping[str, str]
    step: Mapping[str, str]


@dataclass(frozen=True)
class ActionCall(Call):
    """The context of an action."""

    run: Mapping[str, str]
    store: PieceStore = field(repr=False)
    files: StepFiles = field(repr=False)


@dataclass(frozen=True)
class TriggerCall(Call):
    """The context of a hook of a trigger."""

    store: PieceStore = field(repr=False)
    files: StepFiles = field(repr=False)
    webhook_url: str
    flow_id: str
    #: The request to the webhook: ``method``, ``headers``, ``body``, ``rawBody`` and ``queryParams``.
    payload: Row = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class FormCall(Call):
    """The context of a property that is filled while its form is open; ``props`` are the values so far."""

    search: str | None = None
