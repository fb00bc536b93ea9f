"""The catalogs of translations in the package: what they lack, and the command that updates them.

``make messages`` extracts the messages of the package, updates and compiles the catalogs, and prints each message
that needs a translator. ``make messages ARGS=it`` adds a language.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import flask_activepieces

PACKAGE = Path(flask_activepieces.__path__[0])
FOLDER = PACKAGE / "translations"
DOMAIN = "flask_activepieces"
TEMPLATE = FOLDER / f"{DOMAIN}.pot"
METHODS = [("**/templates/flask_activepieces/**.html", "jinja2"), ("**.py", "python")]
#: With the places of the messages among the arguments, where there are two.
KEYWORDS = {
    "Message": None,
    "ap_text": None,
    "gettext": None,
    "activepieces_text": None,
    "ap_count": (1, 2),
    "ngettext": (1, 2),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)\w")
#: What Babel writes about a project with its own translators.
_EMPTY_HEADERS = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid|POT-Creation|PO-Revision|Last-Tr|Language-Team|Generated).*\n',
    re.MULTILINE,
)
_NO_DATE = datetime(2000, 1, 1, tzinfo=timezone.utc)


@cache
def extracted() -> Catalog:
    """Every message of the package, with the files that have it."""
    catalog = _new()
    for file, _, message, comments, _ in extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS):
        catalog.add(message, locations=[(file, 0)], auto_comments=comments)
    return catalog


def languages() -> list[str]:
    """The languages that have a catalog."""
    return sorted(path.parts[-3] for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def path_of(language: str) -> Path:
    """The text of a catalog; the compiled one is beside it."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The catalog of a language; a new one, if there is none yet."""
    if not path_of(language).exists():
        return _new(language)
    return parse(path_of(language).read_text("utf-8"), language)


def parse(text: str, language: str | None = None) -> Catalog:
    """The catalog in the text of a file."""
    catalog = read_po(StringIO(text), locale=language, domain=DOMAIN)
    catalog.creation_date = catalog.revision_date = _NO_DATE
    return catalog


def entries(catalog: Catalog) -> list[Message]:
    """The entries of a catalog, without its header."""
    return [entry for entry in catalog if entry.id]


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """A message or a translation as a tuple: one form, or one for each plural form."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def untranslated(catalog: Catalog) -> list[str]:
    """The messages without a translation."""
    return [forms(entry.id)[0] for entry in entries(catalog) if not all(forms(entry.string))]


def outdated(catalog: Catalog) -> list[str]:
    """The messages with the translation of a similar message, which is marked as fuzzy."""
    return [forms(entry.id)[0] for entry in entries(catalog) if entry.fuzzy]


def wrong_placeholders(catalog: Catalog) -> list[str]:
    """The messages whose translation has other placeholders: a page with it would fail, or lack a value."""
    return [
        forms(entry.id)[0]
        for entry in entries(catalog)
        if entry.string
        and any(_placeholders(form) != _placeholders(forms(entry.id)[-1]) for form in forms(entry.string))
    ]


def unused(catalog: Catalog) -> list[str]:
    """The messages of a catalog that the package does not have, those that are commented out included."""
    known = {forms(entry.id) for entry in entries(extracted())}
    old = [entry for entry in entries(catalog) if forms(entry.id) not in known]
    return [forms(entry.id)[0] for entry in [*old, *catalog.obsolete.values()]]


def update(language: str) -> Catalog:
    """Update and compile the catalog of a language; a changed message keeps its old translation, marked as fuzzy."""
    catalog = read(language)
    catalog.update(extracted())
    catalog.obsolete.clear()
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    _write(catalog, path_of(language))
    with path_of(language).with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
    return catalog


def main(new_languages: Sequence[str]) -> int:
    """Update everything, and print what needs a translator; 1 if there is something."""
    _write(extracted(), TEMPLATE)
    is_complete = True
    for language in sorted({*languages(), *new_languages}):
        catalog = update(language)
        problems = [*_lines("no translation", untranslated(catalog))]
        problems += _lines("translation of a similar message", outdated(catalog))
        problems += _lines("other placeholders", wrong_placeholders(catalog))
        print(f"{path_of(language).relative_to(PACKAGE.parent)}: {len(problems) or 'no'} messages to translate")
        print("".join(problems), end="")
        is_complete = is_complete and not problems
    return 0 if is_complete else 1


def _lines(problem: str, messages: Sequence[str]) -> Iterator[str]:
    return (f"  {problem}: {message}\n" for message in messages)


def _new(language: str | None = None) -> Catalog:
    comment = "# Translations of flask-activepieces. `make messages` updates this file."
    return Catalog(language, DOMAIN, comment, creation_date=_NO_DATE, revision_date=_NO_DATE, fuzzy=False)


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))


def _write(catalog: Catalog, path: Path) -> None:
    """Without numbers of lines, times and names, so that a diff shows messages only."""
    with BytesIO() as file:
        write_po(file, catalog, width=118, include_lineno=False, include_previous=True)
        content = file.getvalue().decode()
    path.write_text(_EMPTY_HEADERS.sub("", content), "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
