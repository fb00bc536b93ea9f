"""The page on the doctor lists every finding, with its level; and every finding has a test that provokes it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re

from flask_activepieces import doctor
from flask_activepieces.doctor.examination import free_findings
from flask_activepieces.doctor.findings import Kind
from tests.support.documents import PAGES, ROOT, cells, page


def kinds() -> list[Kind]:
    names = [module.name for module in pkgutil.walk_packages(doctor.__path__, f"{doctor.__name__}.")]
    modules = [importlib.import_module(name) for name in names]
    # Some modules import a kind from another one.
    found = {value.code: value for module in modules for value in vars(module).values() if isinstance(value, Kind)}
    return list(found.values())


KINDS = kinds()


def documented() -> dict[str, str]:
    """The level of each code in the tables."""
    return dict(re.findall(r"^\| `([a-z-]+)`<br>(\w+)", page("doctor"), re.MULTILINE))


def test_the_documented_findings_are_those_that_exist() -> None:
    assert documented() == {kind.code: kind.level for kind in KINDS}


def test_the_documented_reasons_are_those_that_the_doctor_prints() -> None:
    rows = [cells(row) for row in page("doctor").splitlines() if row.startswith("| `")]

    documented_reasons = {row[0].split("`")[1]: row[2] for row in rows}

    assert documented_reasons == {kind.code: kind.why for kind in KINDS}


def test_no_two_kinds_have_the_same_code() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "flask_activepieces" / "doctor").rglob("*.py"))

    defined = re.findall(r"= Kind\(\s*\"([a-z-]+)\"", source)

    assert len(defined) == len(set(defined)) == len(KINDS)


def test_the_reason_of_a_finding_is_a_sentence() -> None:
    assert [kind.why for kind in KINDS if not re.fullmatch(r"[A-Z].*\.", kind.why)] == []


def provoked(source: str) -> set[str]:
    """The strings that tests expect: as the argument of `only`, or compared with `==` or `in`."""
    expecting = [
        node
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "only")
        or (isinstance(node, ast.Compare) and all(isinstance(each, ast.Eq | ast.In) for each in node.ops))
    ]
    constants = [each.value for node in expecting for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return {value for value in constants if isinstance(value, str)}


def test_every_finding_has_a_test_that_provokes_it() -> None:
    tests = (ROOT / "tests" / "unit" / "doctor").rglob("test_*.py")
    provoked_codes = {code for path in tests for code in provoked(path.read_text("utf-8"))}

    assert {kind.code for kind in KINDS} - provoked_codes == set()


def test_a_finding_that_no_test_expects_would_be_noticed() -> None:
    source = 'only(check(), "seen")\nassert codes(check()) == ["also-seen"]\nassert "unseen" not in codes(check())'

    assert provoked(source) == {"seen", "also-seen"}


def test_the_findings_that_other_pages_name_are_on_the_linked_part_of_the_page() -> None:
    parts = {slug(part.partition("\n")[0]): part for part in page("doctor").split("\n## ")}
    linked = {
        (path.stem, code, anchor)
        for path in PAGES
        if path.stem != "doctor"
        for code, anchor in re.findall(r"\[`([a-z-]+)`\]\(doctor\.md#([a-z-]+)\)", path.read_text("utf-8"))
    }

    assert [link for link in linked if f"\n| `{link[1]}`<br>" not in parts[link[2]]] == []


def slug(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def test_the_checks_at_the_first_request_are_marked() -> None:
    free = set(re.findall(r"^\| `([a-z-]+)`<br>\w+, \*first request\*", page("doctor"), re.MULTILINE))
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
