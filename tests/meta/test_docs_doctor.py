"""The page on the doctor lists every finding, with its level; and every finding has a test that provokes it."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from flask_activepieces import doctor
from flask_activepieces.doctor.examination import free_findings
from flask_activepieces.doctor.findings import Kind
from tests.support.documents import ROOT, page


def kinds() -> list[Kind]:
    names = [module.name for module in pkgutil.walk_packages(doctor.__path__, f"{doctor.__name__}.")]
    modules = [importlib.import_module(name) for name in names]
    # Some modules import a kind from another one.
    found = {value.code: value for module in modules for value in vars(module).values() if isinstance(value, Kind)}
    return list(found.values())


KINDS = kinds()


def documented() -> dict[str, str]:
    """The level of each code in the tables."""
    return dict(re.findall(r"^\| `([a-z-]+)` \| (\w+)", page("doctor"), re.MULTILINE))


def test_the_documented_findings_are_those_that_exist() -> None:
    assert documented() == {kind.code: kind.level for kind in KINDS}


def test_no_two_kinds_have_the_same_code() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "flask_activepieces" / "doctor").rglob("*.py"))

    defined = re.findall(r"= Kind\(\s*\"([a-z-]+)\"", source)

    assert len(defined) == len(set(defined)) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_the_reason_of_a_finding_is_a_sentence(kind: Kind) -> None:
    assert re.fullmatch(r"[A-Z].*\.", kind.why)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_finding_has_a_test_that_provokes_it(kind: Kind) -> None:
    tests = (ROOT / "tests" / "unit" / "doctor").rglob("test_*.py")

    assert any(f'"{kind.code}"' in path.read_text("utf-8") for path in tests)


def test_the_checks_at_the_start_are_marked() -> None:
    free = set(re.findall(r"^\| `([a-z-]+)` \| \w+, \*start\*", page("doctor"), re.MULTILINE))
    imported = {name for name in free_findings.__code__.co_names if name.startswith("check_")}

    assert imported == {
        "check_scopes",
        "check_login_page",
        "check_declarations",
        "check_mcp_path",
        "check_mount_path",
        "check_base_url",
        "check_cookies",
    }
    cookies = {"cookie-secure", "cookie-samesite-strict", "cookie-samesite", "cookie-scope"}
    declarations = {"scopes-unknown", "scopes-empty", "piece-declarations", "piece-name", "mcp-path"}
    assert free == cookies | declarations | {"login-page", "mount-path", "activepieces-http"}
