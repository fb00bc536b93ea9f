"""The logo of the piece reaches every Activepieces server, or the developer reads why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.web.piece.logo import LARGEST, LogoProblem, logo_url


def url_of(logo: str, root: Path, title: str = "Acme") -> str:
    """The URL of a piece's logo."""
    return logo_url(Piece(name="piece-acme", title=title, logo=logo), root)


@pytest.mark.parametrize("url", ["https://cdn.example/logo.svg", "data:image/png;base64,AAAA"])
def test_a_url_stays_as_it_is(url: str, tmp_path: Path) -> None:
    assert url_of(url, tmp_path) == url


@pytest.mark.parametrize(
    ("name", "media_type"), [("logo.svg", "image/svg+xml"), ("logo.PNG", "image/png"), ("logo.jpeg", "image/jpeg")]
)
def test_a_file_of_the_app_becomes_a_data_url(name: str, media_type: str, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / name).write_bytes(b"abc")

    assert url_of(f"static/{name}", tmp_path) == f"data:{media_type};base64,YWJj"


def test_a_piece_without_a_logo_has_the_first_letter_of_its_title(tmp_path: Path) -> None:
    first, second = url_of("", tmp_path, "acme"), url_of("", tmp_path, "<b>")

    assert first.startswith("data:image/svg+xml,%3Csvg%20xmlns")
    assert "%3EA%3C/text%3E" in first
    assert "%26lt%3B" in second


@pytest.mark.parametrize(
    ("logo", "problem"),
    [
        ("static/missing.svg", "there is no such file in "),
        ("../secret.svg", "use a path below the app's root, an https URL or a data:image URL"),
        ("/etc/secret.svg", "use a path below the app's root, an https URL or a data:image URL"),
        ("http://cdn.example/logo.svg", "use a path below the app's root, an https URL or a data:image URL"),
        ("logo.txt", "use a file with one of the endings .svg, .png"),
        ("large.png", "is larger than 100 KB; use a smaller file or an https URL"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_a_problem(logo: str, problem: str, tmp_path: Path) -> None:
    root = tmp_path / "app"
    root.mkdir()
    (tmp_path / "secret.svg").write_bytes(b"secret")
    (root / "logo.txt").write_bytes(b"text")
    (root / "large.png").write_bytes(b"x" * (LARGEST + 1))

    with pytest.raises(LogoProblem) as caught:
        url_of(logo, root)

    assert str(caught.value).startswith(f"logo {logo!r}: {problem}")
