"""Chooses the version of a piece by the changes since the installed version.

A flow uses one version until its author chooses another one. A change is as large as the work that this requires:

    major   the flow must be changed: something that it uses is removed, has another type, or is now required
    minor   there is something new
    patch   only texts and details have changed
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any

Document = Mapping[str, Any]

FIRST_VERSION = "1.0.0"


class Level(IntEnum):
    """How large a change is: which number of the version it increases."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True)
class Change:
    """One difference, as a sentence without a full stop."""

    level: Level
    text: str


def next_version(installed: str, changes: Sequence[Change]) -> str:
    """The version for these changes; without changes, a patch version."""
    major, minor, patch = (int(number) for number in installed.split("."))
    match max((change.level for change in changes), default=Level.PATCH):
        case Level.MAJOR:
            return f"{major + 1}.0.0"
        case Level.MINOR:
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def compare(old: Document, new: Document) -> list[Change]:
    """The changes from one metadata document to another, the largest first."""
    found = [
        *_texts("the piece", old, new, ("displayName", "description", "logoUrl", "authors", "categories")),
        *_release(old, new),
        *_auths(_by_type(old.get("auth")), _by_type(new.get("auth"))),
        *_members("action", old.get("actions") or {}, new.get("actions") or {}, partial(_step, stored=_stored(old))),
        *_members(
            "trigger", old.get("triggers") or {}, new.get("triggers") or {}, partial(_step, stored=_stored(old))
        ),
    ]
    return sorted(found, key=lambda change: -change.level)


def _stored(old: Document) -> set[str]:
    """What the server stores of actions and triggers. Before 0.86 this is less."""
    steps = [*(old.get("actions") or {}).values(), *(old.get("triggers") or {}).values()]
    return {name for step in steps for name in step}


def _release(old: Document, new: Document) -> Iterator[Change]:
    before, after = old.get("minimumSupportedRelease"), new.get("minimumSupportedRelease")
    if before != after:
        yield Change(Level.MINOR, f"the oldest Activepieces for it is {after}, which was {before}")


def _step(what: str, old: Document, new: Document, *, stored: Collection[str]) -> Iterator[Change]:
    if old.get("type") != new.get("type"):
        yield Change(Level.MAJOR, f"{what} is {new.get('type')}, and was {old.get('type')}")
    if new.get("requireAuth", True) and not old.get("requireAuth", True):
        yield Change(Level.MAJOR, f"{what} needs a connection now")
    elif old.get("requireAuth", True) and not new.get("requireAuth", True):
        yield Change(Level.PATCH, f"{what} needs no connection any more")
    yield from _properties(what, old.get("props") or {}, new.get("props") or {})
    if "outputSchema" in stored:
        yield from _outputs(what, _output_fields(old), _output_fields(new))
    yield from _texts(what, old, new, ("displayName", "description", "errorHandlingOptions", "sampleData"))
    yield from _texts(what, old, new, [name for name in ("audience", "aiMetadata") if name in stored])


def _output_fields(step: Document) -> Sequence[Document]:
    return (step.get("outputSchema") or {}).get("fields") or ()


def _outputs(what: str, old: Sequence[Document], new: Sequence[Document]) -> Iterator[Change]:
    before, after = ({str(each.get("key") or each.get("name")): each for each in fields} for fields in (old, new))
    yield from _members(f"{what}, output", before, after, _output)


def _output(what: str, old: Document, new: Document) -> Iterator[Change]:
    before, after = _format(old), _format(new)
    if before != after:
        yield Change(Level.MAJOR, f"{what} has the format {after}, and had {before}")
        return
    for inner in ("children", "listItems"):
        yield from _outputs(what, old.get(inner) or (), new.get(inner) or ())
    yield from _texts(what, old, new, ("label", "description"))


def _format(output: Document) -> str:
    if output.get("listItems"):
        return "list"
    return "object" if output.get("children") else output.get("format") or "none"


def _properties(what: str, old: Document, new: Document) -> Iterator[Change]:
    yield from _members(f"{what}, field", old, new, _property, addition=_new_property)


def _new_property(what: str, new: Document) -> Change:
    if new.get("required") and new.get("defaultValue") is None:
        return Change(Level.MAJOR, f"{what} is new and must be filled in")
    return Change(Level.MINOR, f"{what} is new")


def _property(what: str, old: Document, new: Document) -> Iterator[Change]:
    if old.get("type") != new.get("type"):
        yield Change(Level.MAJOR, f"{what} is {new.get('type')}, and was {old.get('type')}")
        return
    if new.get("required") and not old.get("required"):
        yield Change(Level.MAJOR, f"{what} must be filled in now")
    elif old.get("required") and not new.get("required"):
        yield Change(Level.PATCH, f"{what} may be left empty now")
    yield from _choices(what, _values(old), _values(new))
    yield from _properties(what, old.get("properties") or {}, new.get("properties") or {})
    yield from _texts(what, old, new, _names(old, new, without={"type", "required", "properties", "options"}))
    if _values(old) == _values(new) and old.get("options") != new.get("options"):
        yield Change(Level.PATCH, f"{what}: its choices have other labels")


def _values(described: Document) -> list[Any]:
    options = described.get("options")
    return [each.get("value") for each in options.get("options", ())] if isinstance(options, Mapping) else []


def _choices(what: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    yield from (Change(Level.MAJOR, f"{what} has no choice {value!r} any more") for value in old if value not in new)
    yield from (Change(Level.MINOR, f"{what} has the new choice {value!r}") for value in new if value not in old)
    if _in_other_order(old, new):
        yield Change(Level.PATCH, f"{what}: its choices are in another order")


def _in_other_order(old: Iterable[Any], new: Iterable[Any]) -> bool:
    before, after = list(old), list(new)
    return [each for each in before if each in after] != [each for each in after if each in before]


#: What an existing connection depends on. Not the scopes, because a connection keeps those that it has; and not PKCE,
#: which only protects the code with which a connection is made.
_OF_A_CONNECTION = ("authUrl", "tokenUrl", "grantType", "authorizationMethod")


def _by_type(auth: Any) -> dict[str, Document]:
    found = auth if isinstance(auth, Sequence) else [auth] if auth else []
    return {each["type"]: each for each in found}


def _auths(old: Mapping[str, Document], new: Mapping[str, Document]) -> Iterator[Change]:
    yield from _members("connection", old, new, _auth)


def _auth(what: str, old: Document, new: Document) -> Iterator[Change]:
    for name in _OF_A_CONNECTION:
        if old.get(name) != new.get(name):
            yield Change(Level.MAJOR, f"{what}: {name} is {new.get(name)}, and was {old.get(name)}")
    for scope in (each for each in new.get("scope") or () if each not in (old.get("scope") or ())):
        yield Change(Level.MINOR, f"{what} asks for the permission {scope}: reconnect to allow it")
    for scope in (each for each in old.get("scope") or () if each not in (new.get("scope") or ())):
        yield Change(Level.MINOR, f"{what} does not ask for the permission {scope} any more")
    if new.get("required") and not old.get("required"):
        yield Change(Level.MAJOR, f"{what} is required now")
    elif old.get("required") and not new.get("required"):
        yield Change(Level.PATCH, f"{what} is optional now")
    yield from _properties(what, old.get("props") or {}, new.get("props") or {})
    ignored = {"type", "scope", "props", "required", "hasConnectionIdentifier", *_OF_A_CONNECTION}
    yield from _texts(what, old, new, _names(old, new, without=ignored))


def _members(
    what: str,
    old: Document,
    new: Document,
    compare_member: Callable[[str, Any, Any], Iterator[Change]],
    *,
    addition: Callable[[str, Any], Change] = lambda what, _: Change(Level.MINOR, f"{what} is new"),
) -> Iterator[Change]:
    """A renamed member counts as a removed one and a new one, because this is its effect on a flow."""
    yield from (Change(Level.MAJOR, f"{what} {name} is removed") for name in old if name not in new)
    for name, described in new.items():
        if name in old:
            yield from compare_member(f"{what} {name}", old[name], described)
        else:
            yield addition(f"{what} {name}", described)
    if _in_other_order(old, new):
        yield Change(Level.PATCH, f"{what}s are in another order")


def _names(old: Document, new: Document, *, without: Collection[str]) -> list[str]:
    return [name for name in {**old, **new} if name not in without]


def _texts(what: str, old: Document, new: Document, names: Sequence[str]) -> Iterator[Change]:
    different = [name for name in names if _given(old.get(name)) != _given(new.get(name))]
    if different:
        yield Change(Level.PATCH, f"{what}: {', '.join(different)} changed")


def _given(value: Any) -> Any:
    """The value, or None if it is empty, because servers do not store empty values."""
    return None if value in ("", [], {}) else value
