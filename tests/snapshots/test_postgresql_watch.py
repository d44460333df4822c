"""`pg_current_snapshot()`: it moves with every commit on the server; on a standby, the position of the replay does."""

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connections
from environ import Env

from folio.snapshots.watches import PostgreSQLWatch, Version
from tests.postgresql import Server, find_binaries, temporary_server

pytestmark = pytest.mark.database_free

PATIENCE = 20  # seconds


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of this file's own: on a shared one, the versions would move with what others do."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed.")
    with temporary_server(binaries) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE counter (value integer)")
            connection.execute("INSERT INTO counter VALUES (0)")
        yield server


@pytest.fixture
def watch_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Server], PostgreSQLWatch]]:
    """Return a function that watches a server until the test ends."""
    watches: list[PostgreSQLWatch] = []

    def watch_at(server: Server) -> PostgreSQLWatch:
        alias = f"watched{len(watches)}"
        settings = {"default": {}, alias: Env.db_url_config(server.url)}
        known = connections.configure_settings(settings)
        monkeypatch.setitem(connections.settings, alias, known[alias])
        watches.append(PostgreSQLWatch(alias))
        return watches[-1]

    yield watch_at
    for watch in watches:
        watch.close()
        del connections[watch.alias]


@pytest.fixture
def watch(server: Server, watch_at: Callable[[Server], PostgreSQLWatch]) -> PostgreSQLWatch:
    return watch_at(server)


@pytest.fixture
def other(server: Server) -> Iterator[psycopg.Connection]:
    """Another connection to the server, on which each statement is committed."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        yield connection


def increment(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE counter SET value = value + 1")


def seen(watch: PostgreSQLWatch) -> Version:
    version = watch.look()
    assert version is not None
    return version


def terminate(watch: PostgreSQLWatch, other: psycopg.Connection) -> None:
    """End the watch's connection as an administrator would, and wait until it is gone."""
    backend = watch.connection.info.backend_pid
    other.execute("SELECT pg_terminate_backend(%s, 10000)", [backend])


def test_moves_with_each_commit(watch: PostgreSQLWatch, other: psycopg.Connection) -> None:
    versions = [seen(watch)]
    for _ in range(20):
        increment(other)
        versions.append(seen(watch))

    assert len(set(versions)) == 21


def test_moves_with_a_commit_in_another_database_of_the_server(
    watch: PostgreSQLWatch, server: Server, other: psycopg.Connection
) -> None:
    other.execute("CREATE DATABASE neighbour")
    before = watch.look()

    with psycopg.connect(server.url, dbname="neighbour", autocommit=True) as neighbour:
        neighbour.execute("CREATE TABLE anything ()")

    assert watch.look() != before


def test_stays_while_others_read(watch: PostgreSQLWatch, other: psycopg.Connection) -> None:
    before = watch.look()

    with other.transaction():
        other.execute("SELECT value FROM counter").fetchall()
        assert watch.look() == before

    assert watch.look() == watch.look() == before


def test_moves_when_an_open_transaction_is_committed_and_not_before(
    watch: PostgreSQLWatch, other: psycopg.Connection
) -> None:
    before = watch.look()
    with other.transaction():
        increment(other)
        during = watch.look()

    assert during == before
    assert watch.look() != before


def test_moves_with_each_of_several_transactions_that_overlap(watch: PostgreSQLWatch, server: Server) -> None:
    """Committed in any order: the version lists the transactions that are still open, not only the newest."""
    writers = [psycopg.connect(server.url) for _ in range(4)]
    for writer in writers:
        writer.execute("SELECT pg_current_xact_id()")
    versions = [seen(watch)]
    for place in (2, 0, 3, 1):
        writers[place].commit()
        versions.append(seen(watch))
        writers[place].close()

    assert len(set(versions)) == 5


def test_what_was_rolled_back_moves_it_to_a_new_version_at_the_most(
    watch: PostgreSQLWatch, other: psycopg.Connection
) -> None:
    before = watch.look()
    with other.transaction(force_rollback=True):
        increment(other)
        assert watch.look() == before
    after = watch.look()

    increment(other)

    assert watch.look() not in {before, after}


def test_a_look_leaves_no_transaction_open(watch: PostgreSQLWatch, other: psycopg.Connection) -> None:
    watch.look()

    state = "SELECT state, backend_xmin FROM pg_stat_activity WHERE pid = %s"
    assert other.execute(state, [watch.connection.info.backend_pid]).fetchone() == ("idle", None)


def test_a_connection_that_was_ended_can_not_tell_and_a_new_one_is_a_new_generation(
    watch: PostgreSQLWatch, other: psycopg.Connection
) -> None:
    before = seen(watch)
    terminate(watch, other)

    assert watch.look() is None
    after = seen(watch)

    assert after[0] > before[0]
    assert after[1] == before[1], "nothing was committed, and yet the two must differ"


def test_a_restarted_server_is_a_new_generation(server: Server, watch_at: Callable[[Server], PostgreSQLWatch]) -> None:
    watch = watch_at(server)
    before = seen(watch)

    server.stop("fast")
    assert watch.look() is None
    assert watch.look() is None
    server.start()

    assert seen(watch)[0] > before[0]


def test_a_standby_is_watched_by_the_position_of_its_replay(
    server: Server, other: psycopg.Connection, watch_at: Callable[[Server], PostgreSQLWatch]
) -> None:
    with temporary_server(server.binaries, primary=server) as standby:
        watch = watch_at(standby)
        versions = [seen(watch)]
        with psycopg.connect(standby.url, autocommit=True) as reader:
            for _ in range(10):
                increment(other)
                wait_for_replay(reader, other)
                versions.append(seen(watch))
            assert len(set(versions)) == 11

            standby.promote()
            versions.append(seen(watch))
            increment(reader)
            versions.append(seen(watch))

    assert len(set(versions)) == 13, "a standby that becomes the primary is watched on, as one"


def wait_for_replay(reader: psycopg.Connection, primary: psycopg.Connection) -> None:
    """Return once the standby has replayed all that the primary has committed."""
    written = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    assert written is not None
    deadline = time.monotonic() + PATIENCE
    while reader.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", written).fetchone() != (True,):
        assert time.monotonic() < deadline, "The standby did not follow."
        time.sleep(0.005)
