"""The tables, and the people and tasks of the demo."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError
from werkzeug.security import generate_password_hash

from flask_activepieces.errors import SetupError

from .models import Company, Membership, Task, User, db

DEMO_PASSWORD = "demo"  # noqa: S105  # everybody may know it: it stands on the home page
#: Enough for ten workers that start at once, or a database that starts a little later.
ATTEMPTS = 30


@dataclass(frozen=True)
class DemoUser:
    """A login of the demo; the first company is where the user works by default."""

    email: str
    name: str
    companies: tuple[str, ...]
    is_admin: bool

    @property
    def summary(self) -> str:
        """Who this is, in a few words."""
        role = "admin" if self.is_admin else "member"
        return f"{self.name}, {role} of {' and '.join(COMPANIES[one] for one in self.companies)}"


COMPANIES = {"acme": "Acme", "acme-labs": "Acme Labs", "globex": "Globex"}
DEMO_USERS = (
    DemoUser("admin@acme.test", "Ada Acker", ("acme", "acme-labs"), is_admin=True),
    DemoUser("member@acme.test", "Milo Meyer", ("acme",), is_admin=False),
    DemoUser("admin@globex.test", "Gwen Globe", ("globex",), is_admin=True),
)
TASKS = {
    "acme": ("Order new anvils", "Answer the road runner's complaint", "Book the spring fair"),
    "acme-labs": ("Write down what the rocket skates did",),
    "globex": ("Water the office plants", "Plan the move to the coast"),
}


class OtherTables(SetupError):
    """Raised when a database has tables of another version of the app, which `create_all` leaves as they are."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(
            "The tables of the database were made by another version of the app:"
            f" {table} has no column {column}."
        )


def prepare_database() -> None:
    """Make the tables and the demo data where they are missing; `OtherTables` if they are not those of this app.

    Workers that start together on an empty database get in each other's way: a table that another
    one has just made, a user that is there already, a lock. All of that is over a moment later,
    hence one loop for all.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            db.create_all()
            check_columns()
            add_demo_data()
        except DBAPIError:
            db.session.rollback()
            if attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0.1, 1.0))  # noqa: S311  # jitter, not a secret
        else:
            return


def check_columns() -> None:
    """See that no column is missing; one too many does no harm."""
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                raise OtherTables(table.name, column.name)


def add_demo_data() -> None:
    """Add companies, users and tasks in one transaction, unless a company is there already."""
    if db.session.scalar(select(Company.id).limit(1)) is not None:
        db.session.rollback()
        return
    db.session.add_all(Company(id=key, name=name) for key, name in COMPANIES.items())
    db.session.flush()
    users = [user_with_memberships(demo) for demo in DEMO_USERS]
    db.session.add_all(users)
    for company_id, titles in TASKS.items():
        creator = next(user for user in users if user.membership_in(company_id))
        for title in titles:
            db.session.add(Task(company_id=company_id, title=title, creator=creator))
    db.session.commit()


def user_with_memberships(demo: DemoUser) -> User:
    """The user, not stored yet."""
    return User(
        email=demo.email,
        name=demo.name,
        # A password that everybody knows needs no slow hash. Leave `method` out for real ones.
        password_hash=generate_password_hash(DEMO_PASSWORD, method="pbkdf2:sha256:1000"),
        memberships=[Membership(company_id=one, is_admin=demo.is_admin) for one in demo.companies],
    )
