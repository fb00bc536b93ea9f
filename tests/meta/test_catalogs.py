"""The catalogs of translations have no message that no page shows: a changed message loses its translation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import flask_activepieces

PACKAGE = Path(flask_activepieces.__path__[0])
METHODS = [("**/templates/flask_activepieces/**.html", "jinja2"), ("**.py", "python")]
#: With the places of the messages among the arguments, where there are two.
KEYWORDS = {"Message": None, "ap_text": None, "gettext": None, "ap_count": (1, 2), "ngettext": (1, 2)}


@cache
def messages() -> frozenset[str]:
    """Every message of the package, in both forms where it depends on a number."""
    found = extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS)
    return frozenset(text for _, _, message, _, _ in found for text in forms_of(message))


def forms_of(message: str | tuple[str, ...] | list[str]) -> Iterator[str]:
    yield from [message] if isinstance(message, str) else message


def unused(catalog: Catalog) -> set[str]:
    """The messages of the catalog that the package does not have."""
    # The first entry is the header.
    return {text for entry in catalog if entry.id for text in forms_of(entry.id)} - messages()


def test_the_shipped_catalogs_have_no_unused_message() -> None:
    for path in (PACKAGE / "translations").glob("*/LC_MESSAGES/*.po"):
        with path.open("rb") as file:
            assert unused(read_po(file)) == set(), path


def test_a_message_that_is_gone_is_found() -> None:
    catalog = Catalog(locale="de")
    catalog.add("Connected apps", "Verbundene Apps")
    catalog.add("Linked programs", "Verbundene Programme")

    assert unused(catalog) == {"Linked programs"}
