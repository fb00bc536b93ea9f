"""What people give as the address of their Activepieces, and where its API is."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.wire import api_root


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://ap.example.com", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api/", "https://ap.example.com/api/v1"),
        ("https://ap.example.com/api/v1", "https://ap.example.com/api/v1"),
        ("  http://127.0.0.1:8080\n", "http://127.0.0.1:8080/api/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/api/v1"),
        ("https://example.com/automation", "https://example.com/automation/api/v1"),
        # A 0.78 server without the nginx of its image.
        ("http://127.0.0.1:3000/v1", "http://127.0.0.1:3000/v1"),
    ],
)
def test_every_way_to_give_the_address_leads_to_the_api(given: str, root: str) -> None:
    assert api_root(given) == root


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ap.example.com",
        "ftp://ap.example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@ap.example.com",
        "https://user@ap.example.com",
        "https://ap.example.com?key=secret",
        "https://ap.example.com/#top",
        "https://ap.example.com:port",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        api_root(given)

    assert "secret" not in str(refused.value)
