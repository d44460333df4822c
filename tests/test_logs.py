"""What the log shows: a line for each failure, its traceback now and then, and no client's mistakes."""

import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http.request import UnreadablePostError
from django.test import Client as Site
from django.test import RequestFactory

from folio.api.errors import failed
from folio.logs import Lines, MistakesOnDemand
from folio.portfolios.views import TagViewSet
from tests.conftest import Client

pytestmark = pytest.mark.django_db

PATH = "/api/tags/"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Iterator[StringIO]:
    """What the settings' handler would have written."""
    logging_settings: Any = django_settings.LOGGING
    line = dict(logging_settings["formatters"]["line"])
    assert line.pop("()") == "folio.logs.Lines"
    output = StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(Lines(**line, clock=clock))
    handler.addFilter(MistakesOnDemand())
    root = logging.getLogger()
    root.addHandler(handler)
    yield output
    root.removeHandler(handler)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise error.with_traceback(None)

    return fail


def lines(log: StringIO) -> list[str]:
    """Return the lines that begin with a moment; what is between them belongs to a traceback."""
    return [line for line in log.getvalue().splitlines() if line[:2] == "20"]


class TestClientsMistakes:
    @pytest.mark.parametrize(
        "mistake",
        [
            lambda client: client.get(PATH, headers={"host": "evil.example"}),
            lambda client: client.get("/admin/", headers={"host": "evil.example"}),
            lambda client: client.get("/", headers={"host": "evil.example:x"}),
            lambda client: client.get(PATH, {"has_imag": "true"}),
            lambda client: client.get("/nothing/"),
            lambda client: client.get("/api/nothing/"),
            lambda client: client.put(PATH, {}),
            lambda client: client.post(PATH, "{half", content_type="application/json"),
            lambda client: client.post(PATH, b"\xff", content_type="application/json"),
            lambda client: client.post("/api/media/", b"--x", content_type="multipart/form-data; boundary=x"),
            lambda client: client.post(PATH, "x", content_type="text/plain"),
            lambda client: Client().get(PATH, headers={"authorization": "Bearer x"}),
            lambda client: client.get("/media/../secret_key"),
        ],
    )
    def test_leave_no_line(self, client: Client, log: StringIO, mistake: Callable[[Client], Any]) -> None:
        assert 400 <= mistake(client).status_code < 500
        assert log.getvalue() == ""

    def test_leave_no_line_in_the_admin_site(self, site: Site, log: StringIO) -> None:
        assert site.get("/admin/portfolios/tag/?name__regex=(").status_code == 400
        assert Site(enforce_csrf_checks=True).post("/admin/login/", {"username": "a"}).status_code == 403
        body = "&".join(f"f{number}=" for number in range(30_000))
        form = "application/x-www-form-urlencoded"
        assert site.post("/admin/portfolios/tag/add/", body, content_type=form).status_code == 400
        assert log.getvalue() == ""

    def test_are_shown_without_a_traceback_to_who_asks_for_everything(
        self, client: Client, log: StringIO, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            client.get("/admin/", headers={"host": "evil.example"})
            client.get("/nothing/")

        [host, nothing] = [line for line in lines(log) if "django.security" in line or "django.request" in line]
        assert " DEBUG django.security.DisallowedHost: Invalid HTTP_HOST header: 'evil.example'" in host
        assert nothing.endswith(" DEBUG django.request: GET /nothing/: 404 Not Found")
        assert "Traceback" not in log.getvalue()

    @pytest.mark.parametrize("path", [PATH, "/admin/"])
    def test_include_going_away_in_the_middle(
        self, client: Client, log: StringIO, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        gone = raising(UnreadablePostError("gone"))
        monkeypatch.setattr("folio.api.viewsets.StrictView.initial", gone)
        monkeypatch.setattr("django.contrib.admin.sites.AdminSite.has_permission", gone)

        assert client.post(path, {"name": "x"}).status_code == 400
        assert log.getvalue() == ""


class TestAFailure:
    def test_leaves_one_line_with_its_traceback(
        self, client: Client, log: StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TagViewSet, "create", raising(RuntimeError("inside")))

        assert client.post(PATH, {"name": "x"}).status_code == 500

        [line] = lines(log)
        assert line.endswith(f" ERROR django.request: POST {PATH}: 500 Internal Server Error (RuntimeError)")
        assert log.getvalue().count("Traceback") == 1
        assert log.getvalue().rstrip().endswith("RuntimeError: inside")

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_of_the_database_leaves_one_line(
        self, client: Client, log: StringIO, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        monkeypatch.setattr(TagViewSet, "initial", raising(OperationalError("database is locked")))

        assert getattr(client, method)(PATH).status_code == 503

        [line] = lines(log)
        assert line.endswith(f"{method.upper()} {PATH}: 503 Service Unavailable (OperationalError) database is locked")
        assert "Traceback" not in log.getvalue(), "which would tell nothing, at length"

    def test_in_the_admin_site_leaves_one_line(
        self, admin: User, log: StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("folio.admin.languages.LanguageMiddleware.__call__", raising(RuntimeError("inside")))

        Site(raise_request_exception=False).get("/admin/")

        [line] = lines(log)
        assert line.endswith(" ERROR django.request: GET /admin/: 500 Internal Server Error (RuntimeError)")

    def test_keeps_to_its_line_whatever_the_path_is(
        self, client: Client, log: StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("folio.portfolios.views.PortfolioViewSet.retrieve_by_slug", raising(RuntimeError("inside")))

        client.get("/api/portfolios/slug/a%0a2026-11-29 ERROR%20forged/")

        [line] = lines(log)
        assert "GET /api/portfolios/slug/a\\n2026-11-29 ERROR forged/: 500" in line

    @pytest.mark.parametrize("begin", ["?", "?include=meta&", "/api/public/portfolios/x/?"])
    def test_masks_what_opens_a_preview(self, log: StringIO, begin: str) -> None:
        """Wherever it stands in a line: in words, in what was raised, in a traceback."""
        url = f"https://api.example.com/{begin}preview=WzEs.c2VjcmV0-_&fields=title"
        try:
            raise RuntimeError(f"could not open '{url}'")
        except RuntimeError:
            logging.getLogger("folio.anything").exception("%s failed, as did <%s>", url, url)

        told = log.getvalue()
        assert told.count("preview=***&fields=title") == told.count("preview=") == 3
        assert "WzEs" not in told
        assert "c2VjcmV0" not in told

    @pytest.mark.parametrize("is_broken", [False, True])
    def test_of_a_preview_tells_no_token(
        self, log: StringIO, monkeypatch: pytest.MonkeyPatch, settings: Any, is_broken: bool
    ) -> None:
        settings.PUBLIC_READ = True
        if is_broken:
            monkeypatch.setattr("folio.delivery.portfolios.shown_by", raising(RuntimeError("inside")))
        logging.getLogger().setLevel(logging.DEBUG)
        try:
            Site(raise_request_exception=False).get("/api/public/portfolios/x/?preview=WzEs.c2VjcmV0")
        finally:
            logging.getLogger().setLevel(logging.WARNING)

        assert ("RuntimeError: inside" in log.getvalue()) == is_broken
        assert "WzEs" not in log.getvalue()

    def test_tells_its_traceback_once_a_minute(
        self, client: Client, log: StringIO, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TagViewSet, "initial", raising(RuntimeError("inside")))

        for _ in range(3):
            client.get(PATH)
        clock.now += 59
        client.get(PATH)
        assert log.getvalue().count("Traceback") == 1
        clock.now += 1
        client.get(PATH)

        assert log.getvalue().count("Traceback") == 2
        first, *others, last = lines(log)
        assert first.endswith("(RuntimeError)")
        assert len(others) == 3
        assert all(line.endswith(f"(RuntimeError) [as the traceback at {first[:23]}]") for line in others)
        assert last.endswith(f"(RuntimeError) [3 more like the traceback at {first[:23]}]")

    def test_of_another_cause_tells_its_own(
        self, client: Client, log: StringIO, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for error in (RuntimeError("one"), ValueError("two")):
            monkeypatch.setattr(TagViewSet, "initial", raising(error))
            client.get(PATH)

        assert log.getvalue().count("Traceback") == 2

    def test_is_forgotten_in_time(self, clock: Clock) -> None:
        formatter = Lines("%(message)s", clock=clock)
        for number in range(50):
            try:
                exec(compile("\n" * number + "raise RuntimeError", "folio", "exec"))
            except RuntimeError:
                record = logging.LogRecord("folio", logging.ERROR, "", 0, "failed", (), sys.exc_info())
            formatter.format(record)
            clock.now += 10

        assert len(formatter.told) == 6


def test_a_page_that_lost_its_client_is_a_mistake_of_the_clients() -> None:
    try:
        raise UnreadablePostError("gone")
    except UnreadablePostError:
        assert failed(RequestFactory().post("/admin/")).status_code == 400


@pytest.mark.parametrize(
    ("level", "text", "is_shown"),
    [
        (logging.ERROR, "Application callable raised an exception", True),
        (logging.INFO, "Started worker-1", False),
        (logging.WARNING, "Configuration allows spawning up to 64 Python threads", False),
    ],
)
def test_of_the_http_server_what_went_wrong_is_shown(level: int, text: str, is_shown: bool) -> None:
    record = logging.LogRecord("_granian", level, "", 0, text, (), None)

    assert MistakesOnDemand().filter(record) is is_shown


def test_a_suspicious_request_is_a_mistake(log: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folio.admin.root.render", raising(SuspiciousOperation("inside")))

    assert Site().get("/").status_code == 400
    assert log.getvalue() == ""
