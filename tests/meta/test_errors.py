"""The tree of errors, as `errors` draws it, has every error of ours."""

from __future__ import annotations

import importlib
import pkgutil

import flask_activepieces
from flask_activepieces import errors
from flask_activepieces.errors import ActivepiecesError


def test_the_tree_names_every_kind_of_error() -> None:
    for module in pkgutil.walk_packages(flask_activepieces.__path__, "flask_activepieces."):
        importlib.import_module(module.name)
    kinds = {
        kind.__name__
        for kind in ActivepiecesError.__subclasses__()
        if kind.__module__.startswith("flask_activepieces.")
    }

    drawn = {
        line.split("── ")[1].split()[0]
        for line in str(errors.__doc__).splitlines()
        if "── " in line
    }

    assert kinds <= drawn
