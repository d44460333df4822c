"""What is counted, and what whoever may ask is told: in this process, without a server."""

import gzip
import logging
import os
import random
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from folio.checks import metrics_are_not_open
from folio.logs import Console, JSONLines, Lines
from folio.server.health import Health, Looking
from folio.server.metrics import PATH, Metrics, collecting, lanes
from folio.server.metrics.collecting import Collecting
from folio.server.metrics.counting import Counting
from folio.server.metrics.lanes import OTHER, RECORDS, Lanes
from folio.server.requests import Requests
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.environment import settings_of
from tests.snapshots.stage import StubApplication, StubLooks
from tests.wsgi import Answer, ask

from .metrics import SENDS, TOKEN, parsed, value

pytestmark = pytest.mark.any_database
FINE = {"database": "ok"}


@pytest.fixture(autouse=True)
def counted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(lanes, "own", None)
    monkeypatch.setattr(lanes, "lanes", None)
    # What is asked of the database and the disks is tested with a server.
    nothing: Any = dict
    monkeypatch.setattr(collecting, "looking", lambda: (nothing, nothing))


class Stage:
    """The layers in front of an application, which are counted."""

    def __init__(self, application: Any = None, **options: Any) -> None:
        health = Health([Looking(lambda: FINE, FINE)])
        self.front = SnapshotFront(
            application or StubApplication(),
            StubLooks(),  # type: ignore[arg-type]
            SnapshotCache(1_000_000),
            is_told=True,
        )
        self.collecting = Collecting(health, self.front.cache)
        self.requests = Requests(self.front, health, counting=Counting(), **options)
        self.requests.own[PATH] = Metrics(self.collecting)

    def ask(self, url: str, method: str = "GET", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.requests, method, url, b"", named, REMOTE_ADDR="203.0.113.9")

    def told(self) -> dict[str, Any]:
        return parsed(self.collecting.text().decode())


class TestRequests:
    def test_are_counted_by_status_and_by_whether_memory_has_answered(self) -> None:
        stage = Stage()
        for _ in range(3):
            stage.ask("/api/tags/")

        told = stage.told()
        assert value(told, "folio_requests_total", memory="hit", status="200", method="GET") == 2
        assert value(told, "folio_requests_total", memory="miss", status="200", method="GET") == 1
        assert value(told, "folio_request_duration_seconds_count") == 3
        assert value(told, "folio_request_duration_seconds_bucket", le="+Inf") == 3
        assert 0 < value(told, "folio_request_duration_seconds_sum") < 60
        assert value(told, "folio_cache_hits_total", cache="responses") == 2

    def test_are_counted_where_the_application_failed(self) -> None:
        def fail() -> None:
            raise RuntimeError("inside")

        stage = Stage(StubApplication(work=fail))
        with pytest.raises(RuntimeError):
            stage.ask("/admin/")

        assert value(stage.told(), "folio_requests_total", status="500") == 1

    def test_are_counted_at_their_end_where_they_go_out_in_pieces(self) -> None:
        stage = Stage(StubApplication(headers=[]))
        stage.ask("/media/x")

        assert value(stage.told(), "folio_requests_total", route="unmatched") == 1

    def test_a_thousand_paths_and_methods_are_few_kinds(self) -> None:
        stage = Stage(StubApplication(headers=[], status="404 Not Found"))
        for number in range(1000):
            path = "".join(random.choices("abcdefghij/%", k=20))
            stage.ask(f"/{path}", method=f"M{number}" if number % 2 else "GET", X_Request_ID=f"secret-{number}")
        stage.ask("/static/x.css")

        text = stage.collecting.text().decode()
        told = parsed(text)
        assert len(told["folio_requests"].samples) == 3
        assert value(told, "folio_requests_total", route="unmatched", method="other") == 500
        assert value(told, "folio_requests_total", route="/static/") == 1
        assert "secret" not in text

    def test_of_more_kinds_than_there_is_room_for_are_others(self) -> None:
        made = Lanes(1)
        made.use(0, 1)
        lane = made.all[0]
        for number in range(RECORDS + 50):
            lane.numbers[lane.place_of((f"/{number}/", "GET", "200", ""))] += 1
        lane.numbers[lane.place_of(("/" + "x" * 500, "GET", "200", ""))] += 1

        found = {record.kind[0]: sum(record.buckets) for record in lane.records()}
        assert len(found) == RECORDS
        assert found["/0/"] == 1
        assert found[OTHER] == 52


class TestLanes:
    def test_a_dead_workers_counts_stay_and_what_it_had_of_the_moment_goes(self) -> None:
        made = Lanes(2)
        kind = ("/x/", "GET", "200", "hit")

        def work(number: int) -> int | None:
            lane = made.begins()
            child = os.fork()
            if child == 0:
                made.use(lane, number)
                own = made.all[lane or 0]
                own.numbers[own.place_of(kind)] += 5
                own.tell(0, own.measure(0) + 7)
                os._exit(0)
            os.waitpid(child, 0)
            return lane

        first = work(1)
        assert made.all[0].owner > 0
        made.ends(first, has_died=True)
        assert made.all[0].owner == 0
        second = work(1)

        assert first == second == 0
        assert [record.buckets[0] for record in made.all[0].records()] == [10]
        assert made.all[0].measure(0) == 14
        assert list(made.parents[:3]) == [2, 1, 0]

    def test_there_is_none_for_more_workers_than_can_be_seen(self) -> None:
        made = Lanes(1)
        assert [made.begins(), made.begins()] == [0, None]
        made.use(None, 2)  # it counts where nobody sees it

        assert lanes.own is not None
        assert made.all[0].owner == 0
        assert lanes.own.owner == os.getpid()


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Bearer x", TOKEN, f"Token {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é"],
    )
    def test_nobody_else(self, authorization: str) -> None:
        answer = Stage().ask(PATH, Authorization=authorization)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="metrics"'
        assert b"folio_" not in answer.content

    def test_whoever_has_the_token(self) -> None:
        stage = Stage()
        answer = stage.ask(PATH, **SENDS)

        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert value(parsed(answer.content.decode()), "folio_up", part="database") == 1
        assert TOKEN.encode() not in answer.content
        assert value(stage.told(), "folio_requests_total") == 0  # no request of others'

    def test_in_a_compressed_form_too(self) -> None:
        answer = Stage().ask(PATH, Accept_Encoding="gzip, br", **SENDS)

        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"folio_workers" in gzip.decompress(answer.content)

    def test_a_head_without_a_body(self) -> None:
        answer = Stage().ask(PATH, "HEAD", **SENDS)

        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["Content-Length"]) > 1000

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
    def test_nothing_but_reads(self, method: str) -> None:
        answer = Stage().ask(PATH, method, **SENDS)

        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"


class TestWhatHangs:
    def test_is_left_out_and_told_as_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def hang() -> dict[str, Any]:
            time.sleep(20)
            return {}

        monkeypatch.setattr(collecting, "looking", lambda: (Looking(hang, ()).parts, Looking(hang, ()).parts))
        stage = Stage()
        stage.collecting.health.looking = (Looking(hang, ("database",)),)
        began = time.monotonic()
        told = stage.told()

        assert time.monotonic() - began < 15  # three looks, of a second each
        assert value(told, "folio_up", part="database") == 0
        assert "folio_tasks" not in told
        assert "folio_disk_free_bytes" not in told
        assert "folio_workers" in told


class TestSettings:
    @pytest.mark.parametrize("token", ["short", "with a space in it 12345", "é" * 20, '"' * 20])
    def test_a_token_that_could_be_guessed_or_not_be_sent(self, token: str, tmp_path: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="FOLIO_METRICS_TOKEN must be 16 characters or more") as raised:
            settings_of(tmp_path, FOLIO_METRICS_TOKEN=token)
        assert token not in str(raised.value)

    @pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
    def test_a_port_that_is_none(self, port: str, tmp_path: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"FOLIO_METRICS_PORT is .* it must be a port"):
            settings_of(tmp_path, FOLIO_METRICS_PORT=port)

    def test_nothing_is_counted_unless_somebody_may_ask(self, tmp_path: Any) -> None:
        assert settings_of(tmp_path)["METRICS"] is False
        assert settings_of(tmp_path, FOLIO_METRICS_TOKEN=TOKEN)["METRICS"] is True
        assert settings_of(tmp_path, FOLIO_METRICS_PORT="9464")["METRICS"] is True

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "metrics.example"])
    def test_a_port_that_others_reach_without_a_token_is_a_warning(self, host: str, settings: Any) -> None:
        settings.METRICS_HOST, settings.METRICS_PORT = host, 9464
        assert metrics_are_not_open() == []  # there is a token

        settings.METRICS_TOKEN = ""
        [found] = metrics_are_not_open()
        assert found.id == "folio.W013"
        assert found.msg.startswith(f"Metrics are for everybody who reaches {host}, port 9464: ")
        settings.METRICS_PORT = 0
        assert metrics_are_not_open() == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
    def test_a_port_of_this_machine_alone_needs_no_token(self, host: str, settings: Any) -> None:
        settings.METRICS_HOST, settings.METRICS_PORT, settings.METRICS_TOKEN = host, 9464, ""
        assert metrics_are_not_open() == []


def of_requests(lines: list[str]) -> list[str]:
    """Leave out what a thread of another test's may have to say."""
    return [line for line in lines if "folio.requests" in line]


class TestLinesAboutHits:
    @pytest.fixture(params=["text", "json"])
    def console(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
        """The only one that writes the log, as where Folio serves."""
        console = Console(StringIO())
        text = Lines("{asctime} {levelname} {name}{of_request}: {message}", style="{")
        console.setFormatter(text if request.param == "text" else JSONLines())
        monkeypatch.setattr(logging.root, "handlers", [console])
        logging.getLogger("folio.requests").setLevel(logging.INFO)
        yield console
        console.write_gathered()

    def lines(self, console: Console) -> list[str]:
        console.write_gathered()
        output: Any = console.stream
        return list(output.getvalue().splitlines())

    @pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "198.51.100.1"}])
    def test_are_what_the_formatter_would_have_written(
        self, console: Console, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("folio.logs.time.time", lambda: 1_800_000_000.25)
        monkeypatch.setattr("folio.server.lines.in_ms", lambda seconds: 0.0)
        monkeypatch.setattr("folio.server.requests.in_ms", lambda seconds: 0.0)
        monkeypatch.setattr("folio.server.lines.TENTHS", ["0.0"] * 200)
        stage = Stage(access_log=True)
        url = "/api/tags/?limit=3&search=mine"
        for number in ("1", "2", "3"):
            stage.ask(url, X_Request_ID=number, **headers)
        quick = of_requests(self.lines(console))
        monkeypatch.setattr(logging.root, "handlers", [console, logging.NullHandler()])  # the long way
        stage.ask(url, X_Request_ID="3", **headers)
        [*before, slowly] = of_requests(self.lines(console))

        assert before == quick
        [miss, learnt, quickly] = quick
        assert "miss" in miss
        assert "hit" in learnt
        assert learnt.replace('"2"', '"3"').replace("[2]", "[3]") == quickly == slowly

    def test_stand_before_what_is_told_after_them(self, console: Console) -> None:
        stage = Stage(access_log=True)
        for number in ("1", "2", "3"):
            stage.ask("/api/tags/", X_Request_ID=number)
        logging.getLogger("folio.anything").warning("Something is odd.")

        found = self.lines(console)
        assert len(found) == 4
        assert "Something is odd." in found[3]

    def test_are_written_a_moment_later_by_themselves(self, console: Console) -> None:
        stage = Stage(access_log=True)
        for number in ("1", "2"):
            stage.ask("/api/tags/", X_Request_ID=number)
        output: Any = console.stream
        end = time.monotonic() + 30
        while output.getvalue().count("\n") < 2:
            assert time.monotonic() < end, output.getvalue()
            time.sleep(0.01)

    def test_none_is_lost_where_many_threads_bring_them(self, console: Console) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: console.gather(f"{number}\n"), range(20_000)))

        assert sorted(map(int, self.lines(console))) == list(range(20_000))
