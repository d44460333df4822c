"""A server that crashes, is given a backup, or is asked very much tells nothing stale, and does not grow."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live import UNLIMITED, Server, running_server
from tests.postgresql import Server as PostgreSQL
from tests.readers import ask_until_hit, connections_to_each_worker
from tests.writers import Database, make_rows

from .installations import numbers, served
from .made import unique

PATIENCE = 20  # seconds

# Crashes and backups


def test_a_crash_in_the_middle_of_a_write(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    slug, before = unique("crash"), unique("before")
    with served(tmp_path, postgresql, "--workers", "2") as server:
        key = server.key
        api = server.session(key)
        tag = api.post("/api/tags/", json={"name": before}).json()["id"]
        path = f"/api/tags/{tag}/"
        ask_until_hit(connections_to_each_worker(server.url, key, 2), path, "/api/portfolios/")

        with ThreadPoolExecutor(2) as pool, Database(server).connection() as execute:
            # Both wait for their turn to write, in the middle of their transactions, when the workers are killed.
            if postgresql is None:
                execute("BEGIN IMMEDIATE")
            else:
                execute("BEGIN")
                execute("LOCK TABLE portfolios_tag, portfolios_portfoliotag IN ACCESS EXCLUSIVE MODE")
            body = {"title": slug, "slug": slug, "excerpt": "e", "tags": [tag]}
            requests_ = [
                pool.submit(failure, lambda: server.session(key).post("/api/portfolios/", json=body)),
                pool.submit(failure, lambda: server.session(key).patch(path, json={"name": "after"})),
            ]
            time.sleep(0.5)
            kill(server)
            assert [request.result(PATIENCE) for request in requests_] == ["ConnectionError"] * 2
            execute("ROLLBACK")

        with running_server(tmp_path, "--workers", "2", **server.variables) as again:
            for reader in connections_to_each_worker(again.url, key, 2):
                assert reader.get(path).json()["name"] == before
                assert reader.get(f"/api/portfolios/?slug={slug}").json()["count"] == 0
            assert again.session(key).patch(path, json={"name": "after"}).status_code == 200


def failure(task: Callable[[], Any]) -> str:
    """Return the name of the error that a task ends with."""
    try:
        return str(task())
    except Exception as error:
        return type(error).__name__


def workers_of(server: Server) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(server.process.pid)], check=True, capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def kill(server: Server) -> None:
    """End the server's processes as a power cut would."""
    for pid in [*workers_of(server), server.process.pid]:
        os.kill(pid, 9)
    server.process.wait(PATIENCE)


def test_the_database_file_is_replaced_under_a_running_server(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    if postgresql is not None:
        pytest.skip("PostgreSQL keeps its files to itself.")
    with served(tmp_path, None, "--workers", "2") as server:
        key = server.key
        api, file = server.session(key), Database(server).file
        tag = api.post("/api/tags/", json={"name": "backed up"}).json()["id"]
        path = f"/api/tags/{tag}/"
        backup = tmp_path / "backup.sqlite3"
        with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)
        readers = connections_to_each_worker(server.url, key, 2)

        for step in range(3):
            assert api.patch(path, json={"name": f"after the backup {step}"}).status_code == 200
            assert api.post("/api/tags/", json={"name": f"made after the backup {step}"}).status_code == 201
            use_every_thread(server, key)
            ask_until_hit(readers, path, "/api/tags/")

            restore(backup, file)

            # Writes come first: they must go into the file that is there now, from whichever thread.
            made = use_every_thread(server, key)
            for reader in readers:
                for query in ("limit=50", f"limit=50&id_max={1000 + next(numbers)}"):
                    listed = [row["name"] for row in reader.get(f"/api/tags/?{query}").json()["results"]]
                    assert not [name for name in listed if "after the backup" in name]
                    assert sorted(name for name in listed if name in made) == sorted(made)
                assert reader.get(path).json()["name"] == "backed up"
            stored = Database(server).execute("SELECT name FROM portfolios_tag")
            assert sorted(name for (name,) in stored) == sorted(["backed up", *made])
            assert Database(server).execute("PRAGMA integrity_check") == [("ok",)]


def use_every_thread(server: Server, key: str) -> list[str]:
    """Write and read on many connections at once, so that all threads have used their database connections."""

    def use(number: int) -> str:
        session, name = server.session(key), unique("made")
        assert session.post("/api/tags/", json={"name": name}).status_code == 201
        assert session.get(f"/api/tags/?search={name}").json()["count"] == 1
        return name

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(use, range(16)))


def restore(backup: Path, file: Path) -> None:
    """Put a copy of the backup in the place of the database, as an operator would."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = file.with_name("copy.sqlite3")
    copy.write_bytes(backup.read_bytes())
    os.replace(copy, file)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


# Memory


def test_ten_thousand_different_queries_leave_the_memory_flat(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    bounds = {"FOLIO_RESPONSE_CACHE_SIZE": "4000000", "FOLIO_DOCUMENT_CACHE_SIZE": "2000000"}
    with served(tmp_path, postgresql, **UNLIMITED, **bounds) as server:
        key = server.key
        make_rows(server.session(key))
        [worker] = workers_of(server)

        def ask(queries: range) -> None:
            with closing(HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=PATIENCE)) as connection:
                for number in queries:
                    path = f"/api/tags/?id_max={10**6 + number // 4}&offset={number}"
                    connection.request("GET", path, headers={"Authorization": f"Token {key}", "Accept-Encoding": "br"})
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200

        def ask_together(start: int, end: int) -> None:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(ask, [range(start + part, end, 4) for part in range(4)]))

        ask_together(0, 3_000)  # by now the caches are full
        full = memory_of(worker)
        ask_together(3_000, 10_000)

        assert memory_of(worker) - full < 4_000, "kilobytes"


def memory_of(pid: int) -> int:
    """Return the kilobytes that a process holds in memory."""
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True)
    return int(listed.stdout)
