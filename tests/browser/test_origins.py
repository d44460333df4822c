"""Pages of other origins in a real browser: what they can read of each surface, and do with a key."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.live import Server

from .conftest import OTHER_ORIGIN, Tab, admin_session

CALL = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    const headers = Object.fromEntries(answer.headers);
    return {status: answer.status, headers, url: answer.url, body: await answer.text()};
  } catch (error) { return String(error); }
}"""


def visited(tab: Tab, origin: str) -> Page:
    """Open a page of another origin, whose server is the browser's own."""

    def answer(route: Route) -> None:
        route.fulfill(body="<!doctype html><title>other</title>", content_type="text/html")

    tab.page.route(f"{origin}/", answer)
    tab.page.goto(f"{origin}/")
    return tab.page


@pytest.fixture
def call(tab_for: Callable[..., Tab], server: Server) -> Callable[..., Any]:
    """Return a function by which a page of an origin calls the server; a text is what the browser refused with."""

    def call(origin: str, path: str, **options: Any) -> Any:
        tab = tab_for(None)
        answer = visited(tab, origin).evaluate(CALL, [server.url + path, options])
        tab.complaints.clear()  # what a browser refuses it also complains of
        return answer

    return call


def test_any_page_reads_what_is_public(call: Callable[..., Any]) -> None:
    answer = call(
        "http://any.localhost:4321", "/api/public/portfolios/?limit=1", headers={"Authorization": "Token bad"}
    )
    redirected = call("http://any.localhost:4321", "/api/public/tags")
    missing = call("http://any.localhost:4321", "/api/public/portfolios/none/")

    assert (answer["status"], answer["headers"]["etag"][0]) == (200, '"')
    assert (redirected["status"], redirected["url"][-1]) == (200, "/")
    assert missing["status"] == 404


def test_a_named_origin_calls_the_managing_api_with_a_key(call: Callable[..., Any], server: Server) -> None:
    session = admin_session(server)
    key = {"Authorization": str(session.headers["Authorization"]), "Content-Type": "application/json"}

    made = call(
        OTHER_ORIGIN, "/api/tags/", method="POST", headers={**key, "Idempotency-Key": "abc"}, body='{"name": "cors"}'
    )
    path = made["headers"]["location"].removeprefix(server.url)
    etag = made["headers"]["etag"]
    changed = call(
        OTHER_ORIGIN, path, method="PATCH", headers={**key, "If-Match": etag}, body='{"name": "changed from elsewhere"}'
    )
    refused = call(OTHER_ORIGIN, path, method="DELETE", headers={**key, "If-Match": etag})
    unknown = call(OTHER_ORIGIN, "/api/tags/", headers={"Authorization": "Token bad"})
    gone = call(OTHER_ORIGIN, path, method="DELETE", headers=key)

    assert (made["status"], changed["status"], refused["status"]) == (201, 200, 412)
    assert (unknown["status"], unknown["headers"]["www-authenticate"], gone["status"]) == (401, "Token", 204)


def test_another_one_can_not(call: Callable[..., Any], server: Server) -> None:
    key = {"Authorization": str(admin_session(server).headers["Authorization"])}

    for options in ({"headers": key}, {}, {"method": "DELETE", "headers": key}):
        assert "Failed to fetch" in call("http://any.localhost:4321", "/api/tags/1/", **options)
