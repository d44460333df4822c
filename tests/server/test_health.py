"""Whether a server lives and can be sent requests: asked by any host, shared, bounded, and telling nothing secret."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from folio import __version__
from folio.media.journal import RESERVE
from folio.server import applied, draining, health
from folio.server.applied import needed, state_of_database
from folio.server.health import Health, Looking, state_of_files
from folio.server.requests import Requests
from tests.wsgi import Answer, ask

FINE = {"database": "ok", "migrations": "ok"}


def asked(path: str, method: str = "GET", looking: Any = (), **headers: str) -> Answer:
    def unreachable(environ: Any, start_response: Any) -> Any:
        raise AssertionError("Nothing behind the front is needed.")

    return ask(Requests(unreachable, Health(list(looking) or [looks()])), method, path, headers=headers)


def looks(**parts: str) -> Looking[str]:
    return Looking(lambda: {**FINE, **parts}, FINE)


@pytest.fixture(autouse=True)
def no_end() -> Iterator[None]:
    yield
    draining.end()


@pytest.mark.any_database
class TestHealthz:
    @pytest.mark.parametrize("host", ["10.0.0.7", "evil.example", "a b"])
    def test_answers_whatever_the_host(self, host: str, settings: Any) -> None:
        settings.SECURE_SSL_REDIRECT = True

        answer = asked("/healthz", Host=host)

        assert answer.status_code == 200
        assert answer.json() == {"status": "ok"}
        assert answer.headers["Cache-Control"] == "no-store"

    def test_goes_on_while_nothing_else_does(self) -> None:
        draining.begin()

        assert asked("/healthz", looking=[looks(database="no answer")]).status_code == 200

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_takes_reads_alone(self, path: str) -> None:
        head, post = asked(path, "HEAD"), asked(path, "POST")

        assert head.status_code == 200
        assert head.content == b""
        assert int(head.headers["Content-Length"]) == len(asked(path).content)
        assert post.status_code == 405
        assert post.headers["Allow"] == "GET, HEAD"


@pytest.mark.any_database
class TestReadyz:
    def test_tells_each_part(self) -> None:
        answer = asked("/readyz", Host="10.0.0.7")

        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json() == {
            "status": "ready",
            "version": __version__,
            "parts": {"server": "ok", "database": "ok", "migrations": "ok"},
        }

    def test_says_no_before_the_server_ends(self) -> None:
        looking = looks()
        assert asked("/readyz", looking=[looking]).status_code == 200

        draining.begin()  # of which it is told at once, whatever is kept for a second

        answer = asked("/readyz", looking=[looking])
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert answer.json()["parts"] == {"server": "stopping", **FINE}

    @pytest.mark.parametrize(("part", "word"), [("database", "no answer"), ("migrations", "missing")])
    def test_says_no_for_a_part(self, part: str, word: str) -> None:
        answer = asked("/readyz", looking=[looks(**{part: word})])

        assert answer.status_code == 503
        assert answer.json()["parts"][part] == word

    @pytest.mark.parametrize("word", ["ok", "failed", "late", "none"])
    def test_says_yes_whatever_becomes_of_backups(self, word: str) -> None:
        answer = asked("/readyz", looking=[looks(backup=word)])

        assert answer.status_code == 200
        assert answer.json()["parts"]["backup"] == word

    def test_says_yes_beside_a_newer_version(self) -> None:
        """It has migrated already while it replaces the servers one by one."""
        answer = asked("/readyz", looking=[looks(migrations="newer")])

        assert answer.status_code == 200
        assert answer.json()["parts"]["migrations"] == "newer"

    def test_looks_once_a_second(self) -> None:
        count = 0
        now = 1000.0

        def look() -> dict[str, str]:
            nonlocal count
            count += 1
            return FINE

        looking = Looking(look, FINE, clock=lambda: now)
        for _ in range(1000):
            looking.parts()
        assert count == 1
        now += 1
        looking.parts()
        assert count == 2

    def test_waits_for_nothing_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "PATIENCE", 0.2)
        monkeypatch.setattr(health, "FRESH", 0.05)
        hangs, ends = threading.Event(), threading.Event()
        threads = []

        def look() -> dict[str, str]:
            threads.append(threading.current_thread())
            if hangs.is_set():
                ends.wait(30)
            return FINE

        looking = Looking(look, FINE)
        assert looking.parts() == FINE
        hangs.set()
        time.sleep(0.06)
        began = time.monotonic()
        assert looking.parts() == {"database": "no answer", "migrations": "no answer"}
        for _ in range(100):  # which don't wait one after another, and begin no further threads
            assert looking.parts() == {"database": "no answer", "migrations": "no answer"}
        assert time.monotonic() - began < 5
        assert len(threads) == 2
        hangs.clear()
        ends.set()
        threads[-1].join(5)
        assert looking.parts() == FINE

    def test_lets_one_wait_and_tells_the_others_what_was_found_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "FRESH", 0.0)
        monkeypatch.setattr(health, "PATIENCE", 20.0)
        monkeypatch.setattr(health, "STALE", 60.0)
        ends = threading.Event()
        ends.set()
        looking = Looking(lambda: FINE if ends.wait(20) else {}, FINE)
        looking.parts()
        ends.clear()
        first = threading.Thread(target=looking.parts)
        first.start()
        while looking.thread is None or not looking.thread.is_alive():
            time.sleep(0.01)

        began = time.monotonic()
        assert looking.parts() == FINE
        assert time.monotonic() - began < 5
        ends.set()
        first.join(5)

    def test_tells_nothing_of_what_failed(self) -> None:
        def look() -> dict[str, str]:
            raise RuntimeError('connection to server at "db.internal", port 5432 failed: user "folio"')

        answer = asked("/readyz", looking=[Looking(look, FINE)])

        assert answer.status_code == 503
        assert answer.json()["parts"]["database"] == "no answer"
        assert b"internal" not in answer.content


@pytest.mark.any_database
class TestFiles:
    def test_are_fine(self) -> None:
        assert state_of_files() == {"storage": "ok", "disk": "ok"}
        assert not Path(django_settings.MEDIA_ROOT).exists()  # nothing was made for it

    def test_that_can_t_be_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.access", lambda path, mode: False)

        assert state_of_files()["storage"] == "not writable"

    def test_that_leave_no_reserve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "free", lambda folder: RESERVE - 1)

        assert state_of_files()["disk"] == "full"


@pytest.mark.any_database
class TestMigrations:
    def test_that_are_needed_are_those_that_django_would_apply(self) -> None:
        from django.db.migrations.loader import MigrationLoader

        loader = MigrationLoader(None)
        assert loader.disk_migrations is not None
        assert needed() == set(loader.disk_migrations)

    @pytest.mark.parametrize(
        ("missing", "more", "word"),
        [
            (set(), set(), "ok"),
            ({("access", "0001_initial")}, set(), "missing"),
            (set(), {("access", "9999_later")}, "newer"),
            ({("access", "0001_initial")}, {("access", "9999_later")}, "missing"),
            (set(), {("no_longer_there", "0001_initial")}, "ok"),  # of an app that was taken out, which is no harm
        ],
    )
    def test_that_are_applied(self, monkeypatch: pytest.MonkeyPatch, missing: Any, more: Any, word: str) -> None:
        monkeypatch.setattr(applied, "read", lambda: (needed() - missing | more, "late"))

        assert state_of_database() == {"database": "ok", "migrations": word, "backup": "late"}

    def test_that_can_t_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> Any:
            raise OSError("db.internal")

        monkeypatch.setattr(applied, "read", fail)

        assert state_of_database() == dict.fromkeys(("database", "migrations", "backup"), "no answer")

    def test_of_before_backups_were_scheduled(self) -> None:
        def fail() -> Any:
            raise AssertionError("There is no such table.")

        assert applied.told(needed() - {applied.TABLES}, fail) == "none"
