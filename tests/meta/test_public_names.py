"""What `flask_activepieces` offers: a handful of names, listed in order, and documented where they are defined."""

from __future__ import annotations

import inspect
import types
from importlib.resources import files

import pytest

import flask_activepieces
from flask_activepieces import signals


def importable_names() -> set[str]:
    """Names that a reader could take for public; submodules are reached by their own path."""
    return {
        name
        for name, value in vars(flask_activepieces).items()
        if not name.startswith("_")
        and (name in flask_activepieces.__all__ or not isinstance(value, types.ModuleType))
    }


def test_all_lists_exactly_what_can_be_imported() -> None:
    assert importable_names() == set(flask_activepieces.__all__)


def test_all_is_sorted_as_an_editor_shows_it() -> None:
    assert flask_activepieces.__all__ == sorted(flask_activepieces.__all__)


@pytest.mark.parametrize("name", [n for n in flask_activepieces.__all__ if n[0].isupper()])
def test_every_public_class_says_what_it_is_and_so_do_its_methods(name: str) -> None:
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


def test_every_signal_has_a_name_of_its_own_in_the_module() -> None:
    """`signals.grant_revoked` is the signal "grant.revoked", and there is no other way to it."""
    by_attribute = {
        name.replace("_", ".", 1): value
        for name, value in vars(signals).items()
        if value in signals.BY_NAME.values()
    }

    assert by_attribute == signals.BY_NAME
