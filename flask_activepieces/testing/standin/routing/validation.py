"""Validates path, query and body of a request, with the error messages of real servers.

0.85 uses zod ("body/name Invalid input: expected string, received undefined"), 0.78 ajv ("body must have required
property 'name'"). Unknown fields are dropped, as on real servers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .responses import Json, Row


class _Missing:
    """The value of a missing field."""


MISSING = _Missing()


@dataclass(frozen=True)
class ValidationProblem:
    """One problem: its path, zod's message, and whether a required field is missing.

    ``breaks_rule``: the value has the right type but violates a rule, such as a minimum length.
    """

    where: tuple[str, ...]
    message: str
    missing: bool = False
    breaks_rule: bool = False

    def zod(self) -> str:
        """The message of 0.85; ``body/`` refers to a union as a whole."""
        return f"{self.where[0]}/{'/'.join(self.where[1:])} {self.message}"

    def ajv(self) -> str:
        """The message of 0.78."""
        if self.missing:
            where = "/".join(self.where[:-1])
            return f"{where} must have required property '{self.where[-1]}'"
        return f"{'/'.join(self.where)} {self.message}"


class ValidationFailed(Exception):
    """A value is invalid; has the list of problems."""

    def __init__(self, *problems: ValidationProblem) -> None:
        super().__init__([problem.zod() for problem in problems])
        self.problems = problems


FieldPath = tuple[str, ...]


@dataclass(frozen=True)
class Validator:
    """Reads one kind of value, or raises `ValidationFailed`."""

    read: Callable[[Any, FieldPath], Json]
    required: bool = True

    def branches(self) -> tuple[Validator, ...]:
        """The alternatives of a union; otherwise only the validator itself."""
        return (self,)


def optional(validator: Validator) -> Validator:
    """The field may be left out."""
    return replace(validator, required=False)


def nullable(validator: Validator) -> Validator:
    """The field may be null."""
    return Validator(lambda value, at: None if value is None else validator.read(value, at), validator.required)


def anything() -> Validator:
    """Any JSON value."""
    return Validator(lambda value, at: value)


def text(*, min_length: int = 0, pattern: str | None = None) -> Validator:
    """A string, with a minimum length or a pattern."""

    def read(value: Any, at: FieldPath) -> str:
        if not isinstance(value, str):
            raise _expected("string", value, at)
        if len(value) < min_length:
            message = f"Too small: expected string to have >={min_length} characters"
            raise ValidationFailed(ValidationProblem(at, message, breaks_rule=True))
        if pattern is not None and not re.fullmatch(pattern, value):
            message = f"Invalid string: must match pattern /^{pattern}$/"
            raise ValidationFailed(ValidationProblem(at, message, breaks_rule=True))
        return value

    return Validator(read)


#: The id of a row.
row_id_string = text(pattern="[0-9a-zA-Z]{21}")


def number() -> Validator:
    """A number; in a query, its decimal notation."""

    def read(value: Any, at: FieldPath) -> float:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = math.nan
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise _expected("number", value, at)
        return value

    return Validator(read)


def boolean() -> Validator:
    """A boolean; in a query, ``true`` or ``false``."""

    def read(value: Any, at: FieldPath) -> bool:
        if value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise _expected("boolean", value, at)
        return value

    return Validator(read)


def one_of(*options: str) -> Validator:
    """One of these strings."""

    def read(value: Any, at: FieldPath) -> str:
        if value not in options:
            if len(options) == 1:
                raise ValidationFailed(ValidationProblem(at, f'Invalid input: expected "{options[0]}"'))
            shown = "|".join(f'"{option}"' for option in options)
            raise ValidationFailed(ValidationProblem(at, f"Invalid option: expected one of {shown}"))
        return str(value)

    return Validator(read)


def list_of(validator: Validator) -> Validator:
    """A list; a query parameter that occurs once is a list of one."""

    def read(value: Any, at: FieldPath) -> list[Json]:
        if at[0] == "querystring" and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            raise _expected("array", value, at)
        return [validator.read(item, (*at, str(place))) for place, item in enumerate(value)]

    return Validator(read)


def record() -> Validator:
    """An object with any fields."""

    def read(value: Any, at: FieldPath) -> Row:
        if not isinstance(value, dict):
            raise _expected("object" if at[0] == "body" and len(at) == 1 else "record", value, at)
        return value

    return Validator(read)


def fields(validators: Mapping[str, Validator]) -> Validator:
    """An object with these fields; others are dropped. All problems are reported together."""

    def read(value: Any, at: FieldPath) -> Row:
        if not isinstance(value, dict):
            raise _expected("object", value, at)
        clean: Row = {}
        problems: list[ValidationProblem] = []
        for name, validator in validators.items():
            field_value = value.get(name, MISSING)
            if field_value is MISSING and not validator.required:
                continue
            try:
                clean[name] = validator.read(field_value, (*at, name))
            except ValidationFailed as error:
                problems += error.problems
        if problems:
            raise ValidationFailed(*problems)
        return clean

    return Validator(read)


@dataclass(frozen=True)
class Union(Validator):
    """One of several validators; see `union`."""

    options: tuple[Validator, ...] = ()

    def branches(self) -> tuple[Validator, ...]:
        return self.options


def union(*validators: Validator) -> Validator:
    """The first validator that accepts the value. The error is only specific if exactly one nearly accepted it."""

    def read(value: Any, at: FieldPath) -> Json:
        near: list[ValidationFailed] = []
        for validator in validators:
            try:
                return validator.read(value, at)
            except ValidationFailed as error:
                if all(problem.breaks_rule for problem in error.problems):
                    near.append(error)
        if len(near) == 1:
            raise near[0]
        raise ValidationFailed(ValidationProblem(at, "Invalid input"))

    return Union(read, options=validators)


def validation_errors(
    validator: Validator, value: Any, error: ValidationFailed, *, where: str, zod: bool
) -> list[str]:
    """The server's messages about an invalid value. ajv reports each branch of a union."""
    if zod:
        return [problem.zod() for problem in error.problems]
    if not isinstance(validator, Union):
        return [problem.ajv() for problem in error.problems]
    messages: list[str] = []
    for branch in validator.branches():
        try:
            branch.read(value, (where,))
        except ValidationFailed as inner:
            # ajv stops at the first problem, and checks for missing fields first.
            missing = [problem for problem in inner.problems if problem.missing]
            messages += [problem.ajv() for problem in sorted(missing, key=_depth)[:1]]
    return [*messages, f"{where} must match a schema in anyOf"]


def _depth(problem: ValidationProblem) -> int:
    return len(problem.where)


def _expected(kind: str, value: Any, at: FieldPath) -> ValidationFailed:
    message = f"Invalid input: expected {kind}, received {_received(value)}"
    return ValidationFailed(ValidationProblem(at, message, missing=value is MISSING))


def _received(value: Any) -> str:
    if value is MISSING:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    kinds = {bool: "boolean", str: "string", int: "number", float: "number", list: "array"}
    return kinds.get(type(value), "object")
