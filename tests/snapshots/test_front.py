"""The response cache in front of an application that says how often it was asked."""

import gzip
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BytesIO
from itertools import pairwise
from math import inf
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from django.db import connection, connections, transaction

from folio.snapshots import KEEP, SNAPSHOT
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront, StartResponse, call_with_room_for_frames

URL = "/api/portfolios/"
KEY = "Token secret"
LONG = b'{"title": "Harbour"}' * 100


class Body:
    """What an application answers with: as in Django's responses, closing it ends the request."""

    def __init__(self, *parts: bytes, streaming: bool = False) -> None:
        self.parts = parts
        self.streaming = streaming
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        self.closed += 1


@dataclass
class StubApplication:
    """Answers each request with how often it was asked, marked as to be kept unless told otherwise."""

    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [(KEEP, str(inf))])
    content: Callable[[int], bytes] = lambda count: b'{"count": %d}' % count
    streaming: bool = False
    bodies: list[Body] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    work: Callable[[], Any] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.requests.append(dict(environ))
        self.work()
        content = self.content(len(self.requests))
        self.bodies.append(Body(content[:5], content[5:], streaming=self.streaming))
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), *self.headers]
        start_response(self.status, headers)
        return self.bodies[-1]

    @property
    def count(self) -> int:
        return len(self.requests)


class StubLooks:
    """The current snapshot, as the test sets it."""

    def __init__(self) -> None:
        self.number: int | None = 1
        self.generation: int | None = 1
        self.count = 0

    def snapshot(self) -> int | None:
        self.count += 1
        return self.number


@dataclass
class Answer:
    status: str
    headers: dict[str, str]
    content: bytes


@dataclass
class Scene:
    """A front with what stands behind it."""

    application: StubApplication
    looks: StubLooks
    cache: SnapshotCache
    front: SnapshotFront

    def ask(self, method: str = "GET", url: str = URL, **environ: Any) -> Answer:
        path, _, query = url.partition("?")
        request: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "api.example.com",
            "SERVER_PORT": "80",
            "HTTP_AUTHORIZATION": KEY,
            "wsgi.input": BytesIO(),
        }
        request.update({name: value for name, value in environ.items() if value is not None})
        setup_testing_defaults(request)
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            started[:] = status, headers
            return lambda data: None

        result: Any = validator(self.front)(request, start_response)  # which checks what WSGI asks of both sides
        content = b"".join(result)
        result.close()
        status, headers = started
        assert len({name.lower() for name, _ in headers}) == len(headers), "each header once"
        return Answer(status, dict(headers), content)


@pytest.fixture
def scene() -> Scene:
    application, looks, cache = StubApplication(), StubLooks(), SnapshotCache(1_000_000)
    return Scene(application, looks, cache, SnapshotFront(application, looks, cache))  # type: ignore[arg-type]


def test_answers_from_memory_while_the_snapshot_is_current(scene: Scene) -> None:
    answers = [scene.ask() for _ in range(3)]

    assert {answer.content for answer in answers} == {b'{"count": 1}'}
    assert answers[0] == answers[1] == answers[2], "a kept answer is the one that was given, header by header"
    assert scene.looks.count == 3, "each of them looked"


def test_asks_again_in_another_snapshot(scene: Scene) -> None:
    scene.ask()
    scene.looks.number = 2

    assert scene.ask().content == b'{"count": 2}'


def test_an_answer_is_kept_under_the_snapshot_before_it_was_computed(scene: Scene) -> None:
    """Of what was committed meanwhile it may hold all, a part or nothing; it is given to nobody else."""

    def commit() -> None:
        scene.looks.number = 2

    scene.application.work = commit
    torn = scene.ask()
    scene.application.work = lambda: None
    after = scene.ask()

    assert (torn.content, after.content) == (b'{"count": 1}', b'{"count": 2}')
    assert scene.ask().content == after.content


def test_an_answer_that_was_overtaken_by_a_newer_one_is_not_kept(scene: Scene) -> None:
    def be_overtaken() -> None:
        scene.application.work = lambda: None
        scene.looks.number = 2
        scene.ask()

    scene.application.work = be_overtaken
    scene.ask()

    assert scene.ask().content == b'{"count": 2}'
    assert scene.application.count == 2


def test_computes_each_time_where_the_snapshot_can_not_be_told(scene: Scene) -> None:
    scene.ask()
    scene.looks.number = None

    assert [scene.ask().content for _ in range(2)] == [b'{"count": 2}', b'{"count": 3}']


def test_computes_each_time_where_there_is_no_watch(scene: Scene) -> None:
    scene.front.looks = None

    assert [scene.ask().content for _ in range(2)] == [b'{"count": 1}', b'{"count": 2}']
    assert "ETag" in scene.ask().headers


def test_tells_the_application_the_snapshot_that_was_current_when_the_request_came(scene: Scene) -> None:
    scene.ask()
    scene.looks.number = None
    scene.ask()

    assert [request[SNAPSHOT] for request in scene.application.requests] == [1, None]


@pytest.mark.parametrize(
    "other",
    [
        {"PATH_INFO": "/api/tags/"},
        {"QUERY_STRING": "limit=2"},
        {"HTTP_HOST": "www.example.com"},
        {"HTTP_HOST": "api.example.com:8080"},
        {"wsgi.url_scheme": "https"},
        {"SCRIPT_NAME": "/folio"},
        {"SERVER_NAME": "other"},
        {"SERVER_PORT": "8080"},
        {"HTTP_AUTHORIZATION": "Token other"},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_X_FORWARDED_HOST": "www.example.com"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_FORWARDED_PORT": "8443"},
    ],
    ids=str,
)
def test_another_request_never_gets_the_answer(scene: Scene, other: dict[str, str]) -> None:
    first = scene.ask()

    assert scene.ask(**other).content == b'{"count": 2}'
    assert scene.ask(**other).content == b'{"count": 2}'
    assert scene.ask().content == first.content


def test_no_part_of_the_key_runs_into_the_next(scene: Scene) -> None:
    scene.ask(PATH_INFO="/api/a", QUERY_STRING="b=c")

    assert scene.ask(PATH_INFO="/api/ab", QUERY_STRING="=c").content == b'{"count": 2}'
    assert scene.ask(PATH_INFO="/api/a?b=c", QUERY_STRING="").content == b'{"count": 3}'


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_is_kept_or_answered_from_memory(scene: Scene, method: str) -> None:
    scene.application.headers = []
    scene.ask(method)
    scene.ask(method)
    scene.application.headers = [(KEEP, "inf")]
    scene.ask()

    assert scene.ask(method).content == b'{"count": 4}'
    assert SNAPSHOT not in scene.application.requests[-1], "what a write reads is never from a cache"


@pytest.mark.parametrize("url", ["/admin/", "/media/picture.png", "/apiary/", "/"])
def test_nothing_beside_the_api_is_kept(scene: Scene, url: str) -> None:
    scene.application.headers = []

    assert [scene.ask(url=url).content for _ in range(2)] == [b'{"count": 1}', b'{"count": 2}']


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "7"}, {"HTTP_TRANSFER_ENCODING": "chunked"}], ids=str)
def test_a_request_with_a_body_is_left_to_the_application(scene: Scene, environ: dict[str, str]) -> None:
    """Django refuses or reads it; a hit would leave it on the connection."""
    scene.ask()

    assert scene.ask(**environ).content == b'{"count": 2}'
    assert scene.ask().content == b'{"count": 1}'


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "301 Moved", "401 Unauthorized", "404 Not Found"])
def test_only_200_is_kept(scene: Scene, status: str) -> None:
    scene.application.status = status
    scene.application.content = lambda count: b""

    answers = [scene.front(environ(), lambda *_: None) for _ in range(2)]

    assert len(answers) == scene.application.count == 2


def environ() -> dict[str, Any]:
    request: dict[str, Any] = {"PATH_INFO": URL, "REQUEST_METHOD": "GET"}
    setup_testing_defaults(request)
    return request


def test_what_is_not_marked_is_not_kept(scene: Scene) -> None:
    scene.application.headers = [("Vary", "Cookie")]

    answers = [scene.ask() for _ in range(2)]

    assert [answer.content for answer in answers] == [b'{"count": 1}', b'{"count": 2}']
    assert answers[0].headers == {"Content-Type": "application/json", "Content-Length": "12", "Vary": "Cookie"}


@pytest.mark.parametrize(
    "header", [("Set-Cookie", "sessionid=1"), ("set-cookie", "sessionid=1"), ("Content-Encoding", "gzip")], ids=str
)
def test_what_is_for_one_client_is_not_kept_though_it_was_marked(scene: Scene, header: tuple[str, str]) -> None:
    scene.application.headers.append(header)

    answers = [scene.ask() for _ in range(2)]

    assert [answer.content for answer in answers] == [b'{"count": 1}', b'{"count": 2}']
    assert answers[0].headers[header[0]] == header[1]
    assert KEEP not in answers[0].headers


def test_a_stream_is_not_kept_nor_read_ahead(scene: Scene) -> None:
    scene.application.streaming = True
    started: list[Any] = []

    result = scene.front(environ(), lambda *head: started.append(head))

    assert result is scene.application.bodies[0]
    assert [name for name, _ in started[0][1]] == ["Content-Type", "Content-Length"]
    assert not scene.cache.entries


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Internal Server Error"])
@pytest.mark.parametrize("condition", [None, "*"])
def test_the_mark_never_leaves(scene: Scene, method: str, status: str, condition: str | None) -> None:
    scene.application.status = status
    for _ in range(2):
        answer = scene.ask(method, HTTP_IF_NONE_MATCH=condition)
        assert not [name for name in answer.headers if name.lower() == KEEP.lower()]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_application_answered_is_closed_once(scene: Scene, method: str) -> None:
    scene.ask(method)
    scene.looks.number = 2
    scene.ask(method, HTTP_IF_NONE_MATCH="*")
    scene.application.headers = []
    scene.looks.number = 3
    scene.ask(method)

    assert [body.closed for body in scene.application.bodies] == [1, 1, 1]


def test_what_is_passed_on_unread_is_not_closed_before_it_was_sent(scene: Scene) -> None:
    scene.application.headers = []

    result = scene.front(environ(), lambda *_: None)

    assert scene.application.bodies[0].closed == 0
    assert list(result) == [b'{"cou', b'nt": 1}']


def test_an_exception_passes_through_and_leaves_nothing(scene: Scene) -> None:
    def fail() -> None:
        raise RuntimeError("unforeseen")

    scene.application.work = fail
    with pytest.raises(RuntimeError, match="unforeseen"):
        scene.ask()

    assert not scene.cache.entries


def test_an_application_that_begins_again_is_answered_by_its_last_word() -> None:
    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [(KEEP, "inf"), ("Content-Type", "text/plain"), ("X-Begun", "1")])
        start_response("500 Error", [("Content-Type", "text/plain")], (RuntimeError, RuntimeError(), None))
        return [b"failed"]

    cache = SnapshotCache(1_000_000)
    started: list[Any] = []
    result = SnapshotFront(application, StubLooks(), cache)(environ(), lambda *head: started.append(head))  # type: ignore[arg-type]

    assert list(result) == [b"failed"]
    assert started == [("500 Error", [("Content-Type", "text/plain")])]
    assert not cache.entries


@pytest.mark.parametrize("asked_before", [False, True])
def test_head_is_answered_like_get_without_the_body(scene: Scene, asked_before: bool) -> None:
    if asked_before:
        scene.ask()

    head = scene.ask("HEAD")

    get = scene.ask()
    assert (head.status, head.headers, head.content) == (get.status, get.headers, b"")
    assert head.headers["Content-Length"] == str(len(get.content))
    assert scene.application.count == 1


def test_the_server_still_knows_that_it_was_head(scene: Scene) -> None:
    request = {**environ(), "REQUEST_METHOD": "HEAD"}
    scene.front(request, lambda *_: None)

    assert request["REQUEST_METHOD"] == "HEAD"
    assert scene.application.requests[0]["REQUEST_METHOD"] == "GET"


def test_tells_how_others_may_keep_it(scene: Scene) -> None:
    scene.application.headers += [("Vary", "Accept"), ("Cache-Control", "public"), ("Content-Language", "fa")]

    headers = scene.ask().headers

    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Vary"] == "Authorization, Accept, Accept-Encoding"
    assert headers["Content-Language"] == "fa"


def test_leaves_out_what_concerns_pages_and_refused_methods(scene: Scene) -> None:
    scene.application.headers += [("Allow", "GET"), ("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff")]

    headers = scene.ask().headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Allow", "X-Frame-Options"} & set(headers)


# Encodings and ETags


def test_each_encoding_is_an_answer_of_its_own_with_its_own_etag(scene: Scene) -> None:
    scene.application.content = lambda count: LONG

    answers = {accepted: scene.ask(HTTP_ACCEPT_ENCODING=accepted) for accepted in ("zstd", "br", "gzip", "identity")}

    for accepted, answer in answers.items():
        assert answer.headers.get("Content-Encoding", "identity") == accepted
        assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answers["identity"].content == LONG
    assert gzip.decompress(answers["gzip"].content) == LONG
    plain = answers["identity"].headers["ETag"]
    assert plain == f'"{blake2b(LONG, digest_size=16).hexdigest()}"'
    for accepted in ("zstd", "br", "gzip"):
        assert answers[accepted].headers["ETag"] == f'{plain[:-1]}-{accepted}"', "of the body as it is not compressed"
    assert scene.application.count == 1
    for accepted, answer in answers.items():
        assert scene.ask(HTTP_ACCEPT_ENCODING=accepted) == answer
    assert scene.ask(HTTP_ACCEPT_ENCODING=None) == answers["identity"]


def test_the_etag_is_of_the_body_and_outlives_the_snapshot(scene: Scene) -> None:
    scene.application.content = lambda count: LONG
    first = scene.ask(HTTP_ACCEPT_ENCODING="gzip")
    scene.looks.number = 2
    second = scene.ask(HTTP_ACCEPT_ENCODING="gzip")
    scene.looks.number = 3
    scene.application.content = lambda count: LONG[1:]
    third = scene.ask(HTTP_ACCEPT_ENCODING="gzip")

    assert scene.application.count == 3
    assert first.headers["ETag"] == second.headers["ETag"] != third.headers["ETag"]
    assert first.headers["ETag"].startswith('"'), "a strong one"


def test_what_is_small_is_not_compressed(scene: Scene) -> None:
    assert "Content-Encoding" not in scene.ask(HTTP_ACCEPT_ENCODING="gzip, br, zstd").headers
    assert scene.ask(HTTP_ACCEPT_ENCODING="gzip, identity;q=0").headers["Content-Encoding"] == "gzip"


def test_each_form_is_counted_against_the_bound(scene: Scene) -> None:
    scene.application.content = lambda count: LONG
    sizes = []
    for accepted in ("identity", "zstd", "br", "gzip", "gzip", "identity"):
        answer = scene.ask(HTTP_ACCEPT_ENCODING=accepted)
        sizes.append((scene.cache.size, len(answer.content)))

    grown = [after - before for (before, _), (after, _) in pairwise(sizes)]
    assert grown == [sizes[1][1], sizes[2][1], sizes[3][1], 0, 0]


def test_the_key_is_counted_against_the_bound(scene: Scene) -> None:
    scene.ask()
    short = scene.cache.size
    scene.ask(HTTP_ACCEPT="x" * 10_000)

    assert scene.cache.size >= 2 * short + 10_000 - len("Token secret")


def test_ten_thousand_different_queries_take_no_more_than_the_bound(scene: Scene) -> None:
    scene.cache.limit = 2_000_000
    scene.application.content = lambda count: LONG[: count % 2_000]
    tracemalloc.start()
    try:
        for number in range(10_000):
            scene.ask(url=f"{URL}?search={number:0{number % 500}}", HTTP_ACCEPT_ENCODING="gzip")
            scene.application.requests[-1:] = [{}]
            scene.application.bodies.clear()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert scene.application.count == 10_000
    assert scene.cache.size <= scene.cache.limit
    assert held < 1.1 * scene.cache.limit + 10_000 * 100, "the bound, and the empty requests that the stub has noted"


# Conditions


@pytest.fixture
def etag(scene: Scene) -> str:
    return scene.ask().headers["ETag"]


@pytest.mark.parametrize(
    "condition", ["{}", "W/{}", '"other", {}', '"other",W/{} , "third"', "*", " {} "], ids=lambda text: text.strip()
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_304_where_the_client_has_it(scene: Scene, etag: str, condition: str, method: str) -> None:
    answer = scene.ask(method, HTTP_IF_NONE_MATCH=condition.format(etag))

    assert (answer.status, answer.content) == ("304 Not Modified", b"")
    assert answer.headers == {
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Accept, Accept-Encoding",
        "ETag": etag,
    }
    assert scene.application.count == 1, "nobody else was asked"


@pytest.mark.parametrize("condition", ['"other"', "{}x", "", "garbage", '"', 'W/"other"', '"*"', "W/*", "{bare}"])
def test_200_where_the_client_has_another(scene: Scene, etag: str, condition: str) -> None:
    answer = scene.ask(HTTP_IF_NONE_MATCH=condition.format(etag[:-1], bare=etag.strip('"')))

    assert (answer.status, answer.content) == ("200 OK", b'{"count": 1}')


def test_the_etag_of_another_encoding_is_another(scene: Scene) -> None:
    scene.application.content = lambda count: LONG
    etag = scene.ask(HTTP_ACCEPT_ENCODING="gzip").headers["ETag"]

    assert scene.ask(HTTP_ACCEPT_ENCODING="br", HTTP_IF_NONE_MATCH=etag).status == "200 OK"
    assert scene.ask(HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=etag).status == "304 Not Modified"


@pytest.mark.parametrize("header", ["HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IDEMPOTENCY_KEY"])
def test_what_a_read_may_be_refused_for_is_not_answered_from_memory(scene: Scene, etag: str, header: str) -> None:
    scene.application.status = "400 Bad Request"

    assert scene.ask(**{header: etag}).status == "400 Bad Request"
    assert scene.ask().status == "200 OK"
    assert scene.application.count == 2, "what is in memory stayed there"


def test_a_condition_is_met_by_what_was_just_computed_too(scene: Scene, etag: str) -> None:
    scene.application.content = lambda count: b'{"count": 1}'
    scene.looks.number = 2

    assert scene.ask(HTTP_IF_NONE_MATCH=etag).status == "304 Not Modified"
    assert scene.application.count == 2


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found"])
def test_who_may_ask_is_settled_before_any_condition(scene: Scene, etag: str, status: str) -> None:
    scene.application.status = status

    for other in ({"HTTP_AUTHORIZATION": "Token other"}, {"HTTP_AUTHORIZATION": ""}):
        assert scene.ask(HTTP_IF_NONE_MATCH=etag, **other).status == status
        assert scene.ask(HTTP_IF_NONE_MATCH="*", **other).status == status


# Deadlines


def test_an_answer_is_given_again_until_its_deadline(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    scene.application.headers = [(KEEP, str(now + 60))]
    scene.ask()

    monkeypatch.setattr(time, "time", lambda: now + 59.9)
    assert scene.ask().content == b'{"count": 1}'
    monkeypatch.setattr(time, "time", lambda: now + 60)
    scene.application.status = "401 Unauthorized"
    assert scene.ask().status == "401 Unauthorized"
    assert scene.ask(HTTP_IF_NONE_MATCH="*").status == "401 Unauthorized"


def test_a_deadline_that_was_moved_takes_the_place_of_the_old(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    scene.application.headers = [(KEEP, str(now - 1))]
    scene.ask()
    scene.application.headers = [(KEEP, str(now + 1))]
    scene.ask()

    assert scene.ask().content == b'{"count": 2}'


# Timings


def test_tells_hit_or_miss_and_the_time_where_it_was_asked_to(scene: Scene) -> None:
    scene.front.timing = True

    timings = [scene.ask(**asked).headers["Server-Timing"] for asked in ({}, {}, {"HTTP_IF_NONE_MATCH": "*"})]

    assert [timing.split(", total;dur=")[0] for timing in timings] == [
        'cache;desc="miss"',
        'cache;desc="hit"',
        'cache;desc="hit"',
    ]
    assert all(float(timing.rpartition("=")[2]) >= 0 for timing in timings)


def test_tells_no_timings_otherwise(scene: Scene) -> None:
    for _ in range(2):
        assert "Server-Timing" not in scene.ask().headers


# The thread's own connection


@pytest.mark.django_db(transaction=True)
def test_nothing_is_taken_or_put_within_a_transaction(scene: Scene) -> None:
    with transaction.atomic():
        assert scene.ask().content == b'{"count": 1}'
        assert not scene.cache.entries
        assert scene.application.requests[-1][SNAPSHOT] is None
    scene.ask()
    with transaction.atomic():
        assert scene.ask().content == b'{"count": 3}'
    assert scene.ask().content == b'{"count": 2}'


@pytest.fixture
def closings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The generations in which the thread's connections were closed."""
    closed: list[int] = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(1))
    return closed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("url", [URL, "/admin/"])
def test_connections_to_a_file_or_server_of_before_are_closed_before_they_are_used(
    scene: Scene, closings: list[int], method: str, url: str
) -> None:
    """A write into a file that was replaced would be acknowledged and lost."""
    scene.application.headers = []
    scene.ask(method, url)
    closings.clear()
    scene.ask(method, url)
    assert not closings

    scene.looks.generation = 2
    closed_before = []
    scene.application.work = lambda: closed_before.append(len(closings))
    scene.ask(method, url)
    scene.ask(method, url)

    assert closed_before == [1, 1], "once, before the first request was answered"


def test_a_connection_made_before_the_thread_first_looked_is_closed_too(scene: Scene, closings: list[int]) -> None:
    scene.looks.generation = 7

    scene.ask()

    assert closings


def test_the_files_need_no_look(scene: Scene) -> None:
    """They are served while the database is away."""
    scene.application.headers = []

    scene.ask(url="/media/core_media/2026/03/02/row.png")
    scene.ask(url="/static/admin/css/base.css")

    assert scene.looks.count == 0
    assert scene.application.count == 2


def test_django_has_one_connection_for_each_thread() -> None:
    """What the front keeps for a thread is the connection that Django's own code on that thread uses."""
    front = SnapshotFront(StubApplication(), None, SnapshotCache(0))

    assert front.thread.database is connections["default"]
    assert front.thread.database.in_atomic_block == connection.in_atomic_block


def test_no_call_within_a_page_maps_memory_anew() -> None:
    """Python would at some depths of calls; what it may do once for all of them is no matter."""

    def leaf() -> None:
        pass

    def application(depth: Any, start_response: Any) -> list[bytes]:
        if depth:
            return application(depth - 1, start_response)
        for _ in range(1000):
            leaf()
        return []

    def faults(depth: Any) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        call_with_room_for_frames(application, depth, lambda *_: None)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert max(map(faults, range(150))) < 500


@pytest.mark.parametrize(
    ("method", "path", "has_room"),
    [
        ("GET", "/admin/", True),
        ("POST", "/admin/portfolios/portfolio/1/change/", True),
        ("GET", URL, False),
        ("POST", URL, False),
        ("GET", "/media/core_media/2026/03/02/row.png", False),
    ],
)
def test_only_pages_are_given_room_for_their_frames(scene: Scene, method: str, path: str, has_room: bool) -> None:
    """The API's answers gain nothing by it: half a megabyte would be mapped for each of them."""
    callers: list[Any] = []
    scene.application.work = lambda: callers.append(sys._getframe(2).f_code)

    scene.ask(method=method, url=path)

    assert [caller is call_with_room_for_frames.__code__ for caller in callers] == [has_room]
