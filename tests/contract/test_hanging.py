"""A PostgreSQL that hangs holds up what needs it for a moment, nothing else, and leaves two lines in the log."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from folio.tasks.runner import SECONDS_VARIABLE
from tests.live import Server, postgresql_url, running_server
from tests.postgresql import Server as PostgreSQL
from tests.tcp import Proxy, proxy_to
from tests.writers import Database

pytestmark = pytest.mark.skipif(not postgresql_url(), reason="SQLite is a file.")

BOUNDS = {"FOLIO_LOOK_SECONDS": "2", "FOLIO_STATEMENT_SECONDS": "3", "FOLIO_LOCK_SECONDS": "2"}
CROWD = 100  # requests at once, of which the server's threads are 16
PATIENCE = 30  # seconds
SOON = 20  # seconds, of which a machine that does much else may need most


@pytest.fixture(scope="module")
def proxy(postgresql: PostgreSQL) -> Iterator[Proxy]:
    with proxy_to(postgresql.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        behind(proxy),
        running_server(
            tmp_path_factory.mktemp("hanging"), "--threads", "16", **BOUNDS, **{SECONDS_VARIABLE: "1"}
        ) as server,
    ):
        yield server


@contextmanager
def behind(proxy: Proxy) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", proxy.url(os.environ["DATABASE_URL"]))
        yield


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_database_that_swallows_what_it_is_sent(server: Server, proxy: Proxy) -> None:
    api = server.session(server.key)
    media = api.post("/api/media/", files={"file": ("note.txt", b"text")}).json()["f"]
    tag = api.post("/api/tags/", json={"name": "first"}).json()["id"]
    assert api.get("/api/tags/").status_code == 200
    took: dict[str, list[float]] = {"files": [], "others": []}

    def ask(number: int) -> tuple[int, str, str]:
        session = server.session(server.key)
        began = time.monotonic()
        if number % 5 == 0:
            answer = session.get(media if number % 2 else "/static/folio/admin/icon.svg")
        elif number % 5 == 1:
            answer = session.get("/admin/", headers={"Cookie": f"sessionid={'a' * 32}"})
        elif number % 5 == 2:
            answer = session.patch(f"/api/tags/{tag}/", json={"name": f"number {number}"})
        else:
            answer = session.get(f"/api/tags/?limit={number % 100 + 1}")
        took["others" if number % 5 else "files"].append(time.monotonic() - began)
        return answer.status_code, answer.headers.get("Retry-After", ""), answer.headers["Content-Type"].split(";")[0]

    proxy.swallow()
    try:
        with ThreadPoolExecutor(CROWD) as pool:
            answers = list(pool.map(ask, range(CROWD)))
            again = list(pool.map(ask, range(CROWD, CROWD + 20)))
    finally:
        proxy.swallow(False)

    files, others = answers[::5], [answer for number, answer in enumerate(answers) if number % 5]
    assert {status for status, _, _ in files + again[::5]} == {200}
    refused = {(503, "1", "application/json"), (503, "5", "text/html")}
    crowded = {(503, "5", "application/json")}  # where so many bodies come at once that some find no place
    assert refused <= set(others) <= refused | crowded
    assert max(took["files"]) < SOON
    assert max(took["others"]) < SOON
    until(lambda: api.get("/api/tags/").status_code == 200)
    name = api.get(f"/api/tags/{tag}/").json()["name"]
    assert Database(server).execute("SELECT name FROM portfolios_tag WHERE id = %s", tag) == [(name,)]
    lines = [line for line in server.log.read_text().splitlines() if line[:2] == "20"]
    told = [line.split(": ")[1].split(",")[0].split(";")[0] for line in lines]
    assert [words for words in told if words.startswith("The database")] == [
        "The database does not answer",
        "The database answers again",
    ]
    assert len(told) <= 3  # a request that fails in the very moment in which that is found out may tell of itself


def test_what_waits_within_the_database_has_an_end_too(server: Server) -> None:
    """A row that someone has locked, and a statement that takes its time."""
    api = server.session(server.key)
    until(lambda: api.get("/api/auth/me/").status_code == 200)
    tag = api.post("/api/tags/", json={"name": "locked"}).json()["id"]
    with psycopg.connect(server.variables["DATABASE_URL"]) as other:
        other.execute("SELECT * FROM portfolios_tag WHERE id = %s FOR UPDATE", [tag])
        answer = api.patch(f"/api/tags/{tag}/", json={"name": "changed"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "Nothing was changed" in answer.json()["detail"]
    with psycopg.connect(server.variables["DATABASE_URL"]) as other:
        other.execute("LOCK TABLE portfolios_tag IN ACCESS EXCLUSIVE MODE")
        assert api.get("/api/tags/?limit=7").status_code == 503
        assert api.get("/api/auth/me/").status_code == 200
    assert api.get(f"/api/tags/{tag}/").json()["name"] == "locked"


def test_a_command_has_all_the_time_it_needs(server: Server) -> None:
    script = "from django.db import connection as c; x = c.cursor(); x.execute('SHOW statement_timeout'); print(*x)"

    assert server.folio("shell", "--no-imports", "--command", script).strip() == "('0',)"
