"""The page on the API client documents every error, credential, timeout and restriction."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import get_args

import pytest

from flask_activepieces.api_client import Timeout, capabilities, errors
from flask_activepieces.api_client.credentials import Credential
from tests.support.documents import code_words, page

ERRORS = [name for name, value in vars(errors).items()
          if inspect.isclass(value) and issubclass(value, errors.ApiError)]  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", page("api-client"), re.MULTILINE)


def test_every_attribute_of_an_error_is_documented() -> None:
    attributes = {*vars(errors.ApiError("x")), "retry_after", "outcome_unknown"}

    assert attributes <= code_words(page("api-client"))


@pytest.mark.parametrize("kind", get_args(Credential))
def test_every_credential_is_documented(kind: type[Credential]) -> None:
    assert f"| `{kind.__name__}(" in page("api-client")


def test_every_timeout_is_documented_with_its_default() -> None:
    for field in fields(Timeout):
        assert f"| `{field.name}` | {field.default} s |" in page("api-client")


def test_every_restriction_is_documented() -> None:
    documented = code_words(page("api-client"))
    # The client has no calls for these: they are managed on Activepieces' own pages.
    not_offered = {"api_keys", "signing_keys", "oauth_apps"}

    for operation in capabilities.RESTRICTIONS.keys() - not_offered:
        assert operation in documented or f"{operation}.*" in documented
