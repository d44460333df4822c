"""A database that does not answer is told of once, and a crowd that waits for it leaves threads to others."""

import logging
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, InternalError, OperationalError, close_old_connections, connection, transaction
from rest_framework.test import APIClient as Client

from folio import outages
from folio.outages import Crowd, Incidents, Outage, OutcomeUnknown, is_away, outage
from folio.portfolios.views import TagViewSet


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_outage_is_told_when_it_begins_and_when_it_ends(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(clock)
    steps: list[str] = []
    outage.first_steps.append(lambda: steps.append("cut"))
    outage.answered()
    for _ in range(60):
        outage.failed("connection refused\n\tIs the server running?")
        clock.now += 1
    outage.answered()
    outage.answered()

    began, ended = [record.getMessage() for record in caplog.records]
    assert began.endswith("gets a 503 until it does. connection refused Is the server running?")
    assert ended.startswith("The database answers again, after 60.0 seconds.")
    assert steps == ["cut"]


def test_meanwhile_whoever_asks_is_refused_at_once(db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    outage = Outage(clock)
    monkeypatch.setattr(outages, "outage", outage)
    outage.failed("gone")
    for _ in range(2):
        with pytest.raises(OperationalError, match="The database does not answer: gone"), connection.cursor():
            pass
    clock.now += 10  # a look is tried again meanwhile, and only that
    assert not outage.is_known
    with pytest.raises(OperationalError), connection.cursor():
        pass

    outage.answered()

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_one_that_nobody_looks_at_does_not_last(db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    outage = Outage(clock)
    monkeypatch.setattr(outages, "outage", outage)
    outage.failed("gone")
    clock.now += 60

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def record_of(error: Exception, name: str = "django.request") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, "failed", (), (type(error), error, None))


def test_failures_of_one_kind_are_told_once_a_minute(clock: Clock) -> None:
    incidents = Incidents(clock, Outage(clock))

    shown = [incidents.filter(record_of(OperationalError("database is locked"))) for _ in range(50)]
    other = incidents.filter(record_of(InterfaceError("gone")))
    clock.now += 60
    last = record_of(OperationalError("database is locked"))

    assert shown == [True] + [False] * 49
    assert other
    assert incidents.filter(last)
    assert last.left_out == 49  # type: ignore[attr-defined]
    assert all(incidents.filter(record_of(ValueError("inside"))) for _ in range(3)), "what is no matter of the database"


def test_what_fails_in_an_outage_is_not_told(clock: Clock) -> None:
    outage = Outage(clock)
    incidents = Incidents(clock, outage)
    outage.failed("gone")

    assert not incidents.filter(record_of(OperationalError("gone")))
    assert incidents.filter(record_of(ValueError("inside")))
    outage.answered()
    assert incidents.filter(record_of(OperationalError("gone")))


def test_a_server_that_takes_no_writes_is_away_too() -> None:
    def raised(sqlstate: str) -> InternalError:
        error = InternalError("cannot execute UPDATE in a read-only transaction")
        error.__cause__ = type("Cause", (Exception,), {"sqlstate": sqlstate})()
        return error

    assert is_away(raised("25006"))
    assert not is_away(raised("25P02"))


def test_a_crowd_is_bound_where_requests_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "IMPATIENCE", 0.01)
    crowd = Crowd()
    with crowd.place(), crowd.place():
        pass
    crowd.bound(1)
    with crowd.place(), pytest.raises(KeyError), crowd.place(KeyError):
        pass
    with crowd.place():
        pass


def test_a_full_crowd_refuses_who_would_write(settings: Any, transactional_db: None, monkeypatch: Any) -> None:
    """On both databases; whoever is in the middle may end."""
    from folio.postgresql import timeouts

    monkeypatch.setattr(outages, "IMPATIENCE", 0.01)
    monkeypatch.setattr(timeouts, "is_serving", True)
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        pytest.skip("A database in memory has no turns.")
    crowd = outages.crowd
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            crowd.bound(1)
            crowd.places.acquire()  # type: ignore[union-attr]
        with pytest.raises(OperationalError, match="Too many requests wait"), transaction.atomic():
            connection.cursor().execute("SELECT 1")
    finally:
        crowd.places = None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="A file's connection doesn't break.")
def test_what_broke_while_it_was_committed_may_have_been_saved(transactional_db: None) -> None:
    parameters = connection.get_connection_params()

    def change() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
            with psycopg.connect(**{name: parameters[name] for name in ("dbname", "host", "port", "user")}) as other:
                other.execute("SELECT pg_terminate_backend(%s, 10000)", [backend])

    with pytest.raises(OutcomeUnknown):
        change()
    connection.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="A file has no such settings.")
@pytest.mark.parametrize(("is_serving", "jit", "bound"), [(True, "off", "20s"), (False, "on", "0")])
def test_what_a_connection_is_given_where_requests_are_served(
    is_serving: bool, jit: str, bound: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from folio.postgresql import timeouts

    monkeypatch.setattr(timeouts, "is_serving", is_serving)
    try:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('jit'), current_setting('statement_timeout')")
            assert cursor.fetchone() == (jit, bound)
    finally:
        connection.close()


def test_whoever_changed_something_then_is_told_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **named: Any) -> None:
        raise OutcomeUnknown("gone")

    monkeypatch.setattr(TagViewSet, "create", fail)

    answer = client.post("/api/tags/", {"name": "x"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "Whether it was is not known" in answer.json()["detail"]
    assert "Nothing was changed" not in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_there_is_looked_at_without_a_failure() -> None:
    """Django does so around each request, outside of all that would answer an error."""
    connection.ensure_connection()
    outage.failed("It is gone.")
    try:
        close_old_connections()
        with pytest.raises(OperationalError, match="It is gone"):
            connection.cursor()
    finally:
        outage.answered()
