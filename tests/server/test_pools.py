"""The pool of a process that serves: bounded, emptied for another server, honest where there is no connection."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, connections, transaction
from django.test import RequestFactory

from folio.api.errors import exception_handler
from folio.postgresql import pools as module
from folio.postgresql import servers
from folio.postgresql.claims import PostgreSQLClaims
from folio.postgresql.migrating import alone
from folio.postgresql.pools import drain, give_back, pools
from folio.server import migrating
from tests.postgresql import free_port

is_postgresql = connection.vendor == "postgresql"
pytestmark = [
    pytest.mark.skipif(not is_postgresql, reason="It is about PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]
SIZE = 3


@pytest.fixture
def pooled(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pool this process's connections, as one does that serves."""
    connection.close()
    pools.close()  # that of a test which has loaded what the HTTP server calls
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", {"max_size": SIZE, "max_lifetime": 600})
    monkeypatch.setattr(module, "WAIT", 0.5)
    # What another test has watched another server for would have the pool emptied here.
    monkeypatch.setattr(servers, "meetings", [])
    pools.begin(SIZE)
    yield
    connection.close()
    pools.most = None
    pools.close()


def pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [found] = cursor.fetchone()
    return int(found)


def elsewhere(function: Any) -> Any:
    """Call a function in a thread of its own, which gives its connection back."""

    def call() -> Any:
        try:
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result(20)


@pytest.mark.usefixtures("pooled")
def test_a_connection_that_was_given_back_is_used_again_without_a_question() -> None:
    first = pid()
    connection.close()
    with connection.cursor() as cursor:
        assert cursor.connection is not None
    assert elsewhere(pid) != first  # it is this thread's
    connection.close()
    used = [elsewhere(pid) for _ in range(SIZE)]  # each is the one that was unused for longest
    assert first in used, pools.stats()


@pytest.mark.usefixtures("pooled")
def test_one_more_than_there_are_waits_and_is_refused() -> None:
    is_over = Event()
    held = [Event() for _ in range(SIZE)]

    def hold(has_it: Event) -> None:
        pid()
        has_it.set()
        is_over.wait(20)
        connection.close()

    threads = [Thread(target=hold, args=(has_it,)) for has_it in held]
    for thread in threads:
        thread.start()
    assert all(has_it.wait(20) for has_it in held)

    with pytest.raises(OperationalError) as refusal:
        pid()
    response = exception_handler(refusal.value, {"request": RequestFactory().get("/api/tags/")})
    assert response is not None
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")

    is_over.set()
    for thread in threads:
        thread.join(20)
    assert pid()


@pytest.mark.usefixtures("pooled")
def test_what_waits_for_something_else_gives_its_connection_back() -> None:
    pid()
    give_back()
    assert connection.connection is None

    with transaction.atomic():
        pid()
        give_back()
        assert connection.connection is not None


@pytest.mark.usefixtures("pooled")
def test_no_connection_of_before_is_used_after_it_was_drained() -> None:
    def first_three() -> set[int]:
        return {elsewhere(pid) for _ in range(SIZE)}

    before = first_three()
    mine = pid()
    drain()
    assert pid() == mine, "what was begun may be ended"
    connection.close()  # as at the end of a request

    after = {elsewhere(pid) for _ in range(2 * SIZE)}
    assert not after & (before | {mine})
    with connection.cursor() as cursor:
        for _ in range(50):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [[*before, mine]])
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.1)
    raise AssertionError("They are still open.")


@pytest.mark.usefixtures("pooled")
def test_a_connection_that_is_being_made_does_not_come_into_the_next_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is made while the address leads to the former server still."""
    made, may_go_on = Event(), Event()
    backend: Any = type(connections["default"])
    configure = backend._configure_connection
    found: list[int] = []

    def slow(self: Any, new: Any) -> Any:
        found.append(new.info.backend_pid)
        if len(found) == 1:
            made.set()
            assert may_go_on.wait(20)
        return configure(self, new)

    monkeypatch.setattr(backend, "_configure_connection", slow)
    monkeypatch.setattr(module, "WAIT", 20)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(pid)
        assert made.wait(20)
        drain()
        used = asked.result(20)  # of the pool that followed
        threads.submit(lambda: connection.close()).result(20)
    may_go_on.set()

    assert used != found[0]
    assert found[0] not in {elsewhere(pid) for _ in range(2 * SIZE)}


@pytest.mark.usefixtures("pooled")
def test_who_waits_is_told_at_once_why_there_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", str(free_port()))
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setattr(module, "WAIT", 20)
    started = time.monotonic()

    with pytest.raises(OperationalError, match="refused"):
        pid()

    assert time.monotonic() - started < 10
    monkeypatch.undo()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", {"max_size": SIZE, "max_lifetime": 600})
    assert pid(), "as soon as there is one"


@pytest.mark.usefixtures("pooled")
def test_a_child_leaves_its_parents_connections_alone() -> None:
    mine = pid()
    connection.close()
    child = os.fork()
    if child == 0:
        os._exit(len(pools.open))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert pid() == mine


def test_nothing_is_pooled_where_nothing_is_served() -> None:
    database: Any = connections["default"]
    assert database.pool is None
    first = pid()
    give_back()
    assert pid() == first


# Claims


def advisory_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        [found] = cursor.fetchone()
    return int(found)


def test_claims_are_freed_one_by_one_and_need_one_connection() -> None:
    claims, others = PostgreSQLClaims("default"), PostgreSQLClaims("default")

    assert claims.take(1)
    assert claims.take(2)
    assert not claims.take(1), "not even by the same process"
    assert not others.take(1)
    assert advisory_locks() == 2
    claims.free(1)
    assert others.take(1)
    assert not others.take(2)
    claims.free(2)
    others.free(1)
    assert advisory_locks() == 0


def test_a_claim_is_gone_with_its_connection_and_frees_no_one_elses() -> None:
    claims = PostgreSQLClaims("default")
    assert claims.take(1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [claims.connection.info.backend_pid])
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(claims.take, 2).result(20), "on a new connection"
        assert threads.submit(claims.take, 1).result(20)
        claims.free(1)  # this thread's, which was lost
        assert advisory_locks() == 2
        threads.submit(claims.free, 1).result(20)
        threads.submit(claims.free, 2).result(20)
    assert advisory_locks() == 0


# The turn to migrate


def test_a_second_server_waits_says_so_once_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("folio.turns.PAUSE", 0.05)

    with alone("default", said.append):
        with pytest.raises(Exception, match=r"Another server migrates this database.* since .*Nothing was done"):  # noqa: SIM117
            with alone("default", said.append, patience=0.3):
                raise AssertionError
        assert [line.partition(" since ")[0] for line in said] == [f"Another server migrates this database{where()}"]
        assert elsewhere_makes_an_index()

    with alone("default", said.append, patience=0):
        assert len(said) == 1
    assert advisory_locks() == 0


def where() -> str:
    host = django_settings.DATABASES["default"]["HOST"]
    return f" from {host}" if host else ""


def elsewhere_makes_an_index() -> bool:
    """Tell whether an index can be made concurrently meanwhile: it waits for whoever has a snapshot."""
    with psycopg.connect(**params(), autocommit=True) as other:
        other.execute("SET statement_timeout = 5000")
        other.execute("CREATE TABLE for_an_index (value integer)")
        other.execute("CREATE INDEX CONCURRENTLY for_an_index_value ON for_an_index (value)")
        other.execute("DROP TABLE for_an_index")
    return True


def params() -> dict[str, Any]:
    found = connections["default"].get_connection_params()
    return {name: found[name] for name in ("dbname", "user", "password", "host", "port") if found.get(name)}


def test_the_command_and_the_server_take_one_turn() -> None:
    with migrating.one_at_a_time(lambda line: None):
        assert migrating.Turn.is_mine
        with migrating.one_at_a_time(lambda line: None):  # as `folio serve` calls `migrate`
            assert advisory_locks() == 1
    assert not migrating.Turn.is_mine
