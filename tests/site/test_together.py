"""Folio and its website together: a webhook of the one builds the other, whose preview page asks the one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from folio.tasks.runner import SECONDS_VARIABLE
from tests.live import Session, photograph, running_server
from tests.media.filmed import film
from tests.media.kinds import sound
from tests.postgresql import free_port

from .building import Build, Served, served
from .conftest import created, uploaded
from .tabs import LOOKS, Tab, picture

LOADED = """(player) => new Promise((resolve) => {
  player.addEventListener("loadedmetadata", () => resolve(Math.round(player.duration)));
  player.addEventListener("error", () => resolve(player.error.message));
  player.preload = "metadata";
  player.load();
})"""


@dataclass
class Both:
    api: Session
    site: Served
    work: int
    draft: int
    webhook: int


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A server with one work and a draft, and the site of these, which hears the server's webhook alone."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {
        "FOLIO_PUBLIC_READ": "on",
        "FOLIO_SITE_URL": f"{address}/work/{{slug}}/",
        "FOLIO_PREVIEW_URL": f"{address}/preview/?slug={{slug}}&token={{token}}",
        "FOLIO_WEBHOOK_PRIVATE": "127.0.0.0/8",
        "FOLIO_WEBHOOK_SECONDS": "1",
        SECONDS_VARIABLE: "0.2",
    }
    with running_server(tmp_path_factory.mktemp("folio"), **variables) as server, server.session(server.key) as api:
        meta = [
            {"key": "Film", "value_text": "A minute of it", "value_file": uploaded(api, "quay.webm", film("webm"))},
            {"key": "Sound", "value_file": uploaded(api, "quay.wav", sound())},
        ]
        image = uploaded(api, "china.jpg", photograph("china.jpg"), alt="A temple")
        fields = {"excerpt": "Boats, and who mends them.", "image": image, "meta": meta, "completed_at": "2026-03-01"}
        work = created(api, "/api/portfolios/", json={"title": "A quay", "slug": "quay", **fields})["id"]
        body = {"title": "A quay at dawn", "slug": "dawn", "excerpt": "Not out yet.", "is_active": False}
        draft = created(api, "/api/portfolios/", json=body)["id"]
        webhook = created(api, "/api/webhooks/", json={"url": f"{address}/hooks/folio"})
        build = Build(tmp_path_factory.mktemp("site"), server.url, {"SITE_URL": address})
        with served(build, port, SITE_WEBHOOK_SECRET=webhook["secret"]) as site:
            yield Both(api, site, work, draft, webhook["id"])


def changed(api: Session, work: int, **fields: object) -> None:
    answer = api.patch(f"/api/portfolios/{work}/", json=fields)
    assert answer.status_code == 200, answer.text


def test_a_change_in_folio_is_told_by_a_webhook_and_built(both: Both) -> None:
    changed(both.api, both.work, title="A quay at night")

    both.site.wait_for("Folio told of a change.")
    both.site.wait_for("pages built", 2)
    assert "A quay at night" in both.site.get("/work/quay/").text
    [delivery] = both.api.get(f"/api/webhooks/{both.webhook}/deliveries/").json()["results"]
    assert (delivery["state"], delivery["status"]) == ("delivered", 204)


def test_the_preview_page_shows_a_draft_until_all_links_are_ended(both: Both, tab_for: Callable[..., Tab]) -> None:
    path = f"/api/portfolios/{both.draft}/preview/"
    link = both.api.post(path, json={}).json()
    assert link["url"].startswith(f"{both.site.url}/preview/?slug=dawn&token=")
    tab = tab_for(real=True)

    page = tab.go(link["url"])
    expect(page.get_by_role("heading", level=1)).to_have_text("A quay at dawn")
    expect(page.get_by_role("status")).to_contain_text("This is a preview")
    assert [*tab.findings(), *tab.too_wide(), *tab.complaints] == []
    assert both.site.get("/work/dawn/").status_code == 404

    assert both.api.delete(path).status_code == 204
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("This preview is over")
    expect(page.get_by_text("A quay at dawn")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_a_film_and_a_sound_are_played_where_they_stand(both: Both, tab_for: Callable[..., Tab], look: str) -> None:
    tab = tab_for(real=True, **LOOKS[look])

    page = tab.go(f"{both.site.url}/work/quay/")

    tab.scrolled()
    for kind, seconds in (("video", 1), ("audio", 0)):
        player: Any = page.locator(kind)
        expect(player).to_be_visible()
        assert player.evaluate(LOADED) == seconds, kind
    page.screenshot(path=picture(f"site-film-{look}"), full_page=True)
    page.goto(f"{both.site.url}/")
    page.screenshot(path=picture(f"site-one-{look}"), full_page=True)
    assert [*tab.findings(), *tab.too_wide(), *tab.moved(), *tab.complaints] == []
