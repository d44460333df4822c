"""`pg_current_snapshot()`: it moves with every commit on the server; on a standby, the position of the replay does."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from environ import Env

from folio.postgresql import servers
from folio.snapshots import watches
from folio.snapshots.looks import Looks
from folio.snapshots.notes import ServerNote
from folio.snapshots.watches import PostgreSQLWatch, Version
from tests.postgresql import Server, find_binaries, temporary_server
from tests.tcp import Proxy, proxy_to

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
        with suppress(AttributeError):  # it was never asked for
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


def test_where_the_connection_was_ended_the_look_makes_a_new_one_of_a_new_generation(
    watch: PostgreSQLWatch, other: psycopg.Connection
) -> None:
    before = seen(watch)
    terminate(watch, other)

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


# A server that does not answer, and another one behind the same address


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxy_to(server.port) as proxy:
        yield proxy


@pytest.fixture
def other_server() -> Iterator[Server]:
    binaries = find_binaries()
    assert binaries is not None
    with temporary_server(binaries) as other:
        yield other


def watch_by(proxy: Proxy, server: Server, watch_at: Any, note: ServerNote | None = None) -> PostgreSQLWatch:
    watch: PostgreSQLWatch = watch_at(SimpleNamespace(url=proxy.url(server.url)))
    watch.note = note
    return watch


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_a_look_may_take(
    server: Server, proxy: Proxy, watch_at: Any, settings: Any
) -> None:
    settings.LOOK_SECONDS = 0.2
    watch = watch_by(proxy, server, watch_at)
    before = seen(watch)
    proxy.swallow()
    began = time.monotonic()

    assert watch.look() is None

    assert time.monotonic() - began < PATIENCE / 2
    assert watch.reason == "There was no answer within 0.2 seconds."
    proxy.swallow(False)
    settings.LOOK_SECONDS = PATIENCE
    assert seen(watch)[0] > before[0], "another connection's version"


def test_another_server_behind_the_address_is_another_generation(
    server: Server, other_server: Server, proxy: Proxy, watch_at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = watch_by(proxy, server, watch_at, ServerNote(tmp_path / "note"))
    two = watch_by(proxy, server, watch_at, ServerNote(tmp_path / "note"))
    assert seen(one)[0] == seen(one)[0] == seen(two)[0] == seen(one)[0] == 1
    looks = Looks(one)
    before = looks.snapshot()
    proxy.switch(other_server.port)
    assert seen(one)[0] == seen(two)[0] == 1, "which their connections can't tell"
    assert looks.snapshot() == before

    with psycopg.connect(proxy.url(server.url)) as connection:
        monkeypatch.setattr(servers, "meetings", [looks.meet])
        servers.meet(connection, PATIENCE)

    assert seen(one)[0] == seen(two)[0] == 2, "which the other one has read"
    assert one.server == two.server == (tmp_path / "note").read_text()
    assert looks.snapshot() != before
    with psycopg.connect(server.url) as old, pytest.raises(OperationalError, match="more than one server"):
        servers.meet(old, PATIENCE)


def test_where_the_address_leads_is_looked_at_though_nobody_connects(
    server: Server, other_server: Server, proxy: Proxy, watch_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "ADDRESS_SECONDS", 0)
    watch = watch_by(proxy, server, watch_at)
    for _ in range(3):
        assert seen(watch)[0] == 1
        if watch.checking is not None:
            watch.checking.join(PATIENCE)
            assert not watch.checking.is_alive()
    proxy.switch(other_server.port)

    end = time.monotonic() + PATIENCE
    while seen(watch)[0] == 1:
        assert time.monotonic() < end
    assert seen(watch)[0] == 2


def test_tells_the_timeline(watch: PostgreSQLWatch) -> None:
    assert seen(watch)[1].startswith(b"00000001 ")


def test_a_note_that_can_not_be_written_is_no_failure(watch: PostgreSQLWatch, tmp_path: Path) -> None:
    watch.note = ServerNote(tmp_path / "missing" / "note")

    assert seen(watch) == seen(watch)
