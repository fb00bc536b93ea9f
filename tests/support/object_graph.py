"""Finds all objects that an object refers to, so that every ``repr`` can be checked."""

from __future__ import annotations


def reachable_objects(start: object) -> list[object]:
    """All objects of the package that are reachable through attributes, lists and mappings."""
    found: list[object] = []
    waiting, seen = [start], set[int]()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, list | tuple | set | frozenset):
            waiting += thing
        elif isinstance(thing, dict):
            waiting += thing.values()
        elif type(thing).__module__.startswith("flask_activepieces"):
            found.append(thing)
            waiting += vars(thing).values() if hasattr(thing, "__dict__") else ()
    return found
