"""The id of each request, and what the log tells of requests: never a secret."""

import json
import logging
import time
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.db import connection

from folio.current import HEADER, current, ids
from folio.logs import JSONLines, Lines
from folio.server.health import Health
from folio.server.requests import Requests
from folio.server.shown import quoted, shown_path
from folio.server.slow import plain
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.snapshots.stage import StubApplication, StubLooks
from tests.wsgi import Answer, ask

KEY = "folio_" + "k" * 43
URL = "/api/tags/"


class Stage:
    """The layers in front of an application, and what they wrote."""

    def __init__(self, output: StringIO, application: Any = None, **options: Any) -> None:
        self.output = output
        self.application = application or StubApplication()
        self.front = SnapshotFront(
            self.application,
            StubLooks(),  # type: ignore[arg-type]
            SnapshotCache(1_000_000),
            is_told=options.get("access_log", False),
        )
        self.requests = Requests(self.front, Health([]), **options)

    def ask(self, url: str = URL, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.requests, method, url, body, named, REMOTE_ADDR="203.0.113.9")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.getvalue().splitlines()]


@pytest.fixture
def output() -> StringIO:
    return StringIO()


@pytest.fixture(autouse=True)
def in_json(output: StringIO) -> Iterator[None]:
    handler = logging.StreamHandler(output)
    handler.setFormatter(JSONLines())
    root, own = logging.getLogger(), logging.getLogger("folio.requests")
    root.addHandler(handler)
    own.setLevel(logging.INFO)
    yield
    root.removeHandler(handler)


@pytest.mark.any_database
class TestTheId:
    @pytest.mark.parametrize(
        "given", ["7", "abc-123", "b2a7c0de-4f1f-4b61-9f7c-5d3c1f1e2a3b", "Root=1-67891233-abc", "x" * 128]
    )
    def test_is_the_one_that_was_sent(self, output: StringIO, given: str) -> None:
        assert Stage(output).ask(X_Request_ID=given).headers[HEADER] == given

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", 'a"b', "<b>", "a,b", KEY, f"x-{KEY}", "whsec_abc"])
    def test_is_a_new_one_where_it_is_not_well_formed(self, output: StringIO, given: str) -> None:
        answered = Stage(output).ask(X_Request_ID=given).headers[HEADER]

        assert answered != given
        assert answered.replace("-", "").isalnum()

    def test_is_another_one_for_each_request(self) -> None:
        assert len({ids.new() for _ in range(1000)}) == 1000

    def test_is_no_part_of_what_is_kept(self, output: StringIO) -> None:
        stage = Stage(output)
        first, again, third = (stage.ask(X_Request_ID=number) for number in ("1", "2", "3"))

        assert stage.application.count == 1
        assert [answer.headers[HEADER] for answer in (first, again, third)] == ["1", "2", "3"]
        assert first.content == third.content
        assert first.headers["ETag"] == third.headers["ETag"]

    @pytest.mark.parametrize("access_log", [False, True])
    def test_is_there_while_the_request_is_and_gone_with_it(self, output: StringIO, access_log: bool) -> None:
        seen = []
        stage = Stage(output, StubApplication(work=lambda: seen.append(current.id)), access_log=access_log)
        stage.ask(X_Request_ID="1")
        stage.ask("/admin/", X_Request_ID="2")

        assert seen == ["1", "2"]
        assert current.id == ""

    def test_stands_in_each_line_of_its_request(self, output: StringIO) -> None:
        def warn() -> None:
            logging.getLogger("folio.anything").warning("Something is odd.")

        Stage(output, StubApplication(work=warn)).ask(X_Request_ID="1")
        warn()

        [within, afterwards] = Stage(output).lines
        assert within["request_id"] == "1"
        assert "request_id" not in afterwards


@pytest.mark.any_database
class TestALine:
    def test_is_written_where_it_is_asked_for_alone(self, output: StringIO) -> None:
        Stage(output).ask()
        assert output.getvalue() == ""

    def test_tells_of_misses_and_hits(self, output: StringIO) -> None:
        stage = Stage(output, access_log=True)
        answers = [stage.ask("/api/tags/?limit=3&search=mine", X_Request_ID=number) for number in "12"]

        [miss, hit] = stage.lines
        assert [line["memory"] for line in (miss, hit)] == ["miss", "hit"]
        for line, answer, number in zip((miss, hit), answers, "12", strict=True):
            assert line["request_id"] == number
            assert line["message"] == "GET /api/tags/?limit=3&search=*** 200"
            assert line["bytes"] == len(answer.content)
            assert line["client"] == "203.0.113.9"
            assert line["level"] == "INFO"
            assert line["ms"] >= 0
        assert hit["queries"] == 0

    def test_tells_of_what_is_sent_piece_by_piece(self, output: StringIO) -> None:
        stage = Stage(output, StubApplication(headers=[]), access_log=True)
        answer = stage.ask("/media/x")

        [line] = stage.lines
        assert line["bytes"] == len(answer.content) > 0
        assert stage.application.bodies[0].closed == 1

    def test_tells_of_what_failed_within(self, output: StringIO) -> None:
        def fail() -> None:
            raise RuntimeError("inside")

        with pytest.raises(RuntimeError):
            Stage(output, StubApplication(work=fail), access_log=True).ask("/admin/")

        [line] = Stage(output).lines
        assert line["status"] == 500
        current.id = ""

    @pytest.mark.parametrize(
        ("path", "query", "told"),
        [
            ("/api/tags/", "", "/api/tags/"),
            ("/api/tags/", "limit=3&ordering=-name", "/api/tags/?limit=3&ordering=-name"),
            ("/x/", "preview=WzEs.c2Vj", "/x/?preview=***"),
            ("/x/", "%70review=WzEs.c2Vj", "/x/?preview=***"),
            ("/x/", "password=hunter2&token=a&next=/admin/?key=a", "/x/?password=***&token=***&next=***"),
            ("/x/", f"limit={KEY}", "/x/?limit=***"),
            ("/x/", f"{KEY}=1", "/x/?***=***"),
            ("/x/", f"{KEY}", "/x/?***="),
            (f"/api/{KEY}/", "", "/api/folio_***/"),
            ("/a\nb", "", "/a\\nb"),
            ("/" + "é".encode().decode("latin-1"), "", "/\\xe9"),
            ("/" + "x" * 999, "", "/" + "x" * 299 + "..."),
        ],
    )
    def test_has_a_path_without_secrets(self, path: str, query: str, told: str) -> None:
        assert shown_path(path, query) == told

    def test_keeps_names_to_themselves(self) -> None:
        assert quoted("ada") == "ada"
        assert quoted(None) == "-"
        assert quoted("-") == '"-"'
        assert quoted('a" user=eve\n') == '"a\\" user=eve\\n"'

    def test_is_one_for_people_too(self, output: StringIO) -> None:
        [handler] = [each for each in logging.getLogger().handlers if getattr(each, "stream", None) is output]
        handler.setFormatter(Lines("{asctime} {levelname} {name}{of_request}: {message}", style="{"))
        Stage(output, access_log=True).ask(X_Request_ID="1")

        [line] = output.getvalue().splitlines()
        assert " INFO folio.requests [1]: GET /api/tags/ 200 " in line
        assert line.endswith("route=- client=203.0.113.9 user=- key=-")


class Slowly(BytesIO):
    """A body that its client takes a while to send."""

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0.1)
        return super().read(size)


class TestASlowRequest:
    @pytest.mark.django_db
    def test_is_told_with_its_statements_and_none_of_their_values(self, output: StringIO) -> None:
        def work() -> None:
            with connection.cursor() as cursor:
                for value in ("hunter2", "hunter3"):
                    cursor.execute("SELECT %s AS a, 'inline hunter4'", [value])
                cursor.execute("SELECT 1 WHERE 1 IN (%s, %s, %s)", [1, 2, 3])

        stage = Stage(output, StubApplication(work=work), slow_ms=1)
        stage.requests.slow_ms = 0.0001  # type: ignore[assignment]
        stage.ask()

        [line] = stage.lines
        assert line["level"] == "WARNING"
        assert line["queries"] == 3
        statements = {one["sql"]: one["times"] for one in line["slowest"]}
        assert statements == {"SELECT %s AS a, '...'": 2, "SELECT 1 WHERE 1 IN (%s, ...)": 1}
        assert "hunter" not in output.getvalue()
        assert current.statements is None

    @pytest.mark.any_database
    def test_is_none_that_was_quick(self, output: StringIO) -> None:
        Stage(output, slow_ms=10_000).ask()
        assert output.getvalue() == ""

    @pytest.mark.any_database
    def test_is_none_that_was_put_off(self, output: StringIO) -> None:
        """An outage makes thousands of them, and has its own line."""
        stage = Stage(output, StubApplication(status="503 Service Unavailable", headers=[]), slow_ms=1)
        stage.requests.slow_ms = 0.0001  # type: ignore[assignment]
        stage.ask()
        assert output.getvalue() == ""

    @pytest.mark.any_database
    def test_is_none_whose_client_was_slow(self, output: StringIO) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            environ["wsgi.input"].read(3)
            start_response("200 OK", [])
            return []

        requests = Requests(application, Health([]), slow_ms=90)
        body: Any = {"wsgi.input": Slowly(b"abc"), "CONTENT_LENGTH": "3"}
        ask(requests, "POST", URL, b"", **body)

        assert output.getvalue() == ""

    @pytest.mark.any_database
    def test_has_long_lists_cut(self) -> None:
        columns = ", ".join(f'"access_token"."column_{number}"' for number in range(40))

        text = plain(f'SELECT {columns}\n FROM "access_token" WHERE "access_token"."id" = %s')

        assert text.startswith('SELECT "access_token"."column_0", ')
        assert text.endswith('... FROM "access_token" WHERE "access_token"."id" = %s')
        assert len(text) < 150


@pytest.mark.any_database
class TestLinesInJSON:
    def test_have_their_traceback_in_a_member(self, output: StringIO) -> None:
        def fail(secret: str) -> None:
            raise RuntimeError("inside")

        try:
            fail("".join(["hunt", "er2"]))
        except RuntimeError:
            logging.getLogger("folio.anything").exception("It failed with\n%s", KEY)

        [line] = Stage(output).lines
        assert line["message"] == "It failed with\nfolio_***"
        assert line["traceback"].startswith("Traceback (most recent call last)")
        assert line["traceback"].endswith("RuntimeError: inside")
        assert "hunter2" not in output.getvalue()
        assert line["time"].endswith("Z")

    def test_stand_half_a_character(self, output: StringIO) -> None:
        logging.getLogger("folio.anything").warning("half: \ud800")
        assert Stage(output).lines[0]["message"] == "half: \ud800"
