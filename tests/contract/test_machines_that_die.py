"""Servers with their media in a bucket, one of which dies, hangs or loses its lock in the middle of an upload.

On PostgreSQL there are two machines: two folders that share a database and a bucket, and nothing else.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.factories import draw
from tests.live import Server, kill, new_database, running_server, workers_of
from tests.s3 import S3, running_s3
from tests.tcp import Proxy, proxy_to

PATIENCE = 120  # seconds for what takes moments, on a machine that does much else
SOON = {"FOLIO_TASKS_SECONDS": "0.2", "FOLIO_STORAGE_SECONDS": "60"}
on_postgresql = pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="Beside SQLite there is one machine."
)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@dataclass
class Place:
    """A database and a folder of a bucket, which servers share."""

    s3: S3
    prefix: str
    database: dict[str, str]
    folder: Path
    servers: list[Server] = field(default_factory=list)

    @contextmanager
    def serving(self, name: str = "one", *flags: str, **variables: str) -> Iterator[tuple[Server, Proxy]]:
        """Serve from a machine, whose way to the bucket can be blocked."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with proxy_to(int(self.s3.endpoint.rpartition(":")[2])) as proxy:
            given = self.s3.variables(self.prefix)
            given["FOLIO_MEDIA"] = given["FOLIO_MEDIA"].replace(self.s3.endpoint, f"http://127.0.0.1:{proxy.port}")
            with running_server(folder, *flags, **{**self.database, **given, **SOON, **variables}) as server:
                self.servers.append(server)
                yield server, proxy
                proxy.swallow(False)

    def ask(self, query: str) -> list[Any]:
        url = self.database.get("DATABASE_URL")
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                cursor = connection.execute(query)
                return cursor.fetchall() if cursor.description else []
        database = sqlite3.connect(self.folder / "one" / "folio.sqlite3", timeout=PATIENCE)
        try:
            with database:
                return database.execute(query).fetchall()
        finally:
            database.close()

    def names(self, query: str) -> set[str]:
        return {row[0] for row in self.ask(query)}

    def on_record(self) -> set[str]:
        return self.names("SELECT name FROM media_pendingfile")

    def named(self) -> set[str]:
        return self.names("SELECT file FROM media_media UNION SELECT file FROM media_thumbnail")

    def bring_forward(self) -> None:
        """Have the task that looks for dead owners be due; on its own it is within a minute."""
        moment = "now()" if self.database else "'2020-01-01 00:00:00'"
        self.ask(f"UPDATE tasks_task SET due_at = {moment} WHERE name = 'media.recover'")

    def check(self) -> None:
        """Wait until nothing is on record; then every file has a row, and every row its file."""
        wait_for(lambda: not self.on_record())
        names = set(self.s3.names(self.prefix))
        removed = self.names("SELECT name FROM media_removedfile")
        assert self.named() <= names
        assert names - self.named() <= removed
        assert "nothing is wrong" in self.servers[-1].folio("checkmedia", "--min-age", "0")


@pytest.fixture
def place(postgresql: object, s3: S3, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    with new_database() as database:
        yield Place(s3, request.node.name.removeprefix("test_")[:40], database, tmp_path)


def wait_for(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "It did not come to be."
        time.sleep(0.1)


def upload(server: Server, name: str = "photo.png") -> requests.Response | None:
    """Upload a picture; return None where the server did not live to answer."""
    with suppress(requests.ConnectionError):
        return server.session(server.key).post("/api/media/", files={"file": (name, draw())}, timeout=PATIENCE)
    return None


@contextmanager
def hanging_upload(place: Place, server: Server, proxy: Proxy) -> Iterator[Future[requests.Response | None]]:
    """Have an upload under way whose files do not get to the bucket."""
    with ThreadPoolExecutor(1) as pool:
        first = upload(server, "first.png")  # by which the decoders are there
        assert first is not None
        assert first.status_code == 201
        proxy.swallow()
        answer = pool.submit(upload, server)
        wait_for(lambda: place.on_record() or answer.done())
        assert not answer.done()
        yield answer
        proxy.swallow(False)


def test_a_bucket_that_is_slow_holds_up_no_other_writer(place: Place) -> None:
    with place.serving() as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            api = server.session(server.key)
            made = api.post("/api/tags/", json={"name": "print"}, timeout=PATIENCE)
            renamed = api.patch(f"/api/media/{first_media(place)}/", json={"name": "other"}, timeout=PATIENCE)
            assert not answer.done()
        response = answer.result(PATIENCE)

        assert (made.status_code, renamed.status_code) == (201, 200)
        assert response is not None
        assert response.status_code == 201
        place.check()


def first_media(place: Place) -> int:
    [[pk]] = place.ask("SELECT min(id) FROM media_media")
    return int(pk)


def test_a_bucket_that_hangs_has_an_upload_refused_and_nothing_kept(place: Place) -> None:
    with place.serving(FOLIO_STORAGE_SECONDS="1") as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            response = answer.result(PATIENCE)
        assert response is not None
        assert response.status_code == 503
        assert "Nothing was changed" in response.json()["detail"]
        assert len(place.named()) == 5
        place.check()


def test_what_a_worker_was_putting_as_it_died_is_removed_by_its_server(place: Place) -> None:
    with place.serving("one", "--workers", "2") as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            for worker in workers_of(server):
                os.kill(worker, signal.SIGKILL)
            assert answer.result(PATIENCE) is None
        place.check()
        assert len(place.named()) == 5


def test_what_a_server_was_putting_as_it_died_is_removed_at_its_next_start(place: Place) -> None:
    with place.serving() as (server, proxy), hanging_upload(place, server, proxy) as answer:
        kill(server)
        assert answer.result(PATIENCE) is None
    assert len(place.on_record()) == 5

    with place.serving() as (server, _):
        place.check()
        assert "Cleaned up after 1 interrupted" in server.log.read_text()


@on_postgresql
def test_what_a_machine_was_putting_as_it_died_is_removed_by_another_that_runs(place: Place) -> None:
    with place.serving("two") as (_other, _), place.serving("one") as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            kill(server)
            assert answer.result(PATIENCE) is None
        place.servers.pop()
        assert len(place.on_record()) == 5
        place.bring_forward()
        place.check()
        assert len(place.named()) == 5


def end_claims(place: Place) -> None:
    """Have the database end the connections by which owners are known."""
    place.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE '% claims'"
    )


@on_postgresql
def test_an_upload_whose_lock_was_lost_is_refused_where_another_machine_has_taken_it_for_dead(place: Place) -> None:
    with place.serving("one") as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            end_claims(place)
            with place.serving("two"):  # whose start looks for the dead
                assert place.on_record() == set()
            place.servers.pop()
            proxy.swallow(False)
            response = answer.result(PATIENCE)
        assert response is not None
        assert response.status_code == 503
        assert len(place.named()) == 5
        place.check()
        again = upload(server)
        assert again is not None
        assert again.status_code == 201
        place.check()


@on_postgresql
def test_an_upload_whose_lock_was_lost_is_stored_where_nobody_has_noticed(place: Place) -> None:
    with place.serving("one") as (server, proxy):
        with hanging_upload(place, server, proxy) as answer:
            end_claims(place)
            proxy.swallow(False)
            response = answer.result(PATIENCE)
        assert response is not None
        assert response.status_code == 201
        assert len(place.named()) == 10
        place.check()


@on_postgresql
def test_two_machines_give_one_name_to_one_file_each(place: Place) -> None:
    with place.serving("one") as (one, _), place.serving("two") as (two, _), ThreadPoolExecutor(8) as pool:
        answers = [answer for answer in pool.map(upload, [one, two] * 8) if answer is not None]

        assert [answer.status_code for answer in answers] == [201] * 16
        assert len(place.named()) == 16 * 5
        place.check()
