"""The catalogs of translations are complete: each message of the package has a translation in each language.

``make messages`` updates them, and prints what is missing.
"""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from tests.support import catalogs
from tests.support.catalogs import entries, extracted, forms, languages, path_of, read

each_language = pytest.mark.parametrize("language", languages())


def catalog_of(message: str, translation: str) -> Catalog:
    catalog = Catalog(locale="de")
    catalog.add(message, translation)
    return catalog


def compiled(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {forms(entry.id): forms(entry.string) for entry in entries(catalog)}


def test_these_languages_have_catalogs() -> None:
    assert languages() == ["de", "es", "fr"]


@each_language
def test_each_message_is_translated(language: str) -> None:
    known = {forms(entry.id) for entry in entries(read(language))}

    missing = [forms(entry.id)[0] for entry in entries(extracted()) if forms(entry.id) not in known]

    problems = [*missing, *catalogs.untranslated(read(language)), *catalogs.outdated(read(language))]
    assert problems == [], "run `make messages`, and translate what it prints"


@each_language
def test_the_placeholders_of_each_translation_are_those_of_the_message(language: str) -> None:
    assert catalogs.wrong_placeholders(read(language)) == []


@each_language
def test_a_catalog_has_no_message_that_the_package_does_not_have(language: str) -> None:
    assert catalogs.unused(read(language)) == [], "run `make messages`"


@each_language
def test_a_catalog_is_compiled(language: str) -> None:
    with path_of(language).with_suffix(".mo").open("rb") as file:
        assert compiled(read_mo(file)) == compiled(read(language)), "run `make messages`"


@each_language
def test_a_catalog_begins_with_a_glossary(language: str) -> None:
    comment = path_of(language).read_text("utf-8").partition('msgid ""')[0]

    assert "\n# consent page: " in comment


def test_the_template_for_new_languages_has_each_message() -> None:
    text = catalogs.TEMPLATE.read_text("utf-8")

    assert [entry.id for entry in entries(catalogs.parse(text))] == [entry.id for entry in entries(extracted())]


def test_a_message_that_is_gone_is_found() -> None:
    assert catalogs.unused(catalog_of("Linked programs", "Verbundene Programme")) == ["Linked programs"]
    assert catalogs.unused(catalog_of("Connected apps", "Verbundene Apps")) == []


def test_a_message_without_a_translation_is_found() -> None:
    assert catalogs.untranslated(catalog_of("Connected apps", "")) == ["Connected apps"]


def test_a_translation_without_a_placeholder_is_found() -> None:
    message = "At most %(most)d hosts."

    assert catalogs.wrong_placeholders(catalog_of(message, "Höchstens 20 Hosts.")) == [message]
    assert catalogs.wrong_placeholders(catalog_of(message, "Höchstens %(most)s Hosts.")) == [message]
    assert catalogs.wrong_placeholders(catalog_of(message, "Höchstens %(most)d Hosts.")) == []


def test_a_changed_message_keeps_its_old_translation_for_the_translator() -> None:
    old = catalog_of("The piece was installed now.", "Der Baustein wurde installiert.")
    old.update(extracted())

    entry = old["The piece was installed."]

    assert (entry.string, entry.fuzzy) == ("Der Baustein wurde installiert.", True)
    assert "The piece was installed." in catalogs.outdated(old)
