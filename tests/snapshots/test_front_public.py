"""What anyone may read, in front of an application that says how often it was asked: keys, headers, deadlines."""

import time
from math import inf
from typing import Any

import pytest

from folio.snapshots import KEEP
from folio.snapshots.encodings import ENCODERS
from folio.snapshots.public import Public

from .stage import Answer, Scene

URL = "/api/public/portfolios/"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}
MINUTE = "public, max-age=0, s-maxage=60, stale-while-revalidate=600"


@pytest.fixture(autouse=True)
def public(scene: Scene) -> None:
    scene.front.public = Public()


def read(scene: Scene, method: str = "GET", **environ: Any) -> Answer:
    return scene.ask(method, URL, **environ)


# The key


@pytest.mark.parametrize(
    "header",
    [
        "HTTP_AUTHORIZATION",
        "HTTP_COOKIE",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_ORIGIN",
        "HTTP_IF_MATCH",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_IDEMPOTENCY_KEY",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_PORT",
    ],
)
def test_no_header_that_changes_nothing_splits_what_is_kept(scene: Scene, header: str) -> None:
    first = read(scene)

    again = read(scene, **{header: "anything"})

    assert again == first
    assert scene.application.count == 1


@pytest.mark.parametrize("encoding", ENCODERS)
def test_it_is_kept_once_for_all_encodings(scene: Scene, encoding: str) -> None:
    scene.application.content = lambda count: b"%d" % count * 1000
    plain = read(scene)

    coded = read(scene, HTTP_ACCEPT_ENCODING=encoding)

    assert scene.application.count == 1
    assert coded.headers["Content-Encoding"] == encoding
    assert coded.headers["ETag"] == f'{plain.headers["ETag"][:-1]}-{encoding}"'
    assert len(coded.content) < len(plain.content)


@pytest.mark.parametrize(
    "other",
    [
        {"PATH_INFO": "/api/public/tags/"},
        {"QUERY_STRING": "limit=2"},
        {"HTTP_HOST": "www.example.com"},
        {"wsgi.url_scheme": "https"},
        {"SCRIPT_NAME": "/folio"},
        {"SERVER_PORT": "8080"},
    ],
    ids=["path", "query", "host", "scheme", "prefix", "port"],
)
def test_what_its_urls_depend_on_splits_it(scene: Scene, other: dict[str, str]) -> None:
    read(scene)

    assert read(scene, **other).content == b'{"count": 2}'
    assert read(scene).content == b'{"count": 1}'


def test_the_managing_api_still_keeps_apart_what_keys_may_see(scene: Scene) -> None:
    scene.ask()

    assert scene.ask(HTTP_AUTHORIZATION="Token other").content == b'{"count": 2}'
    assert scene.ask().headers["Cache-Control"] == "private, no-cache"
    assert not CORS.keys() & scene.ask().headers.keys()


def test_a_commit_is_seen_at_once(scene: Scene) -> None:
    before = read(scene)
    scene.looks.number = 2

    after = read(scene, HTTP_IF_NONE_MATCH=before.headers["ETag"])

    assert (after.status, after.content) == ("200 OK", b'{"count": 2}')


# What is said of a `200`


def test_a_200_says_who_may_keep_it_and_for_how_long(scene: Scene) -> None:
    scene.application.headers += [
        ("Set-Cookie2", "a"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Allow", "GET"),
        ("Vary", "Cookie"),
    ]

    for answer in (read(scene), read(scene), read(scene, "HEAD")):
        assert answer.headers == {
            **CORS,
            "Content-Type": "application/json",
            "Content-Length": "12",
            "Set-Cookie2": "a",
            "Cache-Control": MINUTE,
            "Vary": "Accept-Encoding",
            "ETag": answer.headers["ETag"],
        }


def test_a_304_says_the_same(scene: Scene) -> None:
    etag = read(scene).headers["ETag"]

    answer = read(scene, HTTP_IF_NONE_MATCH=etag)

    assert (answer.status, answer.content) == ("304 Not Modified", b"")
    assert answer.headers == {**CORS, "Cache-Control": MINUTE, "Vary": "Accept-Encoding", "ETag": etag}
    assert not etag.startswith("W/")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "no-cache"),
        (1, "public, max-age=0, s-maxage=1, stale-while-revalidate=10"),
        (3600, "public, max-age=0, s-maxage=3600, stale-while-revalidate=36000"),
    ],
)
def test_the_setting_says_for_how_long(scene: Scene, seconds: int, told: str) -> None:
    scene.front.public = Public(seconds=seconds)

    assert read(scene).headers["Cache-Control"] == told


# Deadlines


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (10_000, MINUTE),
        (660, MINUTE),
        (659.9, "public, max-age=0, s-maxage=60, stale-while-revalidate=599"),
        (61.5, "public, max-age=0, s-maxage=60, stale-while-revalidate=1"),
        (60.5, "public, max-age=0, s-maxage=60"),
        (12.9, "public, max-age=0, s-maxage=12"),
        (0.9, "no-cache"),
    ],
)
def test_nobody_may_keep_it_beyond_the_next_moment_that_changes_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, left: float, told: str
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    scene.application.headers = [(KEEP, str(now + left))]

    assert [read(scene).headers["Cache-Control"] for _ in range(2)] == [told, told]


def test_the_time_that_is_left_is_told_at_the_moment_of_answering(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    scene.application.headers = [(KEEP, str(now + 100))]
    first = read(scene)

    monkeypatch.setattr(time, "time", lambda: now + 95)
    later = read(scene)
    unchanged = read(scene, HTTP_IF_NONE_MATCH=first.headers["ETag"])
    monkeypatch.setattr(time, "time", lambda: now + 100)
    scene.application.headers = [(KEEP, str(inf))]
    after = read(scene)

    assert first.headers["Cache-Control"] == "public, max-age=0, s-maxage=60, stale-while-revalidate=40"
    assert later.headers["Cache-Control"] == unchanged.headers["Cache-Control"] == "public, max-age=0, s-maxage=5"
    assert (later.content, after.content) == (b'{"count": 1}', b'{"count": 2}')
    assert after.headers["Cache-Control"] == MINUTE


@pytest.mark.parametrize("status", ["404 Not Found", "301 Moved Permanently"])
@pytest.mark.parametrize(
    ("left", "told"), [(inf, "public, s-maxage=5"), (3.5, "public, s-maxage=3"), (0.5, "no-cache")]
)
def test_what_is_not_there_yet_is_not_kept_beyond_that_moment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, status: str, left: float, told: str
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    scene.application.status = status
    scene.application.headers = [(KEEP, str(now + left))]

    answer = read(scene)

    assert answer.headers["Cache-Control"] == told
    assert KEEP not in answer.headers
    assert read(scene).content == b'{"count": 2}', "it takes no room"


# Everything else


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("301 Moved Permanently", "public, s-maxage=5"),
        ("404 Not Found", "public, s-maxage=5"),
        ("302 Found", "no-store"),
        ("400 Bad Request", "no-store"),
        ("405 Method Not Allowed", "no-store"),
        ("411 Length Required", "no-store"),
        ("429 Too Many Requests", "no-store"),
        ("500 Internal Server Error", "no-store"),
        ("503 Service Unavailable", "no-store"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_errors_and_redirects_say_it_too(scene: Scene, status: str, told: str, method: str) -> None:
    scene.application.status = status
    scene.application.headers = [
        ("Vary", "Cookie"),
        ("Set-Cookie", "sessionid=1"),
        ("Referrer-Policy", "same-origin"),
        ("Retry-After", "1"),
        ("Allow", "GET"),
    ]

    answer = read(scene, method)

    expected = {**CORS, "Content-Type": "application/json", "Content-Length": "12", "Retry-After": "1"}
    if status.startswith("405"):
        expected["Allow"] = "GET"
    assert answer.headers == {**expected, "Cache-Control": told}


def test_an_answer_that_says_no_store_itself_keeps_that(scene: Scene) -> None:
    scene.application.status = "404 Not Found"
    scene.application.headers = [("Cache-Control", "no-store")]

    assert read(scene).headers["Cache-Control"] == "no-store"


def test_a_200_that_is_not_marked_is_kept_by_nobody(scene: Scene) -> None:
    scene.application.headers = []

    assert [read(scene).headers["Cache-Control"] for _ in range(2)] == ["no-store", "no-store"]
    assert scene.application.count == 2


def test_a_cookie_never_gets_out(scene: Scene) -> None:
    scene.application.headers.append(("Set-Cookie", "sessionid=1"))

    assert all("Set-Cookie" not in read(scene).headers for _ in range(2))


@pytest.mark.parametrize("url", [URL, "/api/public", "/api/public/", "/api/public/no/such/path"])
def test_a_preflight_is_answered_without_the_application(scene: Scene, url: str) -> None:
    scene.looks.number = None

    answer = scene.ask("OPTIONS", url, HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET", HTTP_ORIGIN="https://any.example")

    assert (answer.status, answer.content) == ("204 No Content", b"")
    assert CORS.items() <= answer.headers.items()
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "*, Authorization"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert scene.application.count == scene.looks.count == 0


def test_a_path_that_only_begins_alike_is_none_of_them(scene: Scene) -> None:
    assert not CORS.keys() & scene.ask(url="/api/publications/").headers.keys()


def test_timings_are_told_only_where_they_were_asked_for(scene: Scene) -> None:
    assert not any("Server-Timing" in read(scene).headers for _ in range(2))
    scene.front.timing = True

    assert "hit" in read(scene).headers["Server-Timing"]
