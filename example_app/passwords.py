"""Checks an e-mail address and a password, for the login page and for connections of Tasklane's piece."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash

from .models import User, db

#: Compared for unknown users, so that the response time does not reveal who has an account.
DUMMY_HASH = generate_password_hash(secrets.token_hex(16))


def authenticate(email: str, password: str) -> User | None:
    """The user with this e-mail address and password; None if they do not match or the user may not sign in."""
    # PostgreSQL rejects strings with a NUL.
    query = select(User).filter_by(email=email.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    user = db.session.scalar(query)
    matches = check_password_hash(user.password_hash if user else DUMMY_HASH, password)
    return user if user and matches and user.may_sign_in else None
