"""Login, logout, and the protection against forms from other sites."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError

from .login_limit import LoginLimit
from .models import User, db
from .passwords import authenticate

blueprint = Blueprint("auth", __name__)
login_manager = LoginManager()
login_manager.login_view = "auth.login"


def init_app(app: Flask) -> None:
    """Register the login page, and give templates the signed-in user."""
    # Flask-Login's context processor queries the database for every template, which would break
    # the page that reports an unreachable database.
    login_manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["signed_in_user"] = signed_in_user
    app.extensions["login_limit"] = LoginLimit()
    app.register_blueprint(blueprint)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(user_id: str) -> User | None:
    """The user of a session or a token; None if they may not sign in."""
    user = db.session.get(User, int(user_id)) if user_id.isdecimal() else None
    return user if user and user.may_sign_in else None


@login_manager.unauthorized_handler  # type: ignore[untyped-decorator]
def redirect_to_login() -> ResponseReturnValue:
    """Redirect to the login page, which returns to this page. A form cannot be repeated after login."""
    next_url = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=next_url))


def signed_in_user() -> User | None:
    """The signed-in user, for the header of every page."""
    try:
        user: User = current_user._get_current_object()
        return user if user.is_authenticated else None
    except SQLAlchemyError:
        return None  # this page reports the database error


def reject_cross_site_forms() -> None:
    """403 if the browser says that another site sent this form.

    The session cookie is SameSite=Lax, so such a form cannot act as the user. Without this check, it could still sign
    a visitor in to another account.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_same_site = site in ("same-origin", "none")
    else:
        # Older browsers send Origin. A program that sends neither header has no cookies to abuse.
        is_same_site = origin is None or urlsplit(origin).netloc == request.host
    if not is_same_site:
        abort(403, "This form was sent from another site.")


blueprint.before_request(reject_cross_site_forms)


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """The login form. A signed-in user can use it to switch accounts."""
    return render_login(local_path(request.args.get("next")), request.args.get("email", ""))


@blueprint.post("/login")
def submit_login() -> ResponseReturnValue:
    """Sign in, and return to the page that required it."""
    email = request.form.get("email", "").strip().lower()
    next_url = local_path(request.form.get("next") or request.args.get("next"))
    limit, address = current_app.extensions["login_limit"], request.remote_addr or ""
    wait = limit.count_attempt(address, email)
    if wait:
        error = f"Too many attempts to sign in. Try again in {wait} seconds."
        return render_login(next_url, email, error=error), 429, {"Retry-After": str(wait)}
    user = authenticate(email, request.form.get("password", ""))
    if user is None:
        return render_login(next_url, email, error="Wrong e-mail address or password."), 400
    limit.reset_user(address, email)
    login_user(user)
    return redirect(next_url or url_for("tasks.home"))


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out and clear the session."""
    logout_user()
    session.clear()
    return redirect(url_for("tasks.home"))


def render_login(next_url: str | None, email: str, *, error: str | None = None) -> str:
    """The login form, with the e-mail address filled in."""
    return render_template("login.html", next_url=next_url, email=email, error=error)


def local_path(url: str | None) -> str | None:
    """``url`` if it is a path of this app, else None, so that login never leads to another site."""
    # Browsers treat a backslash as a slash and drop control characters; both can lead to another site.
    if not url or not url.startswith("/") or url.startswith("//"):
        return None
    return None if "\\" in url or any(character < " " for character in url) else url
