"""The response cache in front of an application that says how often it was asked."""

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from folio.snapshots import KEEP, SNAPSHOT
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront, StartResponse

from .stage import URL, Scene, StubLooks


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


def test_a_front_keeps_no_such_header_whoever_says_it(scene: Scene) -> None:
    scene.application.headers += [("ratelimit", '"reads";r=1;t=1'), ("RateLimit-Policy", '"reads";q=1;w=1')]

    first, second = scene.ask(), scene.ask()

    assert {"ratelimit", "RateLimit-Policy"} <= set(first.headers)
    assert first.content == second.content
    assert not {"ratelimit", "RateLimit-Policy"} & set(second.headers)
