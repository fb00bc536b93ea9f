"""Names that were replaced do not come back; docs/concepts.md lists the nouns that we use instead."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.documents import ROOT

#: Old name -> its replacement. Identifiers match as whole words, in code, tests, docs and templates.
REPLACED = {
    # Modules, packages and classes
    "desk": "token issuer",
    "TokenDesk": "TokenIssuer",
    "parked": "pending",
    "strongbox": "credential store",
    "Strongbox": "CredentialStore",
    "vault": "encryption",
    "Vault": "Encryptor",
    "Journal": "ConnectionRecorder",
    "gateways": "client factory",
    "Gateways": "ClientFactory",
    "Planner": "SetupPlanner",
    "budget": "failure limit",
    "Budget": "FailureLimiter",
    "phrases": "messages",
    "Phrase": "Message",
    "standing_alone": "AUTOCOMMIT",
    "Prepared": "SQLAlchemy's compiled cache",
    "let_go": "release_connection",
    "LostRace": "ConcurrentUpdate",
    "Verdict": "Rotation",
    "MachineRequest": "ClientRequest",
    "TokenAnswer": "TokenResponse",
    "NoRedirect": "UnverifiedClientError",
    "verify_again": "revalidate",
    "secret_mark": "secret_version",
    # Errors of the API client
    "CallFailed": "ApiError",
    "NotCallable": "CallNotSupported",
    "WrongCredential": "CredentialNotSupported",
    "WrongEdition": "EditionNotSupported",
    "CannotReach": "ConnectionFailed",
    "TookTooLong": "CallTimedOut",
    "NotActivepieces": "UnexpectedResponse",
    "BadCredential": "AuthenticationFailed",
    "NeedsPlan": "PlanUpgradeRequired",
    "NoSuchThing": "ResourceNotFound",
    "NoSuchRoute": "RouteNotFound",
    "ValueRefused": "ConnectionValueRejected",
    "ClaimRefused": "CodeExchangeFailed",
    "WorkerAway": "WorkerUnavailable",
    "TooManyCalls": "RateLimited",
    "ServerFault": "ServerError",
    # The stand-in, tests and benchmarks
    "Misshapen": "ValidationFailed",
    "lose_answer": "drop_response",
    "cut_body": "truncate_body",
    "read_as_engine": "read_connection_as_piece",
    "racy": "duplicate_upserts",
    "IMPATIENT": "NO_BACKOFF",
    "volley": "concurrency",
    "Mint": "TokenFactory",
}
#: British spellings. Documentation, messages and comments use the American ones.
BRITISH = re.compile(
    r"(?:behaviou|colou|favou|flavou|honou|labou|neighbou)r|(?<!-)\b(?:artefact|defence|grey|licence|whilst)"
    r"|(?:authori|categori|customi|emphasi|initiali|locali|minimi|normali|optimi|organi|reali|recogni|seriali|speciali"
    r"|summari|synchroni|utili|visuali)s(?:e|ed|es|ing|ation|ations)\b",
    re.IGNORECASE,
)
#: Where readers of the package look.
PUBLISHED = re.compile(r"(?:flask_activepieces|example_app|docs)/|[A-Z]+\.md|pyproject\.toml")
SEARCHED = ("*.py", "*.md", "*.html", "*.css", "*.js", "*.toml", "Makefile")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Path -> content of every searched file but this one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SEARCHED],
        capture_output=True,
        cwd=ROOT,
        text=True,
        check=True,
    )
    paths = set(listed.stdout.splitlines()) - {"tests/meta/test_vocabulary.py"}
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in paths if (ROOT / path).exists()}


@pytest.mark.parametrize("name", REPLACED)
def test_a_replaced_name_is_not_used(texts: dict[str, str], name: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])")

    # Searching for the plain name first takes a tenth of the time.
    users = sorted(path for path, text in texts.items() if name in text and pattern.search(text))

    assert not users, f"use {REPLACED[name]!r} instead of {name!r}"


def test_the_spelling_is_american(texts: dict[str, str]) -> None:
    found = {path: BRITISH.findall(text) for path, text in texts.items() if PUBLISHED.match(path)}

    assert {path: words for path, words in found.items() if words} == {}
