"""The address leads to the new primary while the old one is alive: what was written there is read at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest

from folio.snapshots.watches import SECONDS_VARIABLE
from tests.live import LATER, Server, Session, postgresql_url, running_server
from tests.postgresql import Server as PostgreSQL
from tests.postgresql import temporary_server
from tests.readers import ask_until_hit, connections_to_each_worker
from tests.tcp import Proxy, proxy_to

pytestmark = pytest.mark.skipif(not postgresql_url(), reason="SQLite is a file.")

PATIENCE = 30  # seconds
CLIENTS = 8  # at once
WANTED = 60  # writes to the new primary
numbers = count(1)


@pytest.fixture
def proxy(postgresql: PostgreSQL) -> Iterator[Proxy]:
    with proxy_to(postgresql.port) as proxy:
        yield proxy


@pytest.fixture
def servers(postgresql: PostgreSQL, proxy: Proxy, tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers of two workers each, of one installation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", proxy.url(postgresql.url))
        # What finds out here are the requests' own connections, of which each is made anew now and then.
        variables = {"FOLIO_SERVER_TIMING": "on", SECONDS_VARIABLE: "600", "FOLIO_CONNECTION_MAX_AGE": "2", **LATER}
        flags = ("--workers", "2", "--threads", "24")
        with (
            running_server(tmp_path, *flags, **variables) as one,
            running_server(tmp_path, *flags, **{**variables, "DATABASE_URL": one.variables["DATABASE_URL"]}) as two,
        ):
            yield [one, two]


def test_what_is_written_to_the_new_primary_is_read_at_once(
    servers: list[Server], postgresql: PostgreSQL, proxy: Proxy
) -> None:
    key = servers[0].key
    readers = [reader for server in servers for reader in connections_to_each_worker(server.url, key, 2)]
    writers = [server.session(key) for server in servers for _ in range(CLIENTS // 2)]
    tags = [
        writer.post("/api/tags/", json={"name": f"tag {number}"}).json()["id"] for number, writer in enumerate(writers)
    ]
    paths = [f"/api/tags/{tag}/" for tag in tags]
    ask_until_hit(readers, *paths)
    with temporary_server(postgresql.binaries, postgresql) as standby, ThreadPoolExecutor(CLIENTS) as pool:
        wait_for_replay(postgresql, standby)
        standby.promote()
        ask_until_hit(readers, *paths)
        new = f"{standby.url.rpartition('/')[0]}/{database_of(servers)}"
        proxy.switch(standby.port)  # connections that are there stay with the old primary, which answers

        def write_and_read(number: int) -> tuple[int, list[str]]:
            """Write, and read on each worker what went to the new primary; return how often that was, and the stale."""
            name = f"moved {next(numbers)}"
            answer = writers[number].patch(paths[number], json={"name": name})
            if answer.status_code == 503:
                return 0, []
            assert answer.status_code == 200, answer.text
            with psycopg.connect(new) as connection:
                [(there,)] = connection.execute(
                    "SELECT name FROM portfolios_tag WHERE id = %s", [tags[number]]
                ).fetchall()
            if there != name:  # written to the old one, as an operator must prevent
                return 0, []
            return 1, [f"{name} at {read.url}" for read in readers if name_at(read, paths[number]) != name]

        end, seen, wrong = time.monotonic() + PATIENCE, 0, list[str]()
        while seen < WANTED and time.monotonic() < end:
            for count_, stale in pool.map(write_and_read, range(CLIENTS)):
                seen += count_
                wrong += stale

    assert wrong == []
    assert seen >= WANTED
    for server in servers:
        log = server.log.read_text()
        assert "Traceback" not in log
        assert log.count("leads to another server") <= 2, "once a worker at the most"


def test_workers_that_connect_to_nothing_hear_of_the_new_primary_from_the_one_that_does(
    servers: list[Server], postgresql: PostgreSQL, proxy: Proxy
) -> None:
    """Their answers are kept, and each of their connections leads to the old primary, which answers on."""
    key = servers[0].key
    first, *others = [reader for server in servers for reader in connections_to_each_worker(server.url, key, 2)]
    tag = first.post("/api/tags/", json={"name": "before"}).json()["id"]
    path = f"/api/tags/{tag}/"
    with temporary_server(postgresql.binaries, postgresql) as standby:
        wait_for_replay(postgresql, standby)
        standby.promote()
        ask_until_hit([first, *others], path)
        proxy.switch(standby.port)
        with psycopg.connect(f"{standby.url.rpartition('/')[0]}/{database_of(servers)}", autocommit=True) as new:
            end = time.monotonic() + PATIENCE
            while True:
                name = f"heard of {next(numbers)}"
                status = first.patch(path, json={"name": name}).status_code
                if new.execute("SELECT name FROM portfolios_tag WHERE id = %s", [tag]).fetchall() == [(name,)]:
                    break
                assert time.monotonic() < end
                time.sleep(0.1)
        assert status == 200

        assert [name_at(reader, path) for reader in others] == [name] * len(others)


def wait_for_replay(primary: PostgreSQL, standby: PostgreSQL) -> None:
    with psycopg.connect(primary.url) as connection:
        [(position,)] = connection.execute("SELECT pg_current_wal_lsn()::text").fetchall()
    end = time.monotonic() + PATIENCE
    with psycopg.connect(standby.url, autocommit=True) as connection:
        while True:
            [(is_there,)] = connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position]).fetchall()
            if is_there:
                return
            assert time.monotonic() < end
            time.sleep(0.05)


def database_of(servers: list[Server]) -> str:
    [name] = {server.variables["DATABASE_URL"].rpartition("/")[2] for server in servers}
    return name


def name_at(reader: Session, path: str) -> str:
    """Return what is read there; a refusal is no answer, and asked again."""
    for _ in range(20):
        answer = reader.get(path)
        if answer.status_code != 503:
            return str(answer.json().get("name"))
        time.sleep(0.2)
    return "refused"
