"""`PRAGMA data_version`: it moves with every commit of anyone else, and with nothing but commits."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connections

from folio.snapshots.watches import PostgreSQLWatch, SQLiteWatch, Version, watch_of


def make_database(path: Path, value: int = 0, journal: str = "wal") -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE counter (value INTEGER)")
        connection.execute("INSERT INTO counter VALUES (?)", [value])
    return path


@pytest.fixture(params=["wal", "delete"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database in each of the ways in which SQLite writes."""
    return make_database(tmp_path / "folio.sqlite3", journal=request.param)


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection to the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def watch_at() -> Iterator[Callable[[Path], SQLiteWatch]]:
    """Return a function that watches a file until the test ends."""
    watches: list[SQLiteWatch] = []

    def watch_at(path: Path) -> SQLiteWatch:
        watches.append(SQLiteWatch(str(path)))
        return watches[-1]

    yield watch_at
    for watch in watches:
        watch.close()


@pytest.fixture
def watch(path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> SQLiteWatch:
    return watch_at(path)


def increment(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE counter SET value = value + 1").close()


def seen(watch: SQLiteWatch) -> Version:
    version = watch.look()
    assert version is not None
    return version


def test_moves_with_each_commit_of_another_connection(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    versions = [seen(watch)]
    for _ in range(3):
        increment(other)
        versions.append(seen(watch))

    assert len(set(versions)) == 4


def test_moves_with_a_commit_of_another_process(watch: SQLiteWatch, path: Path) -> None:
    before = watch.look()

    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM counter'); c.commit()"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=120)

    assert watch.look() != before


def test_moves_when_a_backup_is_restored_into_the_open_database(
    watch: SQLiteWatch, other: sqlite3.Connection, tmp_path: Path
) -> None:
    before = watch.look()

    with closing(sqlite3.connect(make_database(tmp_path / "backup.sqlite3", 7))) as backup:
        backup.backup(other)

    assert watch.look() != before


def test_stays_while_others_read(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    before = watch.look()

    assert other.execute("SELECT value FROM counter").fetchall() == [(0,)]

    assert watch.look() == watch.look() == before


def test_stays_during_an_open_transaction_and_after_its_rollback(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    before = watch.look()

    other.execute("BEGIN IMMEDIATE")
    increment(other)
    during = watch.look()
    other.execute("ROLLBACK")

    assert during == before
    assert watch.look() == before


def test_moves_when_an_open_transaction_is_committed(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    increment(other)
    before = watch.look()
    other.execute("COMMIT")

    assert watch.look() != before


def test_a_look_holds_no_lock(watch: SQLiteWatch, path: Path, other: sqlite3.Connection) -> None:
    watch.look()

    other.execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN EXCLUSIVE")
    increment(other)
    other.execute("COMMIT")
    busy = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    assert busy == 0


def test_a_look_does_not_pin_the_version_it_saw(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    """A statement that was not read to its end would keep its version for as long as it lives."""
    versions = set()
    for _ in range(50):
        increment(other)
        versions.add(watch.look())

    assert len(versions) == 50


def test_a_database_that_is_locked_can_not_be_told(tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    path = make_database(tmp_path / "folio.sqlite3", journal="delete")
    watch = watch_at(path)
    before = watch.look()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert watch.look() is None
        other.execute("ROLLBACK")

    assert watch.look() not in {None, before}


class Asking:
    """A cursor that counts what it is asked."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor
        self.asked = 0

    def execute(self, sql: str) -> sqlite3.Cursor:
        self.asked += 1
        return self.cursor.execute(sql)


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """A database with a write-ahead log."""
    return make_database(tmp_path / "logged.sqlite3")


def counted(watch: SQLiteWatch) -> Asking:
    seen(watch)
    assert watch.cursor is not None
    watch.cursor = asking = Asking(watch.cursor)  # type: ignore[assignment]
    return asking


def test_asks_again_only_after_a_commit(logged: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    watch = watch_at(logged)
    asking = counted(watch)
    first = [seen(watch) for _ in range(5)]
    before = asking.asked
    with closing(sqlite3.connect(logged, isolation_level=None)) as other:
        increment(other)
        second = [seen(watch) for _ in range(5)]

    assert before <= 1
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
    assert asking.asked == before + 1


def test_asks_each_time_where_there_is_no_log(tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    watch = watch_at(make_database(tmp_path / "folio.sqlite3", journal="delete"))
    asking = counted(watch)

    assert len({seen(watch) for _ in range(5)}) == 1
    assert asking.asked == 5


def test_what_is_left_of_a_log_is_no_log(logged: Path, tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    path = make_database(tmp_path / "folio.sqlite3", journal="delete")
    with closing(sqlite3.connect(logged, isolation_level=None)) as connection:
        increment(connection)
        shutil.copy(f"{logged}-shm", f"{path}-shm")
    watch = watch_at(path)
    versions = [seen(watch)]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for _ in range(3):
            increment(other)
            versions.append(seen(watch))

    assert len(set(versions)) == 4


def test_a_log_that_is_begun_later_is_no_matter(tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    path = make_database(tmp_path / "folio.sqlite3", journal="delete")
    watch = watch_at(path)
    versions = [seen(watch)]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode = wal").fetchone() == ("wal",)
        for _ in range(3):
            increment(other)
            versions.append(seen(watch))

    assert len(set(versions)) == 4


def test_a_log_that_begins_anew_is_another(logged: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    """A checkpoint that empties the log lets it begin at the same place with the same number of pages."""
    watch = watch_at(logged)
    versions = [seen(watch)]
    with closing(sqlite3.connect(logged, isolation_level=None)) as other:
        for kind in ("TRUNCATE", "RESTART", "FULL", "PASSIVE") * 2:
            increment(other)
            versions.append(seen(watch))
            assert other.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()[0] == 0
            increment(other)
            versions.append(seen(watch))

    assert len(set(versions)) == len(versions)


HOLD = """
import sqlite3, sys, os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from folio.snapshots.watches import SQLiteWatch
path, other = sys.argv[1:]
reading = sqlite3.connect(path, isolation_level=None)
reading.execute("BEGIN")
assert reading.execute("SELECT value FROM counter").fetchone() == (0,)
watch = SQLiteWatch(path)
assert watch.look()
watch.close()
assert watch.look()
watch.path = os.fsencode(other)  # another file's log is mapped
assert watch.look()
watch.close()
print("looked", flush=True)
sys.stdin.readline()
assert reading.execute("SELECT value FROM counter").fetchone() == (0,)
"""


def test_a_look_takes_no_lock_from_its_process(logged: Path, tmp_path: Path) -> None:
    """Whoever closes a file loses the process's locks of it: others would take a reader's pages from under it."""
    program = [sys.executable, "-c", HOLD, str(logged), str(make_database(tmp_path / "other.sqlite3"))]
    with (
        subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader,
        closing(sqlite3.connect(logged, isolation_level=None, timeout=0)) as other,
    ):
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "looked\n"
        increment(other)
        is_busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        reader.stdin.write("\n")
        reader.stdin.close()
        assert reader.wait(120) == 0

    assert is_busy


def test_can_not_write(watch: SQLiteWatch) -> None:
    watch.look()
    assert watch.connection is not None

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        watch.connection.execute("DELETE FROM counter")


def test_a_new_connection_begins_a_new_generation(watch: SQLiteWatch, other: sqlite3.Connection) -> None:
    """SQLite counts from the same number again on each connection, so the number alone would not tell."""
    increment(other)
    first = seen(watch)
    watch.close()
    increment(other)
    second = seen(watch)

    assert first[1] == second[1]
    assert first[0] < second[0]


def test_another_file_at_the_path_begins_a_new_generation(watch: SQLiteWatch, path: Path) -> None:
    before = seen(watch)

    os.replace(make_database(path.with_name("restored.sqlite3"), 7), path)

    after = seen(watch)
    assert after[0] > before[0]
    assert watch.connection is not None
    assert watch.connection.execute("SELECT value FROM counter").fetchall() == [(7,)]


def test_another_file_behind_a_link_begins_a_new_generation(
    path: Path, watch_at: Callable[[Path], SQLiteWatch]
) -> None:
    link = path.with_name("link.sqlite3")
    link.symlink_to(path)
    watch = watch_at(link)
    before = seen(watch)

    link.unlink()
    link.symlink_to(make_database(path.with_name("other.sqlite3"), 7))

    assert seen(watch)[0] > before[0]


def test_a_file_moved_away_and_back_was_never_another(watch: SQLiteWatch, path: Path) -> None:
    before = watch.look()
    aside = path.rename(path.with_name("aside.sqlite3"))

    assert watch.look() is None
    aside.rename(path)

    assert seen(watch) != before, "what was computed meanwhile, from whatever stood there, is not taken for the old"


def test_a_missing_file_can_not_be_told_and_is_not_made(
    tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]
) -> None:
    path = tmp_path / "none.sqlite3"
    watch = watch_at(path)

    assert watch.look() is None
    assert not path.exists()

    make_database(path)
    assert watch.look() is not None


def test_a_file_that_is_removed_can_not_be_told(watch: SQLiteWatch, path: Path) -> None:
    before = seen(watch)
    path.unlink()
    assert watch.look() is None

    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    make_database(path)
    assert seen(watch)[0] > before[0]


def test_a_file_that_is_no_database_can_not_be_told(tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    path = tmp_path / "folio.sqlite3"
    path.write_bytes(b"This is no database, though it is long enough for one." * 100)
    watch = watch_at(path)

    assert watch.look() is None
    assert watch.look() is None

    os.replace(make_database(tmp_path / "whole.sqlite3"), path)
    assert watch.look() is not None


@pytest.mark.parametrize(
    "name",
    ["with space.db", "what?.db", "a?mode=memory&b=c.db", "half#.db", "50%25.db", "100%.db", "é–ü.db"],
)
def test_watches_the_file_of_that_name_whatever_it_is(
    name: str, tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]
) -> None:
    path = make_database(tmp_path / name)
    watch = watch_at(path)
    before = seen(watch)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        increment(other)

    assert seen(watch) != before
    assert watch.connection is not None
    assert watch.connection.execute("SELECT value FROM counter").fetchall() == [(1,)]


def test_watches_a_file_whose_name_is_no_text(tmp_path: Path, watch_at: Callable[[Path], SQLiteWatch]) -> None:
    path = make_database(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.db")))

    assert watch_at(path).look() is not None


@pytest.mark.parametrize(
    ("engine", "name", "kind"),
    [
        ("sqlite3", "/srv/folio.sqlite3", SQLiteWatch),
        ("sqlite3", ":memory:", type(None)),
        ("sqlite3", "file:memorydb_default?mode=memory&cache=shared", type(None)),
        ("postgresql", "folio", PostgreSQLWatch),
    ],
)
def test_each_database_has_its_watch(engine: str, name: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"ENGINE": f"django.db.backends.{engine}", "NAME": name}
    known = connections.configure_settings({"default": {}, "watched": settings})
    monkeypatch.setitem(connections.settings, "watched", known["watched"])
    try:
        assert type(watch_of("watched")) is kind
    finally:
        del connections["watched"]
