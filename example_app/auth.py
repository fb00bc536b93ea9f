"""Signing in and out, and the guard against forms that other sites send."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.security import check_password_hash, generate_password_hash

from .login_limit import LoginLimit
from .models import User, db

#: Checked when there is no such user: else the time of the answer would tell who has an account.
NO_USER = generate_password_hash(secrets.token_hex(16))

blueprint = Blueprint("auth", __name__)
login_manager = LoginManager()
login_manager.login_view = "auth.login"


def init_app(app: Flask) -> None:
    """Register the login page, and who is signed in for templates."""
    # Flask-Login's own context processor asks the database whenever anything is rendered, also
    # the page that reports an absent database.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["visitor"] = visitor
    app.extensions["login_limit"] = LoginLimit()
    app.register_blueprint(blueprint)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(user_id: str) -> User | None:
    """The user of a session or a token, as long as they may sign in."""
    user = db.session.get(User, int(user_id)) if user_id.isdecimal() else None
    return user if user and user.may_sign_in else None


@login_manager.unauthorized_handler  # type: ignore[untyped-decorator]
def ask_to_sign_in() -> ResponseReturnValue:
    """Send a stranger to the login page; a form cannot be repeated, so only pages are gone back to."""
    next_url = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=next_url))


def visitor() -> User | None:
    """Who is signed in, for the header of every page."""
    try:
        user: User = current_user._get_current_object()
        return user if user.is_authenticated else None
    except SQLAlchemyError:
        return None  # the page that reports it is about to be shown


def refuse_forms_of_other_sites() -> None:
    """End the request with 403 when a browser says that another site sent this form.

    The session cookie is SameSite=Lax, which already keeps such forms from acting as the user; this
    also keeps them from signing a visitor in as somebody else.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        # Older browsers send Origin; a program that sends neither has no cookies to abuse.
        same = origin is None or urlsplit(origin).netloc == request.host
    if not same:
        abort(403, "This form was sent by another site.")


blueprint.before_request(refuse_forms_of_other_sites)


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """The login form; also for someone signed in who wants to switch accounts."""
    return login_page(own_path(request.args.get("next")), request.args.get("email", ""))


@blueprint.post("/login")
def submit_login() -> ResponseReturnValue:
    """Sign in, and go where the visitor wanted to go."""
    email = request.form.get("email", "").strip().lower()
    next_url = own_path(request.form.get("next") or request.args.get("next"))
    limit, address = current_app.extensions["login_limit"], request.remote_addr or ""
    wait = limit.seconds_to_wait(address, email)
    if wait:
        error = f"Too many attempts to sign in. Try again in {wait} seconds."
        return login_page(next_url, email, error=error), 429, {"Retry-After": str(wait)}
    user = user_with_password(email, request.form.get("password", ""))
    if user is None:
        error = "This e-mail address and password do not belong together."
        return login_page(next_url, email, error=error), 400
    limit.forget(address, email)
    login_user(user)
    return redirect(next_url or url_for("tasks.home"))


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out and forget everything that the session held."""
    logout_user()
    session.clear()
    return redirect(url_for("tasks.home"))


def login_page(next_url: str | None, email: str, *, error: str | None = None) -> str:
    """The form, with what is known already."""
    return render_template("login.html", next_url=next_url, email=email, error=error)


def user_with_password(email: str, password: str) -> User | None:
    """The user with this e-mail address and password, if they may sign in."""
    # PostgreSQL has no text with a NUL.
    wanted = select(User).filter_by(email=email.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    user = db.session.scalar(wanted)
    is_right = check_password_hash(user.password_hash if user else NO_USER, password)
    return user if user and is_right and user.may_sign_in else None


def own_path(url: str | None) -> str | None:
    """``url`` if it is a path of this app, else None: a login page sends nobody elsewhere."""
    # Browsers read a backslash as a slash and drop control characters: both can leave the site.
    if not url or not url.startswith("/") or url.startswith("//"):
        return None
    return None if "\\" in url or any(character < " " for character in url) else url
