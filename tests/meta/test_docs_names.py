"""Every public name has its place in the docs: of the extension, the host, the tools for tests and the packages."""

from __future__ import annotations

import dataclasses
import inspect
import re
from functools import cache
from types import ModuleType

import pytest

import flask_activepieces
from flask_activepieces import Activepieces, FlaskLoginHost, Host, api_client, auth, fields, integrations, testing
from flask_activepieces.config.settings import PREFIX
from flask_activepieces.testing import ActivepiecesServer, plugin
from tests.meta.test_docs_pages import TEMPLATES
from tests.support.documents import PAGES, headings, page

#: A setting has its section once, so that no second text can contradict it.
SECTIONS = [heading for heading in headings(page("configuration")) if heading.startswith(PREFIX)]


def public(names: object) -> list[str]:
    """The public ones among the names of an object."""
    return sorted(name for name in dir(names) if not name.startswith("_"))


def missing(names: list[str], name_of_page: str) -> list[str]:
    """Those of the names that the page does not contain."""
    return [name for name in names if not re.search(rf"\b{name}\b", page(name_of_page))]


@cache
def words_of_all_pages() -> set[str]:
    """Every word on the pages."""
    return {word for path in PAGES for word in re.findall(r"\w+", path.read_text("utf-8"))}


def arguments(function: object) -> list[str]:
    """The names of the arguments of a constructor."""
    assert callable(function)
    return [name for name in inspect.signature(function).parameters if name != "self"]


def classes(module: ModuleType) -> list[str]:
    """The public classes that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def test_every_attribute_of_the_extension_is_documented() -> None:
    extension = Activepieces(FlaskLoginHost(single_tenant=True))

    assert missing(public(extension), "api") == []


def test_every_service_of_the_extension_has_its_methods_in_the_reference() -> None:
    services = [
        inspect.signature(value.fget).return_annotation
        for value in vars(Activepieces).values()
        if isinstance(value, property) and value.fget is not None
    ]

    assert len(services) >= 8
    assert [name for name in services if not re.search(rf"autoclass:: [\w.]+\.{name}\n", page("api"))] == []


def test_every_argument_of_the_extension_is_documented() -> None:
    everywhere = "".join(path.read_text("utf-8") for path in PAGES)

    assert [name for name in arguments(Activepieces) if not re.search(rf"\b{name}=|`{name}`", everywhere)] == []


def test_every_method_of_the_host_is_documented() -> None:
    methods = [name for name in vars(Host) if not name.startswith("_")]

    assert [name for name in methods if f"`{name}(" not in page("host")] == []


def test_every_argument_of_the_host_for_flask_login_is_documented() -> None:
    assert missing(arguments(FlaskLoginHost), "host") == []


@pytest.mark.parametrize("module", [auth, fields], ids=lambda module: module.__name__)
def test_every_class_for_declarations_is_documented(module: ModuleType) -> None:
    assert missing(classes(module), "api") == []


def test_every_name_of_the_tools_for_tests_is_documented() -> None:
    assert missing(testing.__all__, "testing") == []
    assert missing(public(ActivepiecesServer), "testing") == []
    assert missing(arguments(ActivepiecesServer), "testing") == []


@pytest.mark.parametrize("fixture", plugin.__all__)
def test_every_fixture_is_documented(fixture: str) -> None:
    assert f"| `{fixture}` |" in page("testing")


def test_every_name_of_the_api_client_is_documented() -> None:
    assert missing(api_client.__all__, "api-client") == []


def test_the_names_of_the_services_arguments_come_from_their_docstrings() -> None:
    """The page includes all of them, with ``automodule``."""
    assert [name for name in integrations.__all__ if not getattr(integrations, name).__doc__] == []


#: The classes whose reference comes from their docstrings and signatures.
REFERENCE = set(
    re.findall(r"auto(?:class|module):: [\w.]*?(\w+)\n", "".join(path.read_text("utf-8") for path in PAGES))
)
PUBLIC_CLASSES = [
    pytest.param(value, id=f"{module.__name__}.{name}")
    for module in (flask_activepieces, testing, api_client)
    for name in module.__all__
    if inspect.isclass(value := getattr(module, name)) and name not in REFERENCE
]


@pytest.mark.parametrize("cls", PUBLIC_CLASSES)
def test_every_member_of_a_public_class_is_documented(cls: type) -> None:
    """With the arguments of its methods."""
    members = {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }
    names = {*members, *(each.name for each in (dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()))}
    names |= {name for method in members.values() if inspect.isfunction(method) for name in arguments(method)}

    assert sorted(names - words_of_all_pages()) == []


@pytest.mark.parametrize("name", ["StandinPiece", "Retries", "Principal", "Piece", "FileResult"])
def test_the_reference_has_the_classes_with_many_fields(name: str) -> None:
    assert name in REFERENCE


def test_every_macro_for_the_apps_own_templates_is_documented() -> None:
    """With its arguments: those in the templates whose only content they are."""
    macros = [
        macro
        for path in TEMPLATES.rglob("[a-z]*.html")
        if not re.search("{% (block|extends) ", text := path.read_text("utf-8"))
        for macro in re.findall(r"{% macro (\w+)\((.*?)\)\s*-?%}", text, re.DOTALL)
    ]
    names = {name for macro, given in macros for name in (macro, *re.findall(r"(?:^|,)\s*(\w+)(?==|,|\s*$)", given))}

    assert {"automation_links", "activepieces_builder", "needs_script"} <= names
    assert sorted(names - words_of_all_pages()) == []


def test_every_setting_has_one_section() -> None:
    assert len(SECTIONS) == len(set(SECTIONS))


def test_the_packages_for_apps_are_named_on_the_page_of_the_api() -> None:
    """Apps import from these; everything else may change."""
    for module in (api_client, testing, integrations):
        assert f"`{module.__name__}`" in page("api") or f"automodule:: {module.__name__}\n" in page("api")
