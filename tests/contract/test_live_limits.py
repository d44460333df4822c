"""Limits on real servers: the workers of one machine, and two machines that share a database and a Redis."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from tests.live import PATIENT, Server, begin, beginning, new_database, postgresql_url, running_server
from tests.redis import Redis, running_redis

SECRET = {"FOLIO_SECRET_KEY": "one for both machines, of the tests"}
LIST = "/api/tags/"


def ask(server: Server, number: int, key: str | None = None) -> requests.Response:
    """Ask for what nobody has asked for, on a connection of its own, which comes to any worker."""
    with server.session(key or server.key) as session:
        return session.get(f"{LIST}?id_max={number}")


def count(statuses: list[int]) -> dict[int, int]:
    return {status: statuses.count(status) for status in set(statuses)}


@contextmanager
def machines(folder: Path, **variables: str) -> Iterator[list[Server]]:
    """Two servers of one installation, with data folders of their own: they share the database, and no file else."""
    folders = [folder / "one", folder / "two"]
    for each in folders:
        each.mkdir()
    with ExitStack() as stack:
        database = stack.enter_context(new_database())
        if not database:
            begin(folders[0])
            database = {"DATABASE_URL": f"sqlite:///{folders[0] / 'folio.sqlite3'}"}
        variables = {**SECRET, **PATIENT, "FOLIO_TASKS_SECONDS": "3600", **database, **variables}
        servers = [stack.enter_context(running_server(each, **variables)) for each in folders]
        for server in servers:
            server.key = beginning(postgresql_url()).key
        yield servers


def test_the_workers_of_a_machine_count_together(tmp_path: Path) -> None:
    with running_server(tmp_path, "--workers", "2", FOLIO_RATE="20/day", FOLIO_WRITE_RATE="3/day") as server:
        answers = [ask(server, number) for number in range(40)]
        with server.session(server.key) as session:
            writes = [session.post(LIST, json={"name": f"tag {number}"}).status_code for number in range(5)]

    assert count([answer.status_code for answer in answers]) == {200: 20, 429: 20}
    assert answers[0].headers["RateLimit-Policy"] == '"reads";q=20;w=86400'
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers[:20]] == [
        f"r={left}" for left in range(19, -1, -1)
    ]
    assert 0 < int(answers[39].headers["Retry-After"]) <= 4320
    assert writes == [201] * 3 + [429] * 2


def test_the_defaults_hinder_no_build(tmp_path: Path) -> None:
    """Some hundred reads and writes, as fast as they can be sent, of the 6,000 that are heard at once."""
    with running_server(tmp_path) as server, server.session(server.key) as session:
        reads = [session.get(f"{LIST}?id_max={number}") for number in range(300)]
        writes = [session.post(LIST, json={"name": f"tag {number}"}) for number in range(100)]

    assert {answer.status_code for answer in reads} == {200}
    assert {answer.status_code for answer in writes} == {201}
    assert reads[-1].headers["RateLimit-Policy"] == '"reads";q=6000;w=60'


@pytest.fixture
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


def sign_in(server: Server, password: str = "wrong") -> requests.Response:
    with server.session() as session:
        return session.post("/api/auth/token/", json={"username": "ada", "password": password})


def test_two_machines_count_together_until_redis_goes_and_again_when_it_comes(tmp_path: Path, redis: Redis) -> None:
    variables = {"FOLIO_REDIS_URL": redis.url, "FOLIO_RATE": "10/day", "FOLIO_PUBLIC_READ": "on"}
    with machines(tmp_path, FOLIO_PUBLIC_RATE="4/day", **variables) as (one, two):
        both = [one, two] * 6
        reads = [ask(server, number).status_code for number, server in enumerate(both)]
        public = [
            server.session().get(f"/api/public/tags/?limit={number + 1}").status_code
            for number, server in enumerate(both[:6])
        ]
        attempts = [sign_in(server).status_code for server in both[:7]]
        assert count(reads) == {200: 10, 429: 2}
        assert public == [200] * 4 + [429] * 2
        assert attempts == [400] * 5 + [429] * 2
        assert not list(tmp_path.glob("*/rates")), "while Redis counts, no machine does"

        redis.stop()
        alone = [[ask(server, 100 + number).status_code for number in range(12)] for server in (one, two)]
        assert [count(each) for each in alone] == [{200: 10, 429: 2}] * 2, "each machine by itself"
        assert two.session().get("/readyz").status_code == 200
        known = [sign_in(server).status_code for server in (one, two)]
        # Each machine goes on with the failures that it has seen itself, which are fewer than five.
        assert known == [400, 400]
        assert [sign_in(one).status_code for _ in range(3)] == [400, 429, 429]

        redis.start()
        for server in (one, two):
            wait_until_counted_in(redis, server)
        logs = [server.log.read_text() for server in (one, two)]

    for log in logs:
        assert log.count("Redis does not answer; each machine counts requests") == 1
        assert log.count("Redis answers again, after ") == 1
        assert "Traceback" not in log


def wait_until_counted_in(redis: Redis, server: Server) -> None:
    """Ask until the server's requests come to Redis again, which it tries once a second."""
    redis.client.flushall()
    for number in range(600):
        ask(server, 1000 + number)
        if redis.names():
            return
        time.sleep(0.1)
    raise AssertionError("The server does not count in Redis.")


def test_a_redis_that_hangs_keeps_nobody_waiting_and_fails_nothing(tmp_path: Path, redis: Redis) -> None:
    with machines(tmp_path, FOLIO_REDIS_URL=redis.tcp_url, FOLIO_RATE="400/day") as (one, two):
        assert [ask(server, 1).status_code for server in (one, two)] == [200, 200]
        redis.hang()
        try:
            reads = [ask(server, number).status_code for number in range(2, 42) for server in (one, two)]
            made = [
                server.session(server.key).post(LIST, json={"name": f"{server.folder.name} {number}"}).status_code
                for number in range(5)
                for server in (one, two)
            ]
            ready = one.session().get("/readyz").status_code
            signed = sign_in(one).status_code
        finally:
            redis.go_on()
        log = one.log.read_text()

    assert set(reads) == {200}
    assert set(made) == {201}
    assert (ready, signed) == (200, 400)
    assert log.count("Redis does not answer") == 1
