"""What is found of a database, each provoked on a real one: SQLite's file, and a server of PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from folio.server.examining.database import answers
from folio.server.examining.findings import FINE, Finding, ok, status_of
from tests.live import begin, drop_database, new_database, postgresql_url, url_of
from tests.server.examining.test_doctor import examined, of

WRONG = ("warning", "fault")
QUICK = {"fsync", "full_page_writes"}  # as the tests' own server has them


@pytest.mark.any_database
class TestHowLongItTakes:
    def answer(self, seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> Finding:
        """Return what is found where questions take these seconds."""
        now, taken = 0.0, iter(seconds)

        def ask() -> None:
            nonlocal now
            now += next(taken)

        monkeypatch.setattr("folio.server.examining.database.perf_counter", lambda: now)
        return answers("PostgreSQL 17", ask)

    def test_is_that_of_the_quickest_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.answer([3, 0.5, 0.25, 0.0078125, 2], monkeypatch) == ok("PostgreSQL 17 answers in 7.8 ms.")

    def test_is_a_note_however_long_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.answer([1, 0.5, 0.25, 2, 2], monkeypatch)

        assert found.state == "note"
        assert found.text.startswith("PostgreSQL 17 answers in 250.0 ms, and each read that is computed waits for it")
        assert status_of([found]) == FINE


@pytest.fixture
def on_sqlite() -> None:
    if postgresql_url():
        pytest.skip("This is about SQLite.")


@pytest.fixture
def on_postgresql() -> str:
    if not postgresql_url():
        pytest.skip("This is about PostgreSQL.")
    return postgresql_url()


@pytest.mark.usefixtures("on_sqlite")
class TestSQLite:
    def test_a_damaged_file_is_a_fault(self, tmp_path: Path) -> None:
        begin(tmp_path)
        file = tmp_path / "folio.sqlite3"
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'task_due'").fetchone()
            [size] = connection.execute("PRAGMA page_size").fetchone()
        with file.open("r+b") as pages:
            pages.seek((root - 1) * size)
            pages.write(b"\xff" * 64)

        _, document = examined(tmp_path)

        assert any(text.startswith("Its file is damaged: ") for text in of(document, "Database", "fault"))

    def test_a_journal_that_is_not_wal_is_a_warning_and_left_as_it_is(self, tmp_path: Path) -> None:
        begin(tmp_path)
        with closing(sqlite3.connect(tmp_path / "folio.sqlite3")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").close()

        _, document = examined(tmp_path)

        assert of(document, "Database", "fault") == []
        assert of(document, "Database", "warning") == [
            "Its journal is delete, not WAL: readers and writers wait for each other."
        ]
        with closing(sqlite3.connect(tmp_path / "folio.sqlite3")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)

    def test_missing_migrations_are_a_fault(self, tmp_path: Path) -> None:
        begin(tmp_path)
        with closing(sqlite3.connect(tmp_path / "folio.sqlite3")) as connection, connection:
            connection.execute("DELETE FROM django_migrations WHERE app = 'delivery' AND name LIKE '0001%'")

        _, document = examined(tmp_path)

        assert of(document, "Database", "fault") == ["The database lacks 1 migration of this version."]

    def test_a_newer_database_is_a_fault(self, tmp_path: Path) -> None:
        begin(tmp_path)
        with closing(sqlite3.connect(tmp_path / "folio.sqlite3")) as connection, connection:
            connection.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('media', '9999_later', '2026-11-30')"
            )

        _, document = examined(tmp_path)

        [text] = of(document, "Database", "fault")
        assert text.startswith("The database is newer than Folio ")

    def test_work_that_failed_and_is_late_is_told(self, tmp_path: Path) -> None:
        begin(tmp_path)
        with closing(sqlite3.connect(tmp_path / "folio.sqlite3")) as connection, connection:
            for state, error in (("failed", "Traceback:\nOSError: no room"), ("waiting", "")):
                connection.execute(
                    "INSERT INTO tasks_task (name, payload, due_at, state, attempts, error, created_at) "
                    "VALUES ('media.variants', '{}', '2026-01-01 00:00:00', ?, 3, ?, '2026-01-01 00:00:00')",
                    [state, error],
                )
            connection.execute(
                "INSERT INTO delivery_webhook (url, nonce, events, is_active, created_at, updated_at) "
                "VALUES ('https://host/secret-token', 'n', '[]', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            )
            connection.execute(
                "INSERT INTO delivery_webhookdelivery (webhook_id, message_id, body, state, attempts, status, answer, "
                "error, created_at) VALUES (1, 'm', '', 'failed', 7, 410, '', '', '2026-01-01 00:00:00')"
            )

        _, document = examined(tmp_path)

        assert of(document, "Work", *WRONG) == [
            "The task media.variants failed 1 times; the last time: OSError: no room",
            "1 tasks have been due for more than 10 minutes.",
            "Webhook 1 is not told of changes: its last message was answered 410",
        ]
        assert "secret-token" not in str(document)


class TestPostgreSQL:
    def test_one_that_is_as_it_should_be(self, on_postgresql: str, tmp_path: Path) -> None:
        with new_database() as database:
            _, document = examined(tmp_path, **database)

        assert {text.split()[0] for text in of(document, "Database", *WRONG)} == QUICK
        assert "It takes writes." in of(document, "Database", "ok")
        assert "The clock agrees with that of the database." in of(document, "Clock", "ok")
        assert "PostgreSQL has pg_trgm, by which parts of words are found." in of(document, "Programs", "ok")

    def test_what_is_set_up_wrong_is_told_with_the_statement_that_mends_it(
        self, on_postgresql: str, tmp_path: Path
    ) -> None:
        with new_database() as database:
            name = database["DATABASE_URL"].rpartition("/")[2]
            with psycopg.connect(on_postgresql, autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
                connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            _, document = examined(tmp_path, **database, FOLIO_DATABASE_CONNECTIONS="500", FOLIO_PGBOUNCER="")
            _, pooled = examined(tmp_path, **database, FOLIO_PGBOUNCER="on")

        found = {each["text"]: each["mend"] for each in document["findings"] if each["group"] == "Database"}
        assert found["It has default_transaction_read_only on, and takes no writes."] == (
            "Have DATABASE_URL lead to the primary."
        )
        assert any(
            text.startswith("synchronous_commit is off") and mend.startswith("ALTER SYSTEM SET synchronous_commit = on")
            for text, mend in found.items()
        )
        assert any("1 may need 506 connections, and PostgreSQL has 397" in text for text in found)
        bounds = {each["text"]: each["mend"] for each in pooled["findings"] if each["group"] == "Database"}
        assert any(
            text.startswith("statement_timeout is not set for the role") and "SET statement_timeout = '20s'" in mend
            for text, mend in bounds.items()
        )

    def test_texts_that_are_not_utf8_are_a_fault(self, on_postgresql: str, tmp_path: Path) -> None:
        name = "folio_examined_ascii"
        with psycopg.connect(on_postgresql, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            )
        try:
            _, document = examined(tmp_path, DATABASE_URL=url_of(on_postgresql, name))
        finally:
            drop_database(on_postgresql, name)

        assert "Its texts are SQL_ASCII: many can't be stored." in of(document, "Database", "fault")

    def test_a_database_that_is_not_there_is_a_fault(self, on_postgresql: str, tmp_path: Path) -> None:
        _, document = examined(tmp_path, DATABASE_URL=url_of(on_postgresql, "nowhere"))

        [text] = of(document, "Database", "fault")
        assert 'database "nowhere" does not exist' in text
