"""The host's session returns its database connection if it has only read; otherwise it stays unchanged."""

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


def connections_in_use(db: SQLAlchemy) -> int:
    """The number of connections in use."""
    count: int = db.engine.pool.checkedout()  # type: ignore[attr-defined]  # QueuePool has it
    return count


def test_a_session_that_has_only_read_returns_its_connection(db: SQLAlchemy, release: Callable[[], None]) -> None:
    thing = db.session.get_one(Thing, 1)
    before = connections_in_use(db)

    release()

    assert (before, connections_in_use(db)) == (1, 0)
    assert thing.name == "first"  # reloaded


def test_an_unused_session_is_not_created(db: SQLAlchemy, release: Callable[[], None]) -> None:
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
def test_uncommitted_changes_of_the_host_are_not_committed(
    db: SQLAlchemy, release: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    db.session.scalars(select(Thing)).all()
    work(db)

    release()
    db.session.rollback()

    assert [thing.name for thing in db.session.scalars(select(Thing))] == ["first"]


@pytest.mark.parametrize("work", [flush, by_text, by_bulk_save, by_connection, by_driver])
def test_after_a_commit_of_the_host_the_session_counts_as_unchanged(
    db: SQLAlchemy, release: Callable[[], None], work: Callable[[SQLAlchemy], None]
) -> None:
    work(db)
    db.session.commit()
    db.session.get_one(Thing, 1)

    release()

    assert connections_in_use(db) == 0


@pytest.mark.parametrize(
    "look_up",
    [
        lambda db: db.session.execute(select(Thing).union_all(select(Thing))).all(),
        lambda db: db.session.query(Thing).count(),
        lambda db: db.session.connection().execute(select(Thing)).all(),
    ],
)
def test_after_reads_of_any_kind_the_connection_is_returned(
    db: SQLAlchemy, release: Callable[[], None], look_up: Callable[[SQLAlchemy], object]
) -> None:
    look_up(db)

    release()

    assert connections_in_use(db) == 0


def test_outside_an_app_context_there_is_nothing_to_release() -> None:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"

    db = SQLAlchemy(app, metadata=Base.metadata)

    connection_release(db.session, [])()


def test_an_unreachable_database_is_reported_as_unavailable(db: SQLAlchemy, release: Callable[[], None]) -> None:
    db.session.get_one(Thing, 1)
    db.session.connection().connection.driver_connection.close()  # type: ignore[union-attr]

    with pytest.raises(Unavailable):
        release()


def test_writes_by_a_listener_of_the_host_are_not_committed(db: SQLAlchemy) -> None:
    """Even if the host's listener was registered before ours."""

    @event.listens_for(db.session, "after_begin")
    def write(session: object, transaction: object, connection: Connection) -> None:
        connection.execute(insert(Thing).values(id=2, name="second"))

    release = connection_release(db.session, [db.engine])
    db.session.get_one(Thing, 1)

    release()
    db.session.rollback()

    event.remove(db.session, "after_begin", write)
    assert [thing.name for thing in db.session.scalars(select(Thing))] == ["first"]


def test_a_transaction_that_the_host_began_is_not_ended(db: SQLAlchemy, release: Callable[[], None]) -> None:
    """In ``with db.session.begin()``, SQLAlchemy rejects every statement after a commit."""
    with db.session.begin():
        db.session.get_one(Thing, 1)
        release()
        names = db.session.scalars(select(Thing.name)).all()

    assert names == ["first"]
