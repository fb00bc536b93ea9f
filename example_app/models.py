"""The tables of Tasklane: users, companies, memberships and tasks."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TITLE_LENGTH = 200
#: The default of a MySQL or MariaDB server may be Latin-1.
UTF8 = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}


class Base(DeclarativeBase):
    """The base class of all models."""

    __table_args__: Any = UTF8


db = SQLAlchemy(model_class=Base)


class Company(Base):
    """A customer of Tasklane, and a tenant for flask-activepieces. Companies share no data."""

    __tablename__ = "company"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login has no types
    """A person with a login."""

    __tablename__ = "user_account"  # "user" is a reserved word in PostgreSQL

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    memberships: Mapped[list[Membership]] = relationship(order_by="Membership.id")

    @property
    def may_sign_in(self) -> bool:
        """Whether the user is active and belongs to a company."""
        return self.is_active and bool(self.memberships)

    @property
    def is_admin(self) -> bool:
        """Whether the user is an admin of their default company."""
        return self.memberships[0].is_admin

    def membership_in(self, company_id: str) -> Membership | None:
        """The user's membership in that company; None if they do not belong to it."""
        return next((each for each in self.memberships if each.company_id == company_id), None)


class Membership(Base):
    """A user in a company. A user's first membership names their default company."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "company_id"), UTF8)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    company_id: Mapped[str] = mapped_column(ForeignKey(Company.id))
    is_admin: Mapped[bool] = mapped_column(default=False)
    company: Mapped[Company] = relationship(lazy="joined")


class Task(Base):
    """A task, visible to everyone in the company."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey(Company.id), index=True)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    done: Mapped[bool] = mapped_column(default=False)
    # As epoch seconds, because SQLite and MySQL drop the time zone of a DATETIME.
    created_epoch: Mapped[int] = mapped_column(default=lambda: int(time.time()))
    creator_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    creator: Mapped[User | None] = relationship(lazy="joined")

    @property
    def created_at(self) -> datetime:
        """When the task was created, in UTC."""
        return datetime.fromtimestamp(self.created_epoch, timezone.utc)
