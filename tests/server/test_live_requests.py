"""A server whose log is in JSON: each line is an object, tells of its request, and holds no secret."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tests.live import ADMIN, Server, running_server

PASSWORD = "correct-horse-7-battery"
WRONG = "wrong-horse-8-battery"
BODY = "words-of-a-body-9"
PREVIEW = "WzEsMSwxXQ.c2VjcmV0LXByZXZpZXc"


ATTEMPTS = 5  # PostgreSQL itself, or the key's last use, may be committed between two reads


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    variables = {
        "FOLIO_ACCESS_LOG": "on",
        "FOLIO_LOG_FORMAT": "json",
        "FOLIO_LOG_LEVEL": "DEBUG",
        "FOLIO_SLOW_MS": "1",
        "FOLIO_PUBLIC_READ": "on",
        "FOLIO_USES_SECONDS": "3600",  # nothing is written but what is asked for here
        "FOLIO_TASKS_SECONDS": "3600",
        "FOLIO_PUBLIC_URL": "https://folio.example/below",
    }
    with running_server(tmp_path_factory.mktemp("requests"), **variables) as server:
        yield server


def lines(server: Server) -> list[dict[str, Any]]:
    """Return the lines of the log; what the command says at its start is no part of it."""
    time.sleep(0.3)  # the answer is on its way before the line is
    _, _, log = server.log.read_text().partition('{"time"')
    return [json.loads(line) for line in f'{{"time"{log}'.splitlines()]


def told(server: Server, request_id: str) -> dict[str, Any]:
    [line] = [
        line
        for line in lines(server)
        if line.get("request_id") == request_id and line["logger"] == "folio.requests" and line["level"] == "INFO"
    ]
    return line


def test_each_line_is_an_object_and_none_holds_a_secret(server: Server) -> None:
    key = server.key
    make_password = f"from django.contrib.auth.models import User; u = User.objects.get(username={ADMIN!r}); "
    server.folio("shell", "--verbosity", "0", "-c", f"{make_password}u.set_password({PASSWORD!r}); u.save()")
    admin, anyone = server.session(key), server.session()
    made = anyone.post("/api/auth/token/", json={"username": ADMIN, "password": PASSWORD}).json()["key"]
    asked = [
        anyone.post("/api/auth/token/", json={"username": ADMIN, "password": WRONG}),
        anyone.post("/api/auth/token/", json={"username": WRONG, "password": WRONG}),
        anyone.get("/api/tags/", headers={"Authorization": f"Bearer {key}"}),
        anyone.get("/api/tags/", headers={"Authorization": f"Token {key}x"}),
        admin.get(f"/api/tags/?key={key}&password={PASSWORD}&search={BODY}"),
        admin.get(f"/api/{key}/"),
        admin.get("/api/tags/", headers={"X-Request-ID": key}),
        admin.get("/api/tags/", headers={"Idempotency-Key": key}),
        admin.post("/api/tags/", json={"name": BODY}),
        admin.post("/api/tags/", json={"name": BODY}),
        admin.post("/api/tags/", data=f'{{"name": "{BODY}', headers={"Content-Type": "application/json"}),
        admin.post("/api/media/", files={"file": (f"{BODY}.txt", BODY.encode())}, data={"name": BODY}),
        anyone.get(f"/api/public/portfolios/x/?preview={PREVIEW}"),
        anyone.get(f"/api/public/portfolios/x/?%70review={PREVIEW}&fields=title"),
        anyone.get(f"/admin/?next=/x/?key={key}&a={PREVIEW}"),
        anyone.post("/admin/login/", data={"username": ADMIN, "password": PASSWORD}),
        anyone.get("/api/tags/", headers={"Host": "evil.example", "Cookie": f"sessionid={BODY}"}),
        admin.post("/api/webhooks/", json={"name": "w", "url": f"https://hooks.example/{BODY}?token={PREVIEW}"}),
    ]
    assert all(answer.headers["X-Request-ID"] for answer in asked)
    assert asked[6].headers["X-Request-ID"] != key

    found = lines(server)
    assert len(found) >= len(asked)
    log = server.log.read_text()
    secrets = [key, made, PASSWORD, WRONG, PREVIEW, "whsec_", key.removeprefix("folio_")[:20]]
    assert [secret for secret in secrets if secret in log] == []
    names = [line for line in found if BODY in json.dumps(line)]
    assert names == []
    own = [line for line in found if line["logger"] == "folio.requests"]
    assert {line["level"] for line in own} == {"INFO", "WARNING"}
    assert all(line["request_id"] for line in own)


def test_a_read_is_told_of_whether_memory_has_answered_or_not(server: Server) -> None:
    session = server.session(server.key)
    url = "/api/employers/?limit=7"
    miss: dict[str, Any] = {}
    hit: dict[str, Any] = {}
    for attempt in range(ATTEMPTS):
        url = f"/api/employers/?limit={7 + attempt}"
        ids = [f"read-{attempt}-{turn}" for turn in (1, 2)]
        for number in ids:
            assert session.get(url, headers={"X-Request-ID": number}).headers["X-Request-ID"] == number
        miss, hit = (told(server, number) for number in ids)
        if hit["memory"] == "hit":
            break

    assert (miss["memory"], hit["memory"]) == ("miss", "hit")
    assert miss["queries"] > hit["queries"] == 0
    for line in (miss, hit):
        assert (line["user"], line["key"], line["client"]) == (ADMIN, "createtoken", "127.0.0.1")
        assert (line["method"], line["path"], line["route"]) == ("GET", url, "/api/employers/")
        assert (line["status"], line["bytes"]) == (200, len(session.get(url).content))
        assert line["ms"] > 0
    warnings = [line for line in lines(server) if line["level"] == "WARNING"]
    [slow] = [line for line in warnings if line.get("request_id") == miss["request_id"]]
    assert slow["message"].startswith(f"Slow: GET {url} 200 took ")
    assert any("portfolios_employer" in statement["sql"] for statement in slow["slowest"])


def test_the_history_names_the_request(server: Server) -> None:
    session = server.session(server.key)
    made = session.post("/api/tags/", json={"name": "Signs"}, headers={"X-Request-ID": "write-1"}).json()

    code = (
        "from django.contrib.admin.models import LogEntry; from folio.history import read; "
        f"print(read(LogEntry.objects.filter(object_id='{made['id']}', object_repr='Signs').get(), None))"
    )
    assert "token='createtoken', request='write-1'" in server.folio("shell", "--verbosity", "0", "-c", code)
    assert told(server, "write-1")["status"] == 201


def test_health_is_told_to_any_host_by_any_scheme(server: Server) -> None:
    session = server.session()
    before = len(lines(server))
    for path in ("/healthz", "/readyz"):
        answer = session.get(path, headers={"Host": "10.1.2.3"}, allow_redirects=False)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert session.head(path, headers={"Host": "10.1.2.3"}).content == b""
    well = dict.fromkeys(("server", "database", "migrations", "storage", "disk", "peers"), "ok")
    assert answer.json()["parts"] == {**well, "backup": "none"}
    assert str(server.folder) not in answer.text
    assert len(lines(server)) == before  # asked each second, they would be most of the log


def test_migrations_that_are_missing_or_not_known_are_told_of(server: Server) -> None:
    change(server, "UPDATE django_migrations SET name = 'x' WHERE app = 'access' AND name = '0001_initial'")
    missing = wait_for(server, "missing")
    change(server, "UPDATE django_migrations SET name = '0001_initial' WHERE app = 'access' AND name = 'x'")
    wait_for(server, "ok")
    change(server, "INSERT INTO django_migrations (app, name, applied) VALUES ('access', '9999_x', '2026-01-01')")
    newer = wait_for(server, "newer")
    change(server, "DELETE FROM django_migrations WHERE name = '9999_x'")

    assert (missing.status_code, newer.status_code) == (503, 200)
    assert wait_for(server, "ok").status_code == 200


def test_looks_at_health_commit_nothing(server: Server) -> None:
    """Each commit would empty every worker's memory."""
    session = server.session(server.key)
    for attempt in range(ATTEMPTS):
        session.get("/api/links/", headers={"X-Request-ID": f"before-{attempt}"})
        for _ in range(3):
            assert server.session().get("/readyz").status_code == 200
            time.sleep(1.05)  # for a look of its own
        session.get("/api/links/", headers={"X-Request-ID": f"after-{attempt}"})
        if told(server, f"after-{attempt}")["memory"] == "hit":
            return
    pytest.fail("Something was committed each time.")


def test_a_disk_without_its_reserve_says_no(server: Server) -> None:
    """The part alone, in another process: to fill a disk takes a disk."""
    code = "from folio.server import health; health.RESERVE = 2**62; print(health.Health().readiness())"

    out = server.folio("shell", "--verbosity", "0", "-c", code)

    assert "(503, " in out
    assert "'disk': 'full'" in out
    assert "'database': 'ok'" in out


def wait_for(server: Server, word: str) -> Any:
    """Return the first answer that tells this of migrations; what was found is told for a second."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = server.session().get("/readyz")
        if answer.json()["parts"]["migrations"] == word:
            return answer
        time.sleep(0.1)
    raise AssertionError(answer.text)


def change(server: Server, statement: str) -> None:
    url = server.variables.get("DATABASE_URL")
    if url:
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(statement.encode())
        return
    with closing(sqlite3.connect(server.folder / "folio.sqlite3", timeout=30)) as file, file:
        file.execute(statement)
