"""Those who write to SQLite take turns, in the order in which they came."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper as Backend
from pytest_django import DjangoDbBlocker

from folio.sqlite.base import LOOK_AGAIN, Turns, turns

ALIAS = "turns"
PATIENCE = 20  # seconds


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """A database of its own, by Folio's backend."""
    path = tmp_path / "turns.sqlite3"
    options = {"timeout": 1, "transaction_mode": "IMMEDIATE"}
    settings = {"ENGINE": "folio.sqlite", "NAME": str(path), "OPTIONS": options}
    known = connections.configure_settings({"default": {}, ALIAS: settings})
    monkeypatch.setitem(connections.settings, ALIAS, known[ALIAS])
    with django_db_blocker.unblock():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("CREATE TABLE entries (name text)")
        yield path
        connections[ALIAS].close()
        del connections[ALIAS]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def write(name: str) -> None:
    """Insert a row in a transaction, by the calling thread's own connection."""
    try:
        with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
            cursor.execute("INSERT INTO entries VALUES (%s)", [name])
    finally:
        connections[ALIAS].close()


def entries() -> list[str]:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT name FROM entries ORDER BY rowid")
        return [name for (name,) in cursor.fetchall()]


def test_gives_the_turn_in_the_order_in_which_it_was_asked_for() -> None:
    turn, order = Turns(), []
    assert turn.take(0)

    def wait(name: int) -> None:
        assert turn.take(PATIENCE)
        order.append(name)
        turn.give()

    threads = []
    for name in range(8):
        threads.append(threading.Thread(target=wait, args=[name]))
        threads[-1].start()
        until(lambda name=name: len(turn.waiting) == name + 1)  # type: ignore[misc]
    turn.give()
    for thread in threads:
        thread.join(PATIENCE)

    assert order == list(range(8))
    assert not turn.is_taken


def test_passes_over_those_who_no_longer_wait() -> None:
    turn = Turns()
    assert turn.take(0)
    assert not turn.take(0.001)

    turn.give()

    assert not turn.is_taken
    assert turn.take(0)


def test_writers_of_one_process_write_in_the_order_in_which_they_came(path: Path) -> None:
    mine = turns[str(path)]
    with transaction.atomic(using=ALIAS):
        threads = []
        for number in range(6):
            threads.append(threading.Thread(target=write, args=[f"{number}"]))
            threads[-1].start()
            until(lambda number=number: len(mine.waiting) == number + 1)  # type: ignore[misc]
    for thread in threads:
        thread.join(PATIENCE)

    assert entries() == ["0", "1", "2", "3", "4", "5"]
    assert not mine.is_taken


@pytest.mark.parametrize(
    "ending", ["commit", "failure", "failed commit", "interrupted commit", "autocommit", "close", "failed begin"]
)
def test_the_turn_is_given_however_a_transaction_ends(path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = connections[ALIAS]
    if ending == "commit":
        write("one")
    elif ending == "failed begin":
        connection.transaction_mode = "NONSENSE"
        with pytest.raises(OperationalError), transaction.atomic(using=ALIAS):
            pass
        connection.transaction_mode = "IMMEDIATE"
    elif ending == "failed commit":
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE parts (id integer PRIMARY KEY, whole integer REFERENCES parts DEFERRABLE "
                           "INITIALLY DEFERRED)")  # fmt: skip
        with (
            pytest.raises(IntegrityError, match="FOREIGN KEY"),
            transaction.atomic(using=ALIAS),
            connection.cursor() as cursor,
        ):
            cursor.execute("INSERT INTO parts VALUES (1, 77)")
    elif ending == "interrupted commit":
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), transaction.atomic(using=ALIAS):
            patch.setattr(Backend, "_commit", Mock(side_effect=KeyboardInterrupt))
    elif ending == "autocommit":
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        connection.set_autocommit(True)
    else:
        act = connection.close if ending == "close" else lambda: None
        with suppress(ZeroDivisionError), transaction.atomic(using=ALIAS):
            act()
            raise ZeroDivisionError

    assert not turns[str(path)].is_taken
    write("two")
    assert entries()[-1] == "two"


def test_a_transaction_within_another_waits_for_nothing(path: Path) -> None:
    with transaction.atomic(using=ALIAS):
        with transaction.atomic(using=ALIAS):
            assert turns[str(path)].is_taken
        assert turns[str(path)].is_taken
    assert not turns[str(path)].is_taken


def test_waits_for_another_process_and_then_for_no_more_than_a_moment(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=write, args=["after it"])
    thread.start()
    time.sleep(10 * LOOK_AGAIN)
    assert thread.is_alive()

    other.execute("ROLLBACK")
    thread.join(PATIENCE)

    assert entries() == ["after it"]
    other.close()


def test_says_that_the_database_is_locked_when_another_process_never_ends(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), transaction.atomic(using=ALIAS):
        raise AssertionError
    other.close()

    with connections[ALIAS].cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (1000,)
    write("later")
    assert entries() == ["later"]


def test_a_turn_that_was_lost_is_given_on_by_the_next_who_writes(path: Path) -> None:
    assert turns[str(path)].take(0)  # by a thread that died within its transaction, say

    write("after a while")

    assert not turns[str(path)].is_taken
    write("at once")
    assert entries() == ["after a while", "at once"]


def test_a_forked_child_waits_for_no_thread_of_its_parent(path: Path) -> None:
    with transaction.atomic(using=ALIAS):
        child = os.fork()
        if not child:
            os._exit(len(turns))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
