"""The forms in which the response cache answers: encodings, their ETags, and conditions."""

import gzip
import tracemalloc
from hashlib import blake2b
from itertools import pairwise

import pytest

from .stage import URL, Scene

pytestmark = pytest.mark.any_database

LONG = b'{"title": "Harbour"}' * 100

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
