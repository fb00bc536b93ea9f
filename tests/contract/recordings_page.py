"""Writes docs/recordings.md, the recordings that the stand-in must reproduce.

Run `python -m tests.contract.recordings_page` to update the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from flask_activepieces.testing.standin.versions import CHANGES
from tests.support.documents import DOCS
from tests.support.recordings import Recording, recordings, token_requests

from .exclusions import exclusion_reason
from .sessions import SESSIONS, Session, recordings_of

PAGE = DOCS / "recordings.md"

_HEAD = """\
# Recordings

*Which responses of real Activepieces servers the stand-in reproduces*

We ran real servers on loopback and recorded {all} exchanges: with 0.85.2, as Enterprise and as Community Edition,
with and without a worker, and with 0.78.2. The tests replay {covered} of them against the stand-in, server by server
and in order, and compare status, error format, fields, values and paging. {left} are excluded, for the reasons below.
Ids, tokens, keys and times differ on each server, so only their position and type are compared. {token_requests} more
recordings are requests that Activepieces sent to a token endpoint; they are compared byte by byte, including headers.

The API client of this package is tested against the same recordings.
"""

_VERSIONS = """\
## Differences between versions

`ActivepiecesServer(version="0.86")` imitates another version: 0.78 (as 0.78.2), 0.85 (as 0.85.2), 0.86 (as 0.86.0)
or 0.92 (as 0.92.0); 0.83 only differs from 0.78 in its MCP servers. *Recorded* means observed on a running server;
the source names the recordings, or the release if the exchange was not kept. *Read* means found in upstream's source,
documentation or discussions, but not observed.

| Since | Before | From then on | Evidence | Source |
|---|---|---|---|---|"""


def rendered() -> str:
    """The content of the page."""
    everything = recordings()
    excluded = [entry for entry in everything if exclusion_reason(entry)]
    head = _HEAD.format(
        all=len(everything),
        covered=len(everything) - len(excluded),
        left=len(excluded),
        token_requests=len(token_requests()),
    )
    parts = [head, _versions(), *(_section(session) for session in SESSIONS), _exclusions(excluded)]
    return "\n".join(parts)


def _versions() -> str:
    rows = (
        f"| {change.since} | {change.before} | {change.after} | {change.evidence} | {_escaped(change.source)} |"
        for change in CHANGES
    )
    return "\n".join([_VERSIONS, *rows, ""])


def _section(session: Session) -> str:
    covered = [entry for entry in recordings_of(session) if not exclusion_reason(entry)]
    by_route: dict[str, list[Recording]] = {}
    for entry in covered:
        by_route.setdefault(_route(entry), []).append(entry)
    rows = (
        f"| `{route}` | {', '.join(sorted({str(one.status) for one in entries}))} | {_names(entries)} |"
        for route, entries in sorted(by_route.items(), key=lambda item: item[0].split()[::-1])
    )
    return "\n".join([f"## {session.name}\n", "| Route | Status | Recordings |", "|---|---|---|", *rows, ""])


def _exclusions(excluded: Sequence[Recording]) -> str:
    by_reason: dict[str, list[Recording]] = {}
    for entry in excluded:
        by_reason.setdefault(exclusion_reason(entry) or "", []).append(entry)
    rows = (f"| {reason} | {_names(entries)} |" for reason, entries in by_reason.items())
    return "\n".join(["## Excluded\n", "| Reason | Recordings |", "|---|---|", *rows, ""])


def _names(entries: Sequence[Recording]) -> str:
    return " · ".join(_escaped(entry.name) for entry in entries)


def _escaped(name: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|$~])", r"\\\1", name)


def _route(entry: Recording) -> str:
    """Method and path below the API's root, with names in place of ids."""
    root = "/v1" if entry.edition == "078" else "/api/v1"
    path = entry.path.partition("?")[0].rstrip("/").removeprefix(root)
    return f"{entry.method} {'/'.join(_parts(path))}"


def _parts(path: str) -> Iterator[str]:
    for part in path.split("/"):
        yield "{id}" if re.fullmatch(r"[0-9a-zA-Z]{21}", part) else part


if __name__ == "__main__":
    PAGE.write_text(rendered(), "utf-8")
