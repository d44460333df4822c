"""The preview page of the guide to websites, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.environment import ROOT
from tests.live import Server
from tests.papers import SHOWN_SERVER, blocks_of

from .conftest import Tab, admin_session

ADDRESS = "http://studio.localhost:4321/preview/"


@pytest.fixture
def page(tab_for: Callable[..., Tab], server: Server) -> Page:
    """A website's tab, with that page at its address."""
    [block] = [
        block for block in blocks_of((ROOT / "docs/guides/website.md").read_text()) if block.file == "preview.html"
    ]
    body = f"<!doctype html><title>Preview</title>{block.text.replace(SHOWN_SERVER, server.url)}"
    page = tab_for(None).page
    page.route(ADDRESS, lambda route: route.fulfill(body=body, content_type="text/html"))
    return page


def test_shows_what_is_not_published_yet(page: Page, server: Server) -> None:
    with admin_session(server) as api:
        media = api.get("/api/media/?type=image&limit=1").json()["results"][0]
        work = api.post(
            "/api/portfolios/",
            json={
                "title": "A <lamp>",
                "slug": "guide-lamp",
                "excerpt": "In spring.",
                "description": "It is **warm**.",
                "image": media["id"],
                "is_active": False,
            },
        ).json()
        token = api.post(f"/api/portfolios/{work['id']}/preview/", json={}).json()["token"]

        page.goto(f"{ADDRESS}#slug=guide-lamp&preview={token}")
        expect(page.get_by_role("heading", name="A <lamp>")).to_be_visible()
        expect(page.locator("strong")).to_have_text("warm")
        expect(page.locator("img")).to_have_js_property("complete", True)
        assert page.evaluate("document.querySelector('img').naturalWidth") > 0

        api.delete(f"/api/portfolios/{work['id']}/preview/")
        page.goto("about:blank")
        page.goto(f"{ADDRESS}#slug=guide-lamp&preview={token}")
        expect(page.locator("#say")).to_contain_text("has ended")
        expect(page.locator("#work")).to_be_hidden()
        assert api.delete(f"/api/portfolios/{work['id']}/").status_code == 204
