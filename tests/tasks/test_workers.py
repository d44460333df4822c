"""Workers that share a database: each task is done once, whoever dies, goes or comes; waiting writes nothing."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live import begin, new_database
from tests.postgresql import Server as PostgreSQL

from .workers import running_worker

IDLE = 5.0  # seconds for which nothing may be committed


class Database:
    """The database of the workers, written past Folio."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = variables
        self.url = variables.get("DATABASE_URL", "")

    def run(self, query: str, *values: Any) -> list[Any]:
        """Run a statement, and commit it."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                cursor: Any = connection.execute(query.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []
        file = sqlite3.connect(self.folder / "folio.sqlite3", timeout=30)
        try:
            with file:
                return file.execute(query, values).fetchall()
        finally:
            file.close()

    def enqueue(self, name: str, due: datetime | None = None, **payload: Any) -> None:
        now = datetime.now(UTC)
        columns = "name, payload, due_at, state, attempts, error, created_at"
        self.run(
            f"INSERT INTO tasks_task ({columns}) VALUES (?, ?, ?, 'waiting', 0, '', ?)",
            name,
            json.dumps(payload),
            self.moment(due or now),
            self.moment(now),
        )

    def moment(self, moment: datetime) -> Any:
        return moment if self.url else moment.strftime("%Y-%m-%d %H:%M:%S.%f")

    def tasks(self) -> list[Any]:
        return self.run("SELECT name, state, attempts FROM tasks_task ORDER BY id")

    def wait_until_done(self) -> None:
        end = time.monotonic() + 30
        while tasks := self.tasks():
            assert time.monotonic() < end, tasks
            time.sleep(0.05)


@pytest.fixture
def database(tmp_path: Path, postgresql: PostgreSQL | None) -> Iterator[Database]:
    with new_database() as variables:
        if not variables:
            begin(tmp_path)
        yield Database(tmp_path, variables)


def test_two_workers_do_each_task_once(database: Database) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(running_worker(database.folder, database.variables)) for _ in range(2)]
        for number in range(20):
            database.enqueue("test.note", id=number)
        database.wait_until_done()
        done = [line for worker in workers for line in worker.collect(0.5) if line.startswith("done")]

    assert sorted(done) == sorted(f"done {number}" for number in range(20))


def test_what_a_killed_worker_was_at_is_done_by_the_other_at_once(database: Database) -> None:
    database.enqueue("test.long", id=1, seconds=60)
    with (
        running_worker(database.folder, database.variables) as first,
        running_worker(database.folder, database.variables) as second,
    ):
        deadline = time.monotonic() + 30
        while not (begun := [worker for worker in (first, second) if "begun 1" in worker.collect(0.05)]):
            assert time.monotonic() < deadline
        [holder] = begun
        other = second if holder is first else first
        time.sleep(1)
        assert "begun 1" not in other.collect(), "while the first is at it"

        holder.kill()
        start = time.monotonic()
        other.wait_for("begun 1")

        assert time.monotonic() - start < 10
        assert database.tasks() == [("test.long", "running", 2)]


def test_what_kills_its_worker_does_not_kill_every_next_one(database: Database) -> None:
    database.enqueue("test.deadly")
    database.enqueue("test.note", id=1)
    for _ in range(2):
        with running_worker(database.folder, database.variables) as worker:
            worker.wait_for("dies")
            worker.process.wait(30)

    with running_worker(database.folder, database.variables) as worker:
        worker.wait_for("done 1")
        assert "dies" not in worker.collect(0.5)

    assert database.tasks() == [("test.deadly", "waiting", 2)]


def test_what_is_due_in_the_future_is_done_then(database: Database) -> None:
    due = datetime.now(UTC) + timedelta(seconds=4)
    database.enqueue("test.note", due, id=1)
    with running_worker(database.folder, database.variables) as worker:
        worker.wait_for("done 1")

        assert datetime.now(UTC) >= due
        assert datetime.now(UTC) < due + timedelta(seconds=60)


def test_waiting_and_holding_a_lease_commit_nothing(database: Database) -> None:
    """With a task that is due tomorrow, another one at work, and a worker that looks whether it is still."""
    database.enqueue("test.note", datetime.now(UTC) + timedelta(days=1), id=1)
    database.enqueue("test.long", id=2, seconds=60)
    with ExitStack() as stack:
        workers = [stack.enter_context(running_worker(database.folder, database.variables)) for _ in range(2)]
        end = time.monotonic() + 30
        while not any("begun 2" in worker.collect(0.05) for worker in workers):
            assert time.monotonic() < end
        time.sleep(1)  # the attempt is written down before it begins
        if database.url:
            watch: Any = stack.enter_context(psycopg.connect(database.url, autocommit=True))
            look = "SELECT pg_current_snapshot()::text"
        else:
            watch = sqlite3.connect(database.folder / "folio.sqlite3")
            stack.callback(watch.close)
            look = "PRAGMA data_version"
        before = watch.execute(look).fetchall()
        time.sleep(IDLE)

        assert watch.execute(look).fetchall() == before
        database.enqueue("test.note", id=3)  # that the look does see what is committed
        assert watch.execute(look).fetchall() != before


def test_the_database_may_go_and_come_back(database: Database, postgresql: PostgreSQL | None) -> None:
    with running_worker(database.folder, database.variables) as worker:
        database.enqueue("test.note", id=1)
        worker.wait_for("done 1")
        if postgresql is not None:
            postgresql.stop("immediate")
        else:
            for path in database.folder.glob("folio.sqlite3*"):
                path.rename(path.with_name(f"away-{path.name}"))
        time.sleep(1)
        if postgresql is not None:
            postgresql.start()
        else:
            for path in database.folder.glob("away-*"):
                path.rename(path.with_name(path.name.removeprefix("away-")))
        database.enqueue("test.note", id=2)
        worker.wait_for("done 2")

        told = [line for line in worker.collect() if "can't be looked for" in line]
        assert len(told) <= 1, "an outage is told once"


def test_another_file_in_the_place_of_the_database_is_the_database(database: Database) -> None:
    if database.url:
        pytest.skip("SQLite's file alone can be exchanged.")
    path, copy = database.folder / "folio.sqlite3", database.folder / "restored"
    shutil.copy(path, copy)
    with running_worker(database.folder, database.variables) as worker:
        database.enqueue("test.note", id=1)
        worker.wait_for("done 1")
        os.replace(copy, path)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        database.enqueue("test.note", id=2)

        worker.wait_for("done 2")
        database.wait_until_done()


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_worker_that_is_told_to_stop_ends_within_its_bound(database: Database, seconds: int) -> None:
    with running_worker(database.folder, database.variables) as worker:
        if seconds:
            database.enqueue("test.long", id=1, seconds=seconds)
            worker.wait_for("begun 1")

        assert worker.stop() < (8 if seconds else 3)
