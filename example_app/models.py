"""The data of Tasklane: people, companies, who belongs to which, and tasks."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TITLE_LENGTH = 200
#: MySQL and MariaDB may have been set up for Latin letters only.
ALL_LETTERS = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}


class Base(DeclarativeBase):
    """The base of all models: `db` shares its metadata, and type checkers understand it."""

    __table_args__: Any = ALL_LETTERS


db = SQLAlchemy(model_class=Base)


class Company(Base):
    """A customer of Tasklane, and thereby a tenant: nothing is shared between companies."""

    __tablename__ = "company"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    """Somebody who can sign in."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    memberships: Mapped[list[Membership]] = relationship(order_by="Membership.id")

    @property
    def may_sign_in(self) -> bool:
        """Whether the user is not disabled and has a company to work in."""
        return self.is_active and bool(self.memberships)

    @property
    def is_admin(self) -> bool:
        """Whether the user runs the company that they work in by default."""
        return self.memberships[0].is_admin

    def membership_in(self, company_id: str) -> Membership | None:
        """The user's place in that company, if there is one."""
        return next((one for one in self.memberships if one.company_id == company_id), None)


class Membership(Base):
    """One user in one company; a user's first membership is where they work by default."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "company_id"), ALL_LETTERS)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    company_id: Mapped[str] = mapped_column(ForeignKey(Company.id))
    is_admin: Mapped[bool] = mapped_column(default=False)
    company: Mapped[Company] = relationship(lazy="joined")


class Task(Base):
    """One thing to do, seen by everybody in the company."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey(Company.id), index=True)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    done: Mapped[bool] = mapped_column(default=False)
    # Epoch seconds mean the same on every database; a DATETIME loses its zone on two of three.
    created_epoch: Mapped[int] = mapped_column(default=lambda: int(time.time()))
    creator_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    creator: Mapped[User | None] = relationship(lazy="joined")

    @property
    def created_at(self) -> datetime:
        """When the task was added."""
        return datetime.fromtimestamp(self.created_epoch, timezone.utc)
