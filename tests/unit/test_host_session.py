"""The host's own database session: let go when it has only read, and left alone when there is anything to lose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flask_activepieces.errors import Unavailable
from flask_activepieces.host.interface import Host, Permission, Principal, Workspace
from flask_activepieces.storage.host_session import ConsiderateHost, HostSession

ALICE = Principal("alice", "acme", "Alice")


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@pytest.fixture
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLAlchemy]:
    """A database with one thing in it, inside an app context."""
    app = Flask(__name__)
    file = tmp_path_factory.mktemp("host") / "host.sqlite"
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{file}"
    db = SQLAlchemy(app, metadata=Base.metadata)
    with app.app_context():
        db.create_all()
        db.session.add(Thing(id=1, name="first"))
        db.session.commit()
        yield db
        db.session.remove()
        db.engine.dispose()


class Asking(Host):
    """Looks into its database before each answer."""

    def __init__(self, db: SQLAlchemy) -> None:
        self._db = db

    def __getattribute__(self, name: str) -> object:
        if not name.startswith("_"):
            self._db.session.get_one(Thing, 1)
        return super().__getattribute__(name)

    def current_principal(self) -> Principal | None:
        return ALICE

    def load_principal(self, user_id: str, tenant_id: str) -> Principal | None:
        return Principal(user_id, tenant_id, "Alice")

    def allows(self, principal: Principal, permission: Permission) -> bool:
        return principal == ALICE

    def login_url(self, next_url: str) -> str:
        return f"/login{next_url}"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        return [Workspace(principal.tenant_id, "Acme")]

    def version(self) -> str | None:
        return "2.1"

    def may_see_mcp_token(self, principal: Principal) -> bool:
        return True

    def reconnect_url(self, integration_id: str, connection_id: str) -> str | None:
        return f"https://app.example.com/{integration_id}/{connection_id}"


@pytest.fixture
def let_go(db: SQLAlchemy) -> Callable[[], None]:
    return HostSession(db.session, [db.engine]).let_go


def held(db: SQLAlchemy) -> int:
    """How many connections of the pool are in use."""
    count: int = db.engine.pool.checkedout()  # type: ignore[attr-defined]  # QueuePool has it
    return count


def test_a_look_up_holds_no_connection_any_more(db: SQLAlchemy, let_go: Callable[[], None]) -> None:
    thing = db.session.get_one(Thing, 1)
    before = held(db)

    let_go()

    assert (before, held(db)) == (1, 0)
    assert thing.name == "first"  # read again


def test_a_session_that_nobody_used_is_not_made(db: SQLAlchemy, let_go: Callable[[], None]) -> None:
    db.session.remove()

    let_go()

    assert not db.session.registry.has()


def add(db: SQLAlchemy) -> None:
    db.session.add(Thing(id=2, name="second"))


def flush(db: SQLAlchemy) -> None:
    add(db)
    db.session.flush()


def change(db: SQLAlchemy) -> None:
    db.session.get_one(Thing, 1).name = "changed"


def delete(db: SQLAlchemy) -> None:
    db.session.delete(db.session.get_one(Thing, 1))


def by_statement(db: SQLAlchemy) -> None:
    db.session.execute(insert(Thing).values(id=2, name="second"))


def by_text(db: SQLAlchemy) -> None:
    db.session.execute(text("UPDATE things SET name = 'changed'"))


def by_bulk_insert(db: SQLAlchemy) -> None:
    db.session.bulk_insert_mappings(inspect(Thing), [{"id": 2, "name": "second"}])


def by_bulk_save(db: SQLAlchemy) -> None:
    db.session.bulk_save_objects([Thing(id=2, name="second")])


def by_bulk_update(db: SQLAlchemy) -> None:
    db.session.bulk_update_mappings(inspect(Thing), [{"id": 1, "name": "changed"}])


def by_connection(db: SQLAlchemy) -> None:
    db.session.connection().execute(insert(Thing).values(id=2, name="second"))


def by_driver(db: SQLAlchemy) -> None:
    db.session.connection().exec_driver_sql("UPDATE things SET name = 'changed'")


def before_a_savepoint(db: SQLAlchemy) -> None:
    by_connection(db)
    with db.session.begin_nested():
        db.session.get_one(Thing, 1)


def in_a_savepoint(db: SQLAlchemy) -> None:
    db.session.begin_nested()
    db.session.get_one(Thing, 1)


WRITES = [
    add,
    flush,
    change,
    delete,
    by_statement,
    by_text,
    by_bulk_insert,
    by_bulk_save,
    by_bulk_update,
    by_connection,
    by_driver,
    before_a_savepoint,
    in_a_savepoint,
]


@pytest.mark.parametrize("work", WRITES)
def test_what_the_host_has_not_committed_stays_the_hosts_to_commit(
    db: SQLAlchemy, let_go: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    db.session.scalars(select(Thing)).all()
    work(db)

    let_go()
    db.session.rollback()

    assert [thing.name for thing in db.session.scalars(select(Thing))] == ["first"]


@pytest.mark.parametrize("work", [flush, by_text, by_bulk_save, by_connection, by_driver])
def test_what_was_committed_is_not_remembered(
    db: SQLAlchemy, let_go: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    work(db)
    db.session.commit()
    db.session.get_one(Thing, 1)

    let_go()

    assert held(db) == 0


@pytest.mark.parametrize(
    "look_up",
    [
        lambda db: db.session.execute(select(Thing).union_all(select(Thing))).all(),
        lambda db: db.session.query(Thing).count(),
        lambda db: db.session.connection().execute(select(Thing)).all(),
    ],
)
def test_whatever_only_selects_holds_no_connection(
    db: SQLAlchemy, let_go: Callable[[], None], look_up: Callable[[SQLAlchemy], object]
) -> None:
    look_up(db)

    let_go()

    assert held(db) == 0


QUESTIONS: dict[str, tuple[Callable[[Host], object], object]] = {
    "current_principal": (lambda host: host.current_principal(), ALICE),
    "load_principal": (lambda host: host.load_principal("alice", "acme"), ALICE),
    "allows": (lambda host: host.allows(ALICE, "view"), True),
    "login_url": (lambda host: host.login_url("/x"), "/login/x"),
    "workspaces": (lambda host: host.workspaces(ALICE), [Workspace("acme", "Acme")]),
    "version": (lambda host: host.version(), "2.1"),
    "may_see_mcp_token": (lambda host: host.may_see_mcp_token(ALICE), True),
    "reconnect_url": (lambda host: host.reconnect_url("i", "c"), "https://app.example.com/i/c"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_host_answers_as_before_and_holds_nothing(db: SQLAlchemy, question: str) -> None:
    ask, answer = QUESTIONS[question]
    host = ConsiderateHost(Asking(db), HostSession(db.session, [db.engine]))

    assert ask(host) == answer
    assert held(db) == 0


def test_every_question_has_its_test() -> None:
    asked = {name for name in vars(Host) if not name.startswith("_")}

    assert asked == set(QUESTIONS)


def test_outside_of_any_request_there_is_nothing_to_let_go() -> None:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"

    HostSession(SQLAlchemy(app, metadata=Base.metadata).session, []).let_go()


def test_a_database_that_went_away_is_said_to_be_away(
    db: SQLAlchemy, let_go: Callable[[], None]
) -> None:
    db.session.get_one(Thing, 1)
    db.session.connection().connection.driver_connection.close()  # type: ignore[union-attr]

    with pytest.raises(Unavailable):
        let_go()
