"""What a route expects of its path, query and body, and the words in which a server says that it is not so.

0.85 checks with zod ("body/name Invalid input: expected string, received undefined"), 0.78 with ajv ("body must have
required property 'name'"). Fields that no shape names are left out of what the route sees, as the servers do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .responses import Json, Row


class _Missing:
    """The value of a field that is not there."""


MISSING = _Missing()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what zod says, and whether a required field is missing.

    ``slight``: the value has the right type and breaks a rule, such as a least length.
    """

    where: tuple[str, ...]
    words: str
    missing: bool = False
    slight: bool = False

    def zod(self) -> str:
        """In the words of 0.85: the union as a whole is meant by ``body/``."""
        return f"{self.where[0]}/{'/'.join(self.where[1:])} {self.words}"

    def ajv(self) -> str:
        """In the words of 0.78."""
        if self.missing:
            where = "/".join(self.where[:-1])
            return f"{where} must have required property '{self.where[-1]}'"
        return f"{'/'.join(self.where)} {self.words}"


class Misshapen(Exception):
    """A value does not have the shape; carries the problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__([problem.zod() for problem in problems])
        self.problems = problems


Where = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """One kind of value: reads it, or raises `Misshapen`."""

    read: Callable[[Any, Where], Json]
    required: bool = True

    def branches(self) -> tuple[Shape, ...]:
        """The alternatives of a union; a plain shape is its own only one."""
        return (self,)


def optional(shape: Shape) -> Shape:
    """The field may be left out."""
    return replace(shape, required=False)


def nullable(shape: Shape) -> Shape:
    """The field may be null."""
    return Shape(lambda value, at: None if value is None else shape.read(value, at), shape.required)


def anything() -> Shape:
    """Any JSON value."""
    return Shape(lambda value, at: value)


def text(*, least: int = 0, pattern: str | None = None) -> Shape:
    """A string, of a least length or a pattern."""

    def read(value: Any, at: Where) -> str:
        if not isinstance(value, str):
            raise _expected("string", value, at)
        if len(value) < least:
            words = f"Too small: expected string to have >={least} characters"
            raise Misshapen(Problem(at, words, slight=True))
        if pattern is not None and not re.fullmatch(pattern, value):
            words = f"Invalid string: must match pattern /^{pattern}$/"
            raise Misshapen(Problem(at, words, slight=True))
        return value

    return Shape(read)


#: The id of a row.
an_id = text(pattern="[0-9a-zA-Z]{21}")


def number() -> Shape:
    """A number; in a query, the text of one."""

    def read(value: Any, at: Where) -> float:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = math.nan
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise _expected("number", value, at)
        return value

    return Shape(read)


def flag() -> Shape:
    """True or false; in a query, the word."""

    def read(value: Any, at: Where) -> bool:
        if value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise _expected("boolean", value, at)
        return value

    return Shape(read)


def one_of(*options: str) -> Shape:
    """One of these words."""

    def read(value: Any, at: Where) -> str:
        if value not in options:
            if len(options) == 1:
                raise Misshapen(Problem(at, f'Invalid input: expected "{options[0]}"'))
            shown = "|".join(f'"{option}"' for option in options)
            raise Misshapen(Problem(at, f"Invalid option: expected one of {shown}"))
        return str(value)

    return Shape(read)


def list_of(shape: Shape) -> Shape:
    """A list; a query that gives the parameter once means a list of one."""

    def read(value: Any, at: Where) -> list[Json]:
        if at[0] == "querystring" and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            raise _expected("array", value, at)
        return [shape.read(item, (*at, str(place))) for place, item in enumerate(value)]

    return Shape(read)


def record() -> Shape:
    """An object with any fields."""

    def read(value: Any, at: Where) -> Row:
        if not isinstance(value, dict):
            raise _expected("object" if at[0] == "body" and len(at) == 1 else "record", value, at)
        return value

    return Shape(read)


def fields(shapes: Mapping[str, Shape]) -> Shape:
    """An object with these fields; others are dropped. All problems are told together."""

    def read(value: Any, at: Where) -> Row:
        if not isinstance(value, dict):
            raise _expected("object", value, at)
        clean: Row = {}
        problems: list[Problem] = []
        for name, shape in shapes.items():
            given = value.get(name, MISSING)
            if given is MISSING and not shape.required:
                continue
            try:
                clean[name] = shape.read(given, (*at, name))
            except Misshapen as wrong:
                problems += wrong.problems
        if problems:
            raise Misshapen(*problems)
        return clean

    return Shape(read)


@dataclass(frozen=True)
class Union(Shape):
    """Any of several shapes; see `union`."""

    options: tuple[Shape, ...] = ()

    def branches(self) -> tuple[Shape, ...]:
        return self.options


def union(*shapes: Shape) -> Shape:
    """The first of these that fits. A server says only that none does, unless a single one nearly did."""

    def read(value: Any, at: Where) -> Json:
        near: list[Misshapen] = []
        for shape in shapes:
            try:
                return shape.read(value, at)
            except Misshapen as wrong:
                if all(problem.slight for problem in wrong.problems):
                    near.append(wrong)
        if len(near) == 1:
            raise near[0]
        raise Misshapen(Problem(at, "Invalid input"))

    return Union(read, options=shapes)


def complaints(shape: Shape, value: Any, wrong: Misshapen, *, where: str, zod: bool) -> list[str]:
    """What the server says about a misshapen value. ajv complains once for each branch of a union."""
    if zod:
        return [problem.zod() for problem in wrong.problems]
    if not isinstance(shape, Union):
        return [problem.ajv() for problem in wrong.problems]
    found: list[str] = []
    for branch in shape.branches():
        try:
            branch.read(value, (where,))
        except Misshapen as inner:
            # ajv stops at the first problem, and looks for missing fields before it looks into those that are there.
            missing = [problem for problem in inner.problems if problem.missing]
            found += [problem.ajv() for problem in sorted(missing, key=_depth)[:1]]
    return [*found, f"{where} must match a schema in anyOf"]


def _depth(problem: Problem) -> int:
    return len(problem.where)


def _expected(kind: str, value: Any, at: Where) -> Misshapen:
    words = f"Invalid input: expected {kind}, received {_received(value)}"
    return Misshapen(Problem(at, words, missing=value is MISSING))


def _received(value: Any) -> str:
    if value is MISSING:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    kinds = {bool: "boolean", str: "string", int: "number", float: "number", list: "array"}
    return kinds.get(type(value), "object")
