"""Setup mistakes are logged at the first request, with their remedy; the request is still answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.views import MethodView
from flask_login import LoginManager

from flask_activepieces import FlaskLoginHost, require_scope
from tests.conftest import MakeApp
from tests.support import hosts

LOGGER = "flask_activepieces.doctor.setup_check"
SetupLog = Callable[..., list[str]]
#: What an app needs besides a public URL.
GOOD_COOKIES = {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_SAMESITE": "Lax"}


@pytest.fixture
def setup_log(caplog: pytest.LogCaptureFixture) -> SetupLog:
    """Make two requests; return the log lines about the app's setup."""

    def collect(app: Flask, **environ: Any) -> list[str]:
        client = app.test_client()
        for _ in range(2):
            assert client.get("/", **environ).status_code == 200
        return [record.getMessage() for record in caplog.records if record.name == LOGGER]

    return collect


def test_a_complete_setup_logs_nothing(make_app: MakeApp, setup_log: SetupLog) -> None:
    assert setup_log(make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com", **GOOD_COOKIES)) == []


# Scopes


def view() -> str:
    return "shown"


def audited(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class ClassWithScope(MethodView):
    decorators = [require_scope("in:class")]

    def get(self) -> str:
        return "shown"


class MethodWithScope(MethodView):
    @require_scope("in:method")
    def get(self) -> str:
        return "shown"


def test_unknown_scopes_are_reported_together(make_app: MakeApp, setup_log: SetupLog) -> None:
    app = make_app()
    app.add_url_rule("/a", "tasks", require_scope("task:read", "tasks:write")(view))
    app.add_url_rule("/b", "again", require_scope("task:read")(view))
    app.add_url_rule("/c", "wrapped", audited(require_scope("billing")(view)))
    app.add_url_rule("/d", view_func=ClassWithScope.as_view("in_class"))
    app.add_url_rule("/e", view_func=MethodWithScope.as_view("in_method"))

    (line,) = setup_log(app)

    assert "'task:read' of tasks, again (did you mean 'tasks:read'?)" in line
    assert "'billing' of wrapped;" in line
    assert "'in:class' of in_class" in line
    assert "'in:method' of in_method" in line
    assert "'tasks:write'" not in line
    assert "ACTIVEPIECES_SCOPES" in line


def test_views_added_after_init_app_are_checked(make_app: MakeApp, setup_log: SetupLog) -> None:
    app = make_app(ACTIVEPIECES_SCOPES={"tasks:read": "See tasks"})  # the views are added afterwards

    (line,) = setup_log(app)

    assert "'profile:read' of whoami" in line


def test_an_empty_scopes_setting_is_reported(tmp_path: Path, setup_log: SetupLog) -> None:
    app = hosts.make_app(tmp_path, ACTIVEPIECES_SCOPES={})
    for endpoint in ("whoami", "add_task"):
        app.view_functions[endpoint] = view

    (line,) = setup_log(app)
    hosts.dispose(app)

    assert "ACTIVEPIECES_SCOPES is empty" in line
    assert "such as" in line


# The login page


def with_flask_login(make_app: MakeApp, login_view: str | None) -> Flask:
    def first(app: Flask) -> None:
        manager = LoginManager(app)
        manager.login_view = login_view
        manager.user_loader(lambda user_id: None)

    return make_app(host=FlaskLoginHost(single_tenant=True), first=first)


def test_a_missing_login_view_is_reported(make_app: MakeApp, setup_log: SetupLog) -> None:
    (line,) = setup_log(with_flask_login(make_app, None))

    assert "set login_manager.login_view" in line


def test_an_unknown_login_view_is_reported(make_app: MakeApp, setup_log: SetupLog) -> None:
    (line,) = setup_log(with_flask_login(make_app, "auth.login"))

    assert "login_manager.login_view is 'auth.login', which no view of this app is named" in line


def test_a_valid_login_view_is_not_reported(make_app: MakeApp, setup_log: SetupLog) -> None:
    assert setup_log(with_flask_login(make_app, "login")) == []


def test_a_first_request_for_an_untrusted_host_reports_nothing(make_app: MakeApp, setup_log: SetupLog) -> None:
    app = with_flask_login(make_app, "login")
    app.config["TRUSTED_HOSTS"] = ["app.example.com"]

    assert app.test_client().get("/", base_url="https://attacker.example").status_code == 400

    assert setup_log(app, base_url="https://app.example.com") == []


def test_a_later_request_reports_what_a_request_for_an_untrusted_host_could_not(
    make_app: MakeApp, setup_log: SetupLog
) -> None:
    app = with_flask_login(make_app, None)
    app.config["TRUSTED_HOSTS"] = ["app.example.com"]
    app.test_client().get("/", base_url="https://attacker.example")

    (line,) = setup_log(app, base_url="https://app.example.com")

    assert "set login_manager.login_view" in line


def test_missing_flask_login_is_reported(make_app: MakeApp, setup_log: SetupLog) -> None:
    (line,) = setup_log(make_app(host=FlaskLoginHost(single_tenant=True)))

    assert "login_manager.init_app(app)" in line


# Cookies


def test_an_insecure_cookie_is_reported_as_a_warning(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    cookies = GOOD_COOKIES | {"SESSION_COOKIE_SECURE": False}
    app = make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com", **cookies)

    app.test_client().get("/")

    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("cookie-secure: SESSION_COOKIE_SECURE is not set")


# The mount path

PUBLIC = "https://example.com"


@pytest.mark.parametrize(
    ("public_url", "script_name", "remedy"),
    [
        (PUBLIC, "/crm", f"{PUBLIC}/crm"),
        (f"{PUBLIC}/other", "/crm", f"{PUBLIC}/crm"),
        (f"{PUBLIC}/crm", "/crm", None),
        (f"{PUBLIC}/apps/crm", "/crm", None),
        (f"{PUBLIC}/crm", "", None),
        (PUBLIC, "", None),
        (None, "/crm", None),
    ],
)
def test_a_mount_path_missing_from_the_public_url_is_reported(
    make_app: MakeApp, setup_log: SetupLog, public_url: str | None, script_name: str, remedy: str | None
) -> None:
    lines = setup_log(
        make_app(ACTIVEPIECES_PUBLIC_URL=public_url, **GOOD_COOKIES), environ_overrides={"SCRIPT_NAME": script_name}
    )

    assert len(lines) == (remedy is not None)
    assert all(f"mounted at {script_name}" in line for line in lines)
    assert all(line.endswith(f"Set it to {remedy}.") for line in lines)


def test_an_application_root_missing_from_the_public_url_is_reported(make_app: MakeApp, setup_log: SetupLog) -> None:
    (line,) = setup_log(make_app(ACTIVEPIECES_PUBLIC_URL=PUBLIC, APPLICATION_ROOT="/crm", **GOOD_COOKIES))

    assert "mounted at /crm" in line
    assert line.endswith(f"Set it to {PUBLIC}/crm.")
