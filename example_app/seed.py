"""Creates the tables, and the users, companies and tasks of the demo."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from sqlalchemy import inspect, select
from sqlalchemy.exc import DBAPIError
from werkzeug.security import generate_password_hash

from flask_activepieces.errors import SetupError

from .models import Company, Membership, Task, User, db

DEMO_PASSWORD = "demo"  # noqa: S105  # public: the home page shows it
#: Enough for ten workers that start together, or a database that starts a little later.
ATTEMPTS = 30


@dataclass(frozen=True)
class DemoUser:
    """A login of the demo; the first company is the user's default."""

    email: str
    name: str
    companies: tuple[str, ...]
    is_admin: bool

    @property
    def summary(self) -> str:
        """The name, role and companies."""
        role = "admin" if self.is_admin else "member"
        companies = " and ".join(COMPANIES[company_id] for company_id in self.companies)
        return f"{self.name}, {role} of {companies}"


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


class IncompatibleTables(SetupError):
    """The database has tables of another version of the app, which `create_all` does not change."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"The database has tables of another version of the app: {table} has no column {column}.")


def prepare_database() -> None:
    """Create missing tables and demo data; `IncompatibleTables` if existing tables lack a column.

    Workers that start together on an empty database fail on each other's tables, rows and locks. A later attempt
    succeeds, hence the loop.
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
    """Raise `IncompatibleTables` if a column is missing. Additional columns do no harm."""
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        existing = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in existing:
                raise IncompatibleTables(table.name, column.name)


def add_demo_data() -> None:
    """Add companies, users and tasks in one transaction, unless there are companies already."""
    if db.session.scalar(select(Company.id).limit(1)) is not None:
        db.session.rollback()
        return
    db.session.add_all(Company(id=company_id, name=name) for company_id, name in COMPANIES.items())
    db.session.flush()
    users = [build_user(demo_user) for demo_user in DEMO_USERS]
    db.session.add_all(users)
    for company_id, titles in TASKS.items():
        creator = next(user for user in users if user.membership_in(company_id))
        for title in titles:
            db.session.add(Task(company_id=company_id, title=title, creator=creator))
    db.session.commit()


def build_user(demo_user: DemoUser) -> User:
    """The user with their memberships."""
    return User(
        email=demo_user.email,
        name=demo_user.name,
        # A public password does not need a slow hash. Omit `method` for real ones.
        password_hash=generate_password_hash(DEMO_PASSWORD, method="pbkdf2:sha256:1000"),
        memberships=[
            Membership(company_id=company_id, is_admin=demo_user.is_admin) for company_id in demo_user.companies
        ],
    )
