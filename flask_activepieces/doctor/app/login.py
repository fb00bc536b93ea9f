"""The app's login: the page for signed-out users, and who is signed in."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import Select, select

from ...host.interface import Host
from ...storage.database import Database
from ...storage.tables import grants
from ..findings import Findings, Kind
from ..subject import request_to

LOGIN_PAGE = Kind(
    "login-page", "error", "Users cannot be sent to the login page, so those who are signed out see 500."
)
CURRENT_USER = Kind("current-user", "error", "The consent page and our other pages need to know who is signed in.")
ANONYMOUS = Kind("anonymous-user", "error", "Strangers can approve access in this user's name.")
USER_LOADER = Kind(
    "user-loader",
    "error",
    "Users cannot be looked up by the ids in tokens: events are not delivered, and disabled users are not noticed.",
)
#: How many grants are checked.
_SAMPLE = 20


def check_login_page(host: Host) -> Findings:
    """The host names a login page."""
    try:
        host.login_url("/")
    except Exception as error:
        # Any error would occur again when a user has to sign in.
        yield LOGIN_PAGE.found(str(error), "Correct this, and restart the app.")


def check_signed_out_request(app: Flask, host: Host) -> Findings:
    """No one is signed in on a request without a cookie."""
    # In an app context of its own: Flask-Login stores the user in ``g``.
    with app.app_context(), request_to(app):
        try:
            principal = host.current_principal()
        except Exception as error:
            yield CURRENT_USER.found(f"{type(error).__name__}: {error}", "Correct this, and restart the app.")
            return
    if principal is not None:
        yield ANONYMOUS.found(
            f"On a request without a cookie, user {principal.user_id} of tenant {principal.tenant_id} is signed in.",
            "Return None from current_principal() if no one is signed in.",
        )


def check_user_loader(host: Host, database: Database, tenant_id: str | None) -> Findings:
    """The host knows users of the newest grants."""
    users = database.read(lambda conn: [tuple(row) for row in conn.execute(_newest_users(tenant_id))])
    known = 0
    for user_id, user_tenant_id in users:
        try:
            known += host.load_principal(user_id, user_tenant_id) is not None
        except Exception as error:
            yield USER_LOADER.found(
                f"load_principal({user_id!r}, {user_tenant_id!r}) raised {type(error).__name__}: {error}",
                "Return None for an unknown user, and convert the id, which is a string, as your database needs it.",
            )
            return
    if users and not known:
        yield USER_LOADER.found(
            f"The app knows none of the users of the newest grants, such as user {users[0][0]} of {users[0][1]}.",
            "If they were all removed: flask activepieces grants check --revoke. Otherwise, correct the user_loader,"
            " which gets the id as a string.",
        )


def _newest_users(tenant_id: str | None) -> Select[Any]:
    statement = select(grants.c.user_id, grants.c.tenant_id).order_by(grants.c.created_at.desc()).limit(_SAMPLE)
    return statement if tenant_id is None else statement.where(grants.c.tenant_id == tenant_id)
