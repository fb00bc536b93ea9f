"""The host's database session returns its connection when it has only read, and is left alone otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, event, insert, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flask_activepieces.errors import Unavailable
from flask_activepieces.storage.host_database import connection_release


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


@pytest.fixture
def release(db: SQLAlchemy) -> Callable[[], None]:
    return connection_release(db.session, [db.engine])


def held(db: SQLAlchemy) -> int:
    """How many connections of the pool are in use."""
    count: int = db.engine.pool.checkedout()  # type: ignore[attr-defined]  # QueuePool has it
    return count


def test_a_look_up_holds_no_connection_any_more(db: SQLAlchemy, release: Callable[[], None]) -> None:
    thing = db.session.get_one(Thing, 1)
    before = held(db)

    release()

    assert (before, held(db)) == (1, 0)
    assert thing.name == "first"  # read again


def test_a_session_that_nobody_used_is_not_made(db: SQLAlchemy, release: Callable[[], None]) -> None:
    db.session.remove()

    release()

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


def in_a_with_clause(db: SQLAlchemy) -> None:
    new = insert(Thing).values(id=2, name="second").returning(Thing.id).cte()
    db.session.execute(select(new))


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
    db: SQLAlchemy, release: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    db.session.scalars(select(Thing)).all()
    work(db)

    release()
    db.session.rollback()

    assert [thing.name for thing in db.session.scalars(select(Thing))] == ["first"]


@pytest.mark.parametrize("work", [flush, by_text, by_bulk_save, by_connection, by_driver])
def test_what_was_committed_is_not_remembered(
    db: SQLAlchemy, release: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    work(db)
    db.session.commit()
    db.session.get_one(Thing, 1)

    release()

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
    db: SQLAlchemy, release: Callable[[], None], look_up: Callable[[SQLAlchemy], object]
) -> None:
    look_up(db)

    release()

    assert held(db) == 0


def test_outside_an_app_context_there_is_nothing_to_release() -> None:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"

    db = SQLAlchemy(app, metadata=Base.metadata)

    connection_release(db.session, [])()


def test_a_database_that_went_away_is_said_to_be_away(db: SQLAlchemy, release: Callable[[], None]) -> None:
    db.session.get_one(Thing, 1)
    db.session.connection().connection.driver_connection.close()  # type: ignore[union-attr]

    with pytest.raises(Unavailable):
        release()


def test_what_the_host_writes_when_a_transaction_begins_stays_the_hosts_to_commit(db: SQLAlchemy) -> None:
    """Also if the host's listener is older than ours."""

    @event.listens_for(db.session, "after_begin")
    def write(session: object, transaction: object, connection: Connection) -> None:
        connection.execute(insert(Thing).values(id=2, name="second"))

    release = connection_release(db.session, [db.engine])
    db.session.get_one(Thing, 1)

    release()
    db.session.rollback()

    event.remove(db.session, "after_begin", write)
    assert [thing.name for thing in db.session.scalars(select(Thing))] == ["first"]


def test_a_block_of_the_hosts_own_is_not_ended(db: SQLAlchemy, release: Callable[[], None]) -> None:
    """In ``with db.session.begin()``, SQLAlchemy rejects every statement after a commit."""
    with db.session.begin():
        db.session.get_one(Thing, 1)
        release()
        names = db.session.scalars(select(Thing.name)).all()

    assert names == ["first"]
