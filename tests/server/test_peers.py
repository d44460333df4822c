"""Servers of one database that have different secret keys, or keep their media in different places, are told of."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from folio.places import Bucket
from folio.server import peers
from folio.server.peers import CLASSES, KEY, MEDIA, SECONDS_VARIABLE, Difference, Peers, differences, fingerprints
from tests.environment import run_folio
from tests.live import Server, new_database, running_server, workers_of
from tests.pgbouncer import Pooler, running_pgbouncer
from tests.postgresql import Server as PostgreSQL

PATIENCE = 60  # seconds
OTHER = 4711
HOLDERS = b"""
    SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SECRETS = {name: f"the secret key of {name}" * 3 for name in ("one", "another")}
is_postgresql = connection.vendor == "postgresql"
only_postgresql = pytest.mark.skipif(not is_postgresql, reason="SQLite has one machine")


def wait_for(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"There was no {what}."
        time.sleep(0.1)


def address(**others: str) -> str:
    """Return how the suite's database is connected to by others."""
    given = {**connection.get_connection_params(), **others}
    names = ("dbname", "user", "password", "host", "port")
    return psycopg.conninfo.make_conninfo(**{name: given[name] for name in names if given.get(name)})


@contextmanager
def another_server(numbers: dict[str, int] | None = None, database: str = "") -> Iterator[None]:
    """Hold the locks of a server with other fingerprints than ours, but for those that are given."""
    held = {**fingerprints(), **(numbers or {})}
    with psycopg.connect(address(**({"dbname": database} if database else {}))) as other:
        for kind, number in held.items():
            other.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [CLASSES[kind], number])
        yield


def checked() -> str:
    out = StringIO()
    call_command("check", databases=["default"], stderr=out, stdout=StringIO())
    return out.getvalue()


@only_postgresql
@pytest.mark.django_db(transaction=True)
class TestDifferences:
    @pytest.mark.parametrize("kind", [KEY, MEDIA])
    def test_are_seen_by_kind(self, kind: str) -> None:
        assert differences(connection) == []

        with another_server({kind: OTHER}):
            [found] = differences(connection)
            assert found.kind == kind
            assert found.address == "127.0.0.1"

        assert differences(connection) == []

    def test_are_none_where_servers_are_alike(self) -> None:
        with another_server(), another_server():
            assert differences(connection) == []

    def test_are_not_those_of_another_database(self) -> None:
        with another_server({KEY: OTHER, MEDIA: OTHER}, database="postgres"):
            assert differences(connection) == []

    def test_are_told_once_however_many_servers_there_are(self) -> None:
        with another_server({KEY: OTHER, MEDIA: OTHER}), another_server({KEY: OTHER + 1, MEDIA: OTHER}):
            assert [found.kind for found in differences(connection)] == [KEY, MEDIA]

    def test_are_warnings_of_the_check(self) -> None:
        assert "folio.W00" not in checked()

        with another_server({KEY: OTHER, MEDIA: OTHER}):
            text = checked()

        assert "(folio.W011) Another server of this database (at 127.0.0.1) has another FOLIO_SECRET_KEY." in text
        assert "Give all servers the same FOLIO_SECRET_KEY" in text
        assert "(folio.W012) Another server of this database (at 127.0.0.1) keeps its media elsewhere." in text
        assert "Give all servers the same FOLIO_MEDIA" in text

    def test_are_looked_for_without_a_commit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One would end what every worker has in its memory."""
        monkeypatch.setattr(peers, "speaks_for_the_folder", lambda: True)
        looking = Peers()

        def version() -> Any:
            with psycopg.connect(address(), autocommit=True) as other:
                return other.execute("SELECT pg_current_snapshot()::text").fetchone()

        before = version()
        for _ in range(3):
            looking.look()
        assert version() == before
        assert looking.parts() == {"peers": "ok"}

        looking.let_go()

    def test_leave_no_snapshot_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would keep VACUUM, and whoever makes an index beside use, waiting."""
        monkeypatch.setattr(peers, "speaks_for_the_folder", lambda: True)
        looking = Peers()
        looking.look()
        pid = looking.connection.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("SELECT state, backend_xmin, backend_xid FROM pg_stat_activity WHERE pid = %s", [pid])
            assert cursor.fetchall() == [("idle in transaction", None, None)]
            cursor.execute("SELECT locktype FROM pg_locks WHERE pid = %s AND locktype <> 'virtualxid'", [pid])
            assert cursor.fetchall() == [("advisory",), ("advisory",)]
        looking.let_go()


@pytest.mark.any_database
class TestWords:
    def test_begin_and_end(self, caplog: pytest.LogCaptureFixture) -> None:
        looking = Peers()
        looking.speaks = True

        for found in ([], [Difference(KEY, "10.0.0.7")], [], [Difference(KEY, None)], [], [], []):
            looking.note(found)

        begins, ends = [record.getMessage() for record in caplog.records]
        assert begins.startswith("Another server of this database (at 10.0.0.7) has another FOLIO_SECRET_KEY.")
        assert begins.endswith("restart those that had another one.")
        assert ends == "All servers of this database have the same FOLIO_SECRET_KEY again."

    def test_are_said_by_one_process_of_an_installation(self, caplog: pytest.LogCaptureFixture) -> None:
        looking = Peers()

        looking.note([Difference(MEDIA, None)])

        assert not caplog.records
        assert looking.known == frozenset({MEDIA})

    def test_tell_nothing_of_the_key(self, settings: Any) -> None:
        settings.SECRET_KEY = "a key"
        first = fingerprints()
        settings.SECRET_KEY = "another key"

        second = fingerprints()

        assert first[KEY] != second[KEY]
        assert first[MEDIA] == second[MEDIA]
        assert all(-(2**31) <= number < 2**31 for number in first.values())

    @pytest.mark.parametrize(
        ("other", "is_same"),
        [
            (Bucket("media", "a", "http://s3:9000"), True),
            (Bucket("media", "a", "http://s3:9000", "eu-central-1", "path"), True),  # how it is spoken with
            (Bucket("media", "b", "http://s3:9000"), False),
            (Bucket("other", "a", "http://s3:9000"), False),
            (Bucket("media", "a", "http://elsewhere:9000"), False),
            (None, False),
        ],
    )
    def test_compare_buckets_by_their_names(self, settings: Any, other: Bucket | None, is_same: bool) -> None:
        settings.MEDIA_BUCKET = Bucket("media", "a", "http://s3:9000")
        first = fingerprints()[MEDIA]
        settings.MEDIA_BUCKET = other

        assert (fingerprints()[MEDIA] == first) is is_same

    def test_compare_folders_by_their_marks(self, settings: Any, tmp_path: Path) -> None:
        found: list[int] = []
        for text in ("a", "a", "b", None):
            settings.FOLDER_MARK = tmp_path / str(len(found))
            if text:
                settings.FOLDER_MARK.write_text(text)
            found.append(fingerprints()[MEDIA])

        assert found[0] == found[1]
        assert len(set(found)) == 3


# Real servers

QUICK = {SECONDS_VARIABLE: "0.3"}


def word(server: Server) -> str:
    answer = server.session().get("/readyz")
    assert answer.status_code == 200, "it is no reason to send no requests"
    told: str = answer.json()["parts"]["peers"]
    return told


def told(server: Server, what: str) -> int:
    return len(re.findall(f"WARNING folio.server.peers: {what}", server.log.read_text()))


@only_postgresql
def test_two_servers_tell_of_one_another(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with new_database() as database, ExitStack() as stack:
        secret = {"FOLIO_SECRET_KEY": SECRETS["one"]}
        first = stack.enter_context(running_server(folders[0], "--workers", "2", **database, **secret, **QUICK))
        wait_for("look", lambda: word(first) == "ok")
        other = {"FOLIO_SECRET_KEY": SECRETS["another"]}

        with running_server(folders[1], "--workers", "2", **database, **other, **QUICK) as second:
            for server in (first, second):
                for _ in range(20):  # by either worker
                    wait_for("word", lambda: word(server) == "secret key and media differ")  # noqa: B023
                wait_for("line", lambda: told(server, "Another server of this database .at 127.0.0.1. has another"))  # noqa: B023
                wait_for("line", lambda: told(server, "Another server of this database .at 127.0.0.1. keeps"))  # noqa: B023
            # It looks once, and between two of its transactions, which are short here, a server has no lock.
            checks = (
                run_folio("check", "--fail-level", "WARNING", folder=folders[0], variables=first.variables)
                for _ in range(5)
            )
            done = next(each for each in checks if each.returncode)
            assert done.returncode == 1
            assert "folio.W011" in done.stderr

        wait_for("end", lambda: word(first) == "ok")
        assert told(first, "Another server of this database .at 127.0.0.1. has another FOLIO_SECRET_KEY") == 1
        wait_for("line", lambda: told(first, "All servers of this database have the same FOLIO_SECRET_KEY again"))
        assert SECRETS["one"] not in first.log.read_text()

        with running_server(folders[0], **database, **secret, **QUICK) as second:  # of the same folder
            wait_for("look", lambda: word(second) == "ok")
            time.sleep(1)
            assert word(second) == word(first) == "ok"
            done = run_folio("check", "--fail-level", "WARNING", folder=folders[0], variables=first.variables)
            assert done.returncode == 0, done.stderr


@only_postgresql
def test_another_process_has_the_lock_where_the_one_that_had_it_is_killed(tmp_path: Path) -> None:
    with new_database() as database, running_server(tmp_path, "--workers", "2", **database, **QUICK) as server:

        def holders() -> int:
            with psycopg.connect(database["DATABASE_URL"], autocommit=True) as other:
                [count] = other.execute(HOLDERS).fetchone() or [0]
                return int(count)

        wait_for("lock", lambda: holders() == 1)
        before = workers_of(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for("other workers", lambda: len(set(workers_of(server)) - set(before)) == 2)
        wait_for("lock of another worker", lambda: holders() == 1)


@pytest.fixture
def pooler(postgresql: PostgreSQL | None) -> Iterator[Pooler]:
    if postgresql is None:
        pytest.skip("It is about PostgreSQL.")
    console = {"auth_type": f"trust\nadmin_users = {postgresql.user}"}
    with running_pgbouncer(postgresql, default_pool_size=12, reserve_pool_size=0, **console) as pooler:
        yield pooler


@only_postgresql
def test_servers_behind_pgbouncer_tell_too_and_let_it_pause(pooler: Pooler, tmp_path: Path) -> None:
    with new_database() as direct, ExitStack() as stack:
        behind = {"DATABASE_URL": pooler.url(direct["DATABASE_URL"]), "FOLIO_PGBOUNCER": "on", **QUICK}
        servers = []
        for name, secret in SECRETS.items():
            (tmp_path / name).mkdir()
            variables = {**behind, "FOLIO_SECRET_KEY": secret}
            servers.append(stack.enter_context(running_server(tmp_path / name, "--workers", "2", **variables)))

        for server in servers:
            wait_for("word", lambda: word(server) == "secret key and media differ")  # noqa: B023

        console = f"host=127.0.0.1 port={pooler.port} user={pooler.server.user} dbname=pgbouncer"
        with psycopg.connect(console, autocommit=True, cursor_factory=psycopg.ClientCursor) as admin:
            admin.execute("PAUSE")  # which waits until no transaction is open
            admin.execute("RESUME")
        for server in servers:
            wait_for("word", lambda: word(server) == "secret key and media differ")  # noqa: B023
