"""Two workers behind pgbouncer in transaction mode, which has few connections to the server for all of them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests

from folio.tasks.runner import SECONDS_VARIABLE
from tests.environment import run_folio
from tests.live import Server, new_database, photograph, running_server
from tests.pgbouncer import Pooler, running_pgbouncer
from tests.postgresql import Server as PostgreSQL
from tests.readers import connections_to_each_worker
from tests.writers import WAYS, Writers, make_rows, text_of

WORKERS = 2
POOL = 4 * WORKERS + 4  # connections to the server, as the guide counts the least
PATIENCE = 30  # seconds
# Those of two numbers are of `folio.server.peers`, and there for as long as the server is.
CLAIMS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
NEVER_STALE, LEAST = 3, 20  # seconds and writes that it is looked for


@dataclass
class Behind:
    """A server behind pgbouncer, and the address of its database without it."""

    server: Server
    pooler: Pooler
    direct: str

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.direct, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()


@pytest.fixture(scope="module")
def behind(postgresql: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    if postgresql is None:
        pytest.skip("It is about PostgreSQL.")
    with (
        running_pgbouncer(postgresql, default_pool_size=POOL, reserve_pool_size=0, query_wait_timeout=15) as pooler,
        new_database() as variables,
    ):
        direct = variables["DATABASE_URL"]
        with running_server(
            tmp_path_factory.mktemp("behind"),
            *("--workers", str(WORKERS)),
            DATABASE_URL=pooler.url(direct),
            FOLIO_PGBOUNCER="on",
            FOLIO_PUBLIC_READ="on",
            FOLIO_SERVER_TIMING="on",
            FOLIO_KEEP_REMOVED="1s",
            **{SECONDS_VARIABLE: "0.1"},
        ) as server:
            yield Behind(server, pooler, direct)


@pytest.fixture(scope="module")
def writers(behind: Behind) -> Iterator[Writers]:
    with Writers.of(behind.server) as writers:
        yield writers


def wait_for(what: str, condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"There was no {what}."
        time.sleep(0.1)


def test_whatever_is_written_is_read_on_every_worker(behind: Behind, writers: Writers) -> None:
    rows = make_rows(writers.api)
    path = f"/api/tags/{rows.ids['tags']}/"
    readers = connections_to_each_worker(behind.server.url, behind.server.key, WORKERS)

    for way, write in WAYS.items():  # the admin site's form among them, where someone has signed in
        write(writers, "tags", rows.ids["tags"], way)
        assert [text_of("tags", reader.get(path).json()) for reader in readers] == [way] * len(readers)

    assert writers.api.get(f"/api/public/portfolios/?search={rows.slug}").json()["count"] == 1


def test_no_read_is_stale_while_everyone_writes(behind: Behind, writers: Writers) -> None:
    pk = writers.api.post("/api/tags/", json={"name": uuid4().hex}).json()["id"]
    path = f"/api/tags/{pk}/"
    readers = connections_to_each_worker(behind.server.url, behind.server.key, WORKERS)
    is_over = Event()
    acknowledged = 0
    seen = []

    def read(reader: requests.Session) -> None:
        while not is_over.is_set():
            before = acknowledged
            answer = reader.get(path)
            assert answer.status_code == 200, answer.text
            name = answer.json()["name"]
            assert not name.isdecimal() or int(name) >= before
            assert name.isdecimal() or before == 0
            seen.append(name)

    with ThreadPoolExecutor(len(readers)) as threads:
        reading = [threads.submit(read, reader) for reader in readers]
        end = time.monotonic() + NEVER_STALE
        try:
            while time.monotonic() < end or acknowledged < LEAST:
                response = writers.api.patch(path, json={"name": str(acknowledged + 1)})
                assert response.status_code == 200, response.text
                acknowledged += 1
        finally:
            is_over.set()
        for each in reading:
            each.result(PATIENCE)
    assert len(set(seen)) > 2


def test_files_are_uploaded_and_removed_by_a_task(behind: Behind, writers: Writers) -> None:
    answer = writers.api.post("/api/media/", files={"file": ("china.jpg", photograph("china.jpg"))})
    assert answer.status_code == 201, answer.text
    folder = behind.server.folder / "media"
    files = [path for path in folder.rglob("china*.*") if path.is_file()]
    assert files

    assert writers.api.delete(f"/api/media/{answer.json()['id']}/").status_code == 204

    wait_for("end of the files", lambda: not any(path.exists() for path in files))


def test_of_many_requests_with_one_key_one_is_done(behind: Behind) -> None:
    name = uuid4().hex

    def post(_: int) -> requests.Response:
        headers = {"Idempotency-Key": name}
        return behind.server.session(behind.server.key).post("/api/employers/", json={"name": name}, headers=headers)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(post, range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    wait_for("end of all claims", lambda: behind.ask(CLAIMS) == [(0,)])  # none leaked to whoever is served next


def test_the_connections_are_named(behind: Behind) -> None:
    query = "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
    names = {name for (name,) in behind.ask(query)}

    assert "folio" in names
    assert not [name for name in names if name.startswith("folio ")]  # pgbouncer would change it again and again


def test_commands_write_and_read(behind: Behind, tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "a-house"
    folder.mkdir(parents=True)
    (folder / "index.md").write_text("---\ntitle: A house behind a pooler\nexcerpt: It stands.\n---\nText.\n")

    behind.server.folio("import", str(tmp_path / "projects"))
    behind.server.folio("export", str(tmp_path / "export"))

    found = behind.server.session(behind.server.key).get("/api/public/portfolios/?search=pooler").json()
    assert found["count"] == 1
    assert (tmp_path / "export" / ".folio-export").exists()


@pytest.mark.parametrize("pgbouncer", ["off", "on"])
def test_a_check_tells_of_a_pooler_that_no_setting_tells_of(behind: Behind, tmp_path: Path, pgbouncer: str) -> None:
    variables = {**behind.server.variables, "FOLIO_PGBOUNCER": pgbouncer}

    told = run_folio("check", folder=tmp_path, variables=variables)
    direct = run_folio("check", folder=tmp_path, variables={**variables, "DATABASE_URL": behind.direct})

    assert told.returncode == direct.returncode == 0, told.stderr
    assert ("folio.W010" in told.stderr) == (pgbouncer == "off"), told.stderr
    assert "folio.W010" not in direct.stderr


def test_servers_that_start_together_migrate_one_after_another(behind: Behind, tmp_path: Path) -> None:
    name = f"folio_empty_{uuid4().hex}"
    with psycopg.connect(behind.direct, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = f"{behind.pooler.url(behind.direct).rpartition('/')[0]}/{name}"

    def migrate(_: int) -> tuple[int, str]:
        variables = {"DATABASE_URL": url, "FOLIO_PGBOUNCER": "on"}
        done = run_folio("migrate", "--verbosity", "0", folder=tmp_path, variables=variables)
        return done.returncode, done.stderr

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(migrate, range(2)))

    assert [status for status, _ in answers] == [0, 0], answers
    assert sum("Another server migrates this database" in said for _, said in answers) == 1
    assert behind.ask(CLAIMS) == [(0,)]


def test_goes_on_where_pgbouncer_was_restarted(behind: Behind, writers: Writers) -> None:
    path = f"/api/tags/?search={uuid4().hex}"
    assert writers.api.get(path).status_code == 200
    behind.pooler.stop()
    assert writers.api.get(path).status_code == 503
    behind.pooler.start()

    def all_answer() -> bool:
        """Tell whether both workers answer, each of which finds out by itself that it can."""
        sessions = [behind.server.session(behind.server.key) for _ in range(20)]
        return {each.get(f"{path}{number}").status_code for number, each in enumerate(sessions)} == {200}

    wait_for("answer of every worker", all_answer)
