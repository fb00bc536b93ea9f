"""Signs a user of an app under test in, without its login page. Only for apps with Flask-Login."""

from __future__ import annotations

from flask import Flask, session
from flask.testing import FlaskClient

from ..errors import SetupError


def sign_in(app: Flask, user_id: str | int) -> FlaskClient:
    """A test client in whose session this user is signed in."""
    load_user = getattr(getattr(app, "login_manager", None), "user_callback", None)
    if load_user is None:
        raise SetupError(
            "sign_in() needs Flask-Login with a user_loader. For another login, override the fixture sign_in: it"
            " returns a function that takes the id of a user, and returns a test client that is signed in."
        )
    from flask_login import login_user

    browser = app.test_client()
    # With the address and the user agent of the client: strong session protection signs a session of others out.
    with app.test_request_context(environ_base=browser.environ_base):
        user = load_user(str(user_id))
        if user is None:
            raise SetupError(f"The user_loader finds no user {user_id}. Add the user to the database of the test.")
        if not login_user(user):
            raise SetupError(f"User {user_id} is not active, so Flask-Login does not sign them in.")
        signed_in = dict(session)
    with browser.session_transaction() as stored:
        stored.update(signed_in)
    return browser
