"""The public names of `flask_activepieces`: few, sorted, and documented where they are defined."""

from __future__ import annotations

import inspect
import types
from importlib.resources import files

import pytest

import flask_activepieces
from flask_activepieces import signals


def importable_names() -> set[str]:
    """Names that look public; submodules are imported by their own path."""
    return {
        name
        for name, value in vars(flask_activepieces).items()
        if not name.startswith("_")
        and (name in flask_activepieces.__all__ or not isinstance(value, types.ModuleType))
    }


def test_all_lists_exactly_what_can_be_imported() -> None:
    assert importable_names() == set(flask_activepieces.__all__)


def test_all_is_sorted() -> None:
    assert flask_activepieces.__all__ == sorted(flask_activepieces.__all__)


@pytest.mark.parametrize("name", [name for name in flask_activepieces.__all__ if name[0].isupper()])
def test_every_public_class_and_method_has_a_docstring(name: str) -> None:
    public = getattr(flask_activepieces, name)

    undocumented = [
        method
        for method, value in vars(public).items()
        if inspect.isfunction(value) and not method.startswith("_") and not value.__doc__
    ]

    assert public.__doc__
    assert public.__module__.startswith("flask_activepieces.")
    assert not undocumented


def test_the_package_is_typed() -> None:
    assert files("flask_activepieces").joinpath("py.typed").is_file()


def test_every_signal_is_an_attribute_named_after_its_event() -> None:
    """`signals.grant_revoked` is the signal "grant.revoked"."""
    by_attribute = {name: value for name, value in vars(signals).items() if value in signals.BY_NAME.values()}

    assert by_attribute == {name.replace(".", "_"): value for name, value in signals.BY_NAME.items()}
