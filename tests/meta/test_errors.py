"""The error tree in the docstring of `errors` contains every error of the package."""

from __future__ import annotations

import importlib
import pkgutil

import flask_activepieces
from flask_activepieces import errors
from flask_activepieces.errors import ActivepiecesError


def test_the_tree_contains_every_error() -> None:
    for module in pkgutil.walk_packages(flask_activepieces.__path__, "flask_activepieces."):
        importlib.import_module(module.name)
    classes = {
        error.__name__
        for error in ActivepiecesError.__subclasses__()
        if error.__module__.startswith("flask_activepieces.")
    }

    drawn = {line.split("── ")[1].split()[0] for line in str(errors.__doc__).splitlines() if "── " in line}

    assert classes <= drawn
