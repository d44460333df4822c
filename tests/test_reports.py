"""Errors are reported to Sentry where SENTRY_DSN says: once, with the request's id, and without what is private."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from folio import __version__, reports
from folio.outages import StorageAway, outage
from tests.environment import run_folio, settings_of
from tests.live import Server, running_server
from tests.sentry import KEY, Sentry, running_sentry

DSN = f"https://{KEY}@o1.ingest.sentry.io/42"
# Settings of a server that has a fault: two addresses more than Folio's, at which it fails.
FAULTY = """
from folio.settings import *
from types import ModuleType
import sys

def fail(request, pk):
    secret, key, cookie = request.body.decode(), request.headers["Authorization"], request.headers["Cookie"]
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise ValueError(f"{secret} {key} {cookie} {request.GET}") from error

def file_away(request):
    raise FileNotFoundError(2, "No such file or directory", "/mnt/media/a.jpg")

urls = ModuleType("faulty_urls")
def urlpatterns():
    from django.urls import path
    from folio.urls import urlpatterns
    return [path("api/faulty/<int:pk>/", fail), path("api/away/", file_away), *urlpatterns]
urls.__getattr__ = lambda name: urlpatterns() if name == "urlpatterns" else (_ for _ in ()).throw(AttributeError(name))
sys.modules["faulty_urls"] = urls
ROOT_URLCONF = "faulty_urls"
MIDDLEWARE = [name for name in MIDDLEWARE if "Csrf" not in name]
"""
PRIVATE = ("ada@example.com", "hunter2", "folio_", "sessionid", "preview", "s3cr3t", "192.0.2.9", "Mozilla")


@pytest.fixture(scope="module")
def sentry() -> Iterator[Sentry]:
    with running_sentry() as sentry:
        yield sentry


@pytest.fixture(scope="module")
def server(sentry: Sentry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "faulty.py").write_text(FAULTY)
    with running_server(folder, SENTRY_DSN=sentry.dsn, DJANGO_SETTINGS_MODULE="faulty") as server:
        yield server


def fail(server: Server, request_id: str) -> int:
    with server.session() as session:
        return session.post(
            "/api/faulty/7/?preview=s3cr3t&email=ada@example.com",
            json={"password": "hunter2", "email": "ada@example.com"},
            headers={
                "Authorization": "Token folio_" + "a" * 43,
                "Cookie": "sessionid=s3cr3t",
                "User-Agent": "Mozilla/5.0",
                "X-Forwarded-For": "192.0.2.9",
                "X-Request-ID": request_id,
            },
        ).status_code


def test_an_error_of_a_server_is_reported_once_and_tells_nothing_private(server: Server, sentry: Sentry) -> None:
    sentry.bodies.clear()

    statuses = [fail(server, f"an-id-{number}") for number in range(20)]

    assert statuses == [500] * 20
    [event] = sentry.wait_for(1)
    assert event["tags"] == {
        "version": __version__,
        "request_id": "an-id-0",
        "method": "POST",
        "route": "/api/faulty/<int:pk>/",
        "status": "500",
    }
    assert event["release"] == f"folio@{__version__}"
    assert event["transaction"] == "/api/faulty/<int:pk>/"
    assert event["logentry"] == {"formatted": "A request failed: ValueError"}
    first, last = event["exception"]["values"]
    assert (first["type"], last["type"]) == ("KeyError", "ValueError")
    assert first["value"] == last["value"] == reports.LEFT_OUT
    assert last["stacktrace"]["frames"][-1]["function"] == "fail"
    assert set(event) <= {*reports.PLAIN, "tags", "logentry", "transaction", "exception"}
    assert not any("vars" in frame for frame in last["stacktrace"]["frames"])
    sent = b"".join(sentry.bodies).decode()
    # The lines of the program are sent, and those of this one name a cookie; no value of a request may be.
    assert [word for word in PRIVATE if word in sent.replace('preview", "', "")] == []


def test_the_text_of_an_error_of_the_system_is_told(server: Server, sentry: Sentry) -> None:
    sentry.bodies.clear()

    with server.session() as session:
        assert session.get("/api/away/").status_code == 500

    [event] = sentry.wait_for(1)
    [failure] = event["exception"]["values"]
    assert failure["value"] == "[Errno 2] No such file or directory: '/mnt/media/a.jpg'"


def test_a_server_that_stops_sends_what_is_left_and_is_held_by_a_silent_sentry_for_a_moment(tmp_path: Path) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    with running_sentry() as sentry:
        sentry.hangs.set()
        with running_server(tmp_path, SENTRY_DSN=sentry.dsn, DJANGO_SETTINGS_MODULE="faulty") as server:
            started = time.monotonic()
            assert [fail(server, f"id-{number}") for number in range(20)] == [500] * 20
            answered = time.monotonic() - started
            sentry.wait_for(1)
            server.process.send_signal(signal.SIGTERM)

            assert server.process.wait(15) == 0
            assert answered < 20, "Sentry, which hangs, kept clients waiting."
            assert "was killed" not in server.log.read_text()
            assert "Retrying" not in server.log.read_text()


def test_a_command_that_fails_is_reported(tmp_path: Path, sentry: Sentry) -> None:
    sentry.bodies.clear()

    done = run_folio(
        "shell", "-c", "raise ValueError('hunter2')", folder=tmp_path, variables={"SENTRY_DSN": sentry.dsn}
    )

    assert done.returncode == 1
    [event] = sentry.wait_for(1)
    assert event["logentry"] == {"formatted": "A command failed: folio shell"}
    assert "hunter2" not in json.dumps(event["exception"]["values"][0]["value"])


class TestSettings:
    pytestmark = pytest.mark.any_database

    def test_none_is_needed(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path)

        assert found["SENTRY_DSN"] == ""
        assert found["LOGGING"]["root"]["handlers"] == ["console"]

    def test_one_is_taken(self, tmp_path: Path) -> None:
        found = settings_of(tmp_path, SENTRY_DSN=f" {DSN} ")

        assert found["SENTRY_DSN"] == DSN
        assert found["LOGGING"]["root"]["handlers"] == ["console", "reports"]

    @pytest.mark.parametrize(
        "text",
        [
            *("on", "https://o1.ingest.sentry.io/42", f"https://{KEY}@/42", f"https://{KEY}@host/"),
            *(f"ftp://{KEY}@host/4", f"https://{KEY}@host:99999/4", f"https://{KEY}@[::1/4"),
            *(f"https://{KEY}@host/project", f"{DSN} x"),
        ],
    )
    def test_what_is_none_is_refused_without_its_key(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured) as refusal:
            settings_of(tmp_path, SENTRY_DSN=text)

        assert str(refusal.value) == (
            "SENTRY_DSN is no address that errors could be reported to. It must be the DSN of a project as Sentry "
            "shows it under Client Keys, such as https://0123456789abcdef@o1.ingest.sentry.io/42."
        )

    def test_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reports, "find_spec", lambda name: None)

        with pytest.raises(ImproperlyConfigured) as refusal:
            settings_of(tmp_path, SENTRY_DSN=DSN)

        assert str(refusal.value).endswith(
            "Install Folio with `sentry`: pip install --require-hashes -r requirements/extras.txt"
        )


@pytest.mark.any_database
class TestWhichLines:
    @pytest.fixture(autouse=True)
    def reported(self, monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
        found: list[logging.LogRecord] = []
        monkeypatch.setattr(reports, "report", found.append)
        self.now = 1000.0
        self.handler = reports.Reports(clock=lambda: self.now)
        return found

    def tell(
        self, error: Exception | None = None, name: str = "folio.x", level: int = logging.ERROR, **more: Any
    ) -> None:
        exc_info: Any = None
        if error is not None:
            try:
                raise error
            except Exception:
                exc_info = sys.exc_info()
        record = logging.LogRecord(name, level, __file__, 1, "words", None, exc_info)
        vars(record).update(more)
        if record.levelno >= self.handler.level:
            self.handler.handle(record)

    def test_one_cause_is_reported_once_a_minute(self, reported: list[Any]) -> None:
        for _ in range(50):
            self.tell(ValueError("a"))
        assert len(reported) == 1

        self.now += reports.SECONDS
        self.tell(ValueError("b"))
        assert len(reported) == 2

    def test_two_causes_are_two(self, reported: list[Any]) -> None:
        self.tell(ValueError("a"))
        self.tell(KeyError("a"))

        assert len(reported) == 2

    @pytest.mark.parametrize("error", [OperationalError("gone"), StorageAway("gone", "no answer")])
    def test_an_outage_is_reported_once_however_many_meet_it(self, error: Exception, reported: list[Any]) -> None:
        for name in range(50):
            self.tell(error, name="django.request", status_code=503, lineno=name)

        assert len(reported) == 1

    def test_what_an_outage_has_told_is_not_told_again(
        self, reported: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outage, "since", 1.0)

        self.tell(OperationalError("gone"), name="django.request", status_code=503)

        assert reported == []

    def test_no_mistake_of_a_client_is_reported(self, reported: list[Any]) -> None:
        self.tell(ValueError("a"), name="django.security.DisallowedHost")
        self.tell(ValueError("a"), name="django.request", status_code=400)
        self.tell(ValueError("a"), level=logging.WARNING)

        assert reported == []

    def test_a_report_that_fails_fails_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(record: logging.LogRecord) -> None:
            raise RuntimeError

        monkeypatch.setattr(reports, "report", broken)
        monkeypatch.setattr(logging, "raiseExceptions", False)

        self.tell(ValueError("a"))


def test_without_it_the_library_is_not_even_loaded(tmp_path: Path) -> None:
    done = run_folio("shell", "-c", "import sys; print('sentry_sdk' in sys.modules)", folder=tmp_path)

    assert "False" in done.stdout, done.stderr
    assert os.listdir(tmp_path) == []
