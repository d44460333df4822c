"""Which pages of other origins may call the managing API, as the front tells them."""

from typing import Any

import pytest

from folio.snapshots.origins import Origins
from folio.snapshots.public import Public

from .stage import URL, Scene

OURS, OTHER = "https://studio.example", "https://other.example"
TOLD = (
    "ETag, Location, Last-Modified, Retry-After, Idempotency-Replayed, Allow, WWW-Authenticate, X-Request-ID, "
    "RateLimit, RateLimit-Policy"
)


@pytest.fixture(autouse=True)
def origins(scene: Scene) -> None:
    scene.front.public = Public()
    scene.front.origins = Origins([OURS, "http://localhost:5173"])


def cors(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("origin", [OURS, "http://localhost:5173"])
def test_an_origin_that_is_named_may_read_the_answer(scene: Scene, origin: str) -> None:
    for _ in range(2):
        headers = scene.ask(HTTP_ORIGIN=origin).headers
        assert cors(headers) == {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": TOLD}
        assert headers["Vary"] == "Authorization, Accept, Accept-Encoding, Origin"


@pytest.mark.parametrize(
    "origin",
    [OTHER, f"{OURS}.evil.example", f"{OURS}:8443", "http://studio.example", "null", "*", "", OURS.upper(), None],
)
def test_another_one_gets_the_answer_without_the_headers(scene: Scene, origin: str | None) -> None:
    answer = scene.ask(HTTP_ORIGIN=origin)

    assert (answer.status, answer.content, cors(answer.headers)) == ("200 OK", b'{"count": 1}', {})
    assert answer.headers["Vary"].endswith(", Origin"), "a browser's cache must not give it to another page"


def test_the_origin_is_no_part_of_the_key(scene: Scene) -> None:
    bodies = [scene.ask(HTTP_ORIGIN=origin).content for origin in (None, OURS, OTHER, OURS, None)]

    assert set(bodies) == {b'{"count": 1}'}
    assert len(scene.cache.entries) == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "308 Permanent Redirect", "500 Error"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_errors_and_redirects_are_for_it_too(scene: Scene, method: str, status: str) -> None:
    scene.application.status = status
    scene.application.headers = []

    answer = scene.ask(method, HTTP_ORIGIN=OURS)

    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert answer.headers["Vary"] == "Origin"


def test_a_304_is_too(scene: Scene) -> None:
    answer = scene.ask(HTTP_ORIGIN=OURS, HTTP_IF_NONE_MATCH=scene.ask().headers["ETag"])

    assert answer.status == "304 Not Modified"
    assert cors(answer.headers)


def preflight(scene: Scene, origin: str, url: str = URL, **environ: Any) -> Any:
    return scene.ask("OPTIONS", url, HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="PATCH", **environ)


@pytest.mark.parametrize("url", [URL, "/api/portfolios", "/api/media/7/file/"])
def test_a_preflight_is_answered_before_anybody_is_asked_who_they_are(scene: Scene, url: str) -> None:
    scene.looks.number = None

    answer = preflight(scene, OURS, url)

    assert (answer.status, answer.content) == ("204 No Content", b"")
    assert cors(answer.headers) == {
        "Access-Control-Allow-Origin": OURS,
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, If-Unmodified-Since, "
        "Idempotency-Key",
        "Access-Control-Max-Age": "7200",
    }
    assert answer.headers["Vary"] == "Origin"
    assert scene.application.count == scene.looks.count == 0


def test_a_preflight_of_another_origin_is_told_nothing(scene: Scene) -> None:
    answer = preflight(scene, OTHER)

    assert (answer.status, cors(answer.headers)) == ("204 No Content", {})
    assert answer.headers["Vary"] == "Origin"


def test_no_credentials_of_the_browser_s_own_are_allowed(scene: Scene) -> None:
    for answer in (preflight(scene, OURS), scene.ask(HTTP_ORIGIN=OURS)):
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_anyone_may_read_is_not_covered(scene: Scene) -> None:
    for origin in (OURS, OTHER):
        headers = scene.ask(url="/api/public/portfolios/", HTTP_ORIGIN=origin).headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("url", ["/admin/", "/media/a.png", "/"])
def test_nothing_beside_the_api_is_covered(scene: Scene, url: str) -> None:
    scene.application.headers = []

    assert not cors(scene.ask(url=url, HTTP_ORIGIN=OURS).headers)
    assert preflight(scene, OURS, url).status == "200 OK", "as the application answers it"


def test_without_the_setting_nothing_is_said_of_origins(scene: Scene) -> None:
    scene.front.origins = None
    scene.application.headers = []

    answers = [scene.ask(HTTP_ORIGIN=OURS), preflight(scene, OURS)]

    assert [answer.content for answer in answers] == [b'{"count": 1}', b'{"count": 2}']
    assert all("Origin" not in answer.headers.get("Vary", "") and not cors(answer.headers) for answer in answers)
