"""The list of portfolios in a browser: put in order, switched, published, copied and looked at."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.live import Server, Session

from .conftest import PHONE, SCREEN, Tab, admin_session

LIST = "/admin/portfolios/portfolio/"
NAMES = ("Anvil", "Bellows", "Chisel", "Drill")


@pytest.fixture
def api(server: Server) -> Session:
    return admin_session(server)


@pytest.fixture
def employer(api: Session) -> Iterator[int]:
    """An employer with four portfolios, in the order of their names, among those of the sample."""
    made = api.post("/api/employers/", json={"name": "Forge"}).json()["id"]
    ids = []
    for name in NAMES:
        body = {"title": name, "slug": name.lower(), "excerpt": "Made of iron.", "employer": made, "order": 3}
        ids.append(api.post("/api/portfolios/", json=body).json()["id"])
    for pk, order in zip(ids, (3, 3, 4, 9), strict=True):
        api.patch(f"/api/portfolios/{pk}/", json={"order": order})
    yield made
    for row in found(api, made):
        api.delete(f"/api/portfolios/{row['id']}/")
    api.delete(f"/api/employers/{made}/")


def found(api: Session, employer: int) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = api.get(f"/api/portfolios/?employer_id={employer}").json()["results"]
    return results


def titles(api: Session, employer: int) -> list[str]:
    return [row["title"] for row in found(api, employer)]


def shown(page: Page) -> list[str]:
    return page.locator("#result_list .folio-title").all_inner_texts()


def handle(page: Page, title: str) -> Any:
    return page.get_by_role("button", name=f"Move “{title}”", exact=True)


def told(page: Page, text: str) -> None:
    expect(page.locator("#folio-announcements")).to_contain_text(text)


def test_puts_rows_in_order_by_mouse_and_by_keyboard(tab: Tab, api: Session, employer: int) -> None:
    page = tab.go(f"{LIST}?employer__id__exact={employer}")
    assert shown(page) == ["Bellows", "Anvil", "Chisel", "Drill"], "the latest comes first of those with one order"

    start, end = handle(page, "Drill").bounding_box(), handle(page, "Anvil").bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, start["y"] - 20, steps=4)
    page.mouse.move(end["x"] + 10, end["y"] + 4, steps=10)
    for _ in range(40):  # a row that is still on its way takes no other
        page.wait_for_timeout(100)
        if shown(page) == ["Bellows", "Drill", "Anvil", "Chisel"]:
            break
        page.mouse.move(end["x"] + 10, end["y"] + 5, steps=5)
        page.mouse.move(end["x"] + 10, end["y"] + 4, steps=5)
    page.mouse.up()
    told(page, "Moved “Drill” to place 2.")
    assert titles(api, employer) == shown(page) == ["Bellows", "Drill", "Anvil", "Chisel"]

    handle(page, "Chisel").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    told(page, "Moved “Chisel” to place 2.")
    assert titles(api, employer) == ["Bellows", "Chisel", "Drill", "Anvil"]
    expect(handle(page, "Chisel")).to_be_focused()
    page.keyboard.press("End")
    told(page, "Moved “Chisel” to place 4.")
    page.keyboard.press("Home")
    told(page, "Moved “Chisel” to place 1.")
    assert titles(api, employer) == shown(page) == ["Chisel", "Bellows", "Drill", "Anvil"]

    page.get_by_role("button", name="More for “Anvil”").click()
    page.get_by_label("Move to place").fill("2")
    page.keyboard.press("Enter")
    told(page, "Moved “Anvil” to place 2.")
    assert titles(api, employer) == shown(page) == ["Chisel", "Anvil", "Bellows", "Drill"]
    expect(handle(page, "Anvil")).to_be_focused()

    page.reload()
    assert shown(page) == ["Chisel", "Anvil", "Bellows", "Drill"]
    tab.check_accessibility()
    tab.check_complaints()


def test_takes_back_a_move_beside_a_row_that_is_gone(tab: Tab, api: Session, employer: int) -> None:
    page = tab.go(f"{LIST}?employer__id__exact={employer}")
    gone = next(row["id"] for row in found(api, employer) if row["title"] == "Anvil")
    api.delete(f"/api/portfolios/{gone}/")

    handle(page, "Drill").focus()
    page.keyboard.press("ArrowUp")  # before Chisel, which is there
    told(page, "Moved “Drill” to place 2.")
    page.keyboard.press("ArrowUp")  # before Anvil, which is not

    told(page, "was deleted meanwhile")
    assert shown(page) == ["Bellows", "Anvil", "Drill", "Chisel"]
    assert titles(api, employer) == ["Bellows", "Drill", "Chisel"]
    page.get_by_role("link", name="Load the page again").click()
    expect(page.locator(".folio-title")).to_have_count(3)


def test_takes_back_what_was_made_on_top_of_a_move_that_failed(tab: Tab, api: Session, employer: int) -> None:
    page = tab.go(f"{LIST}?employer__id__exact={employer}")
    waiting: list[Route] = []
    page.route("**/reorder/**", lambda route: waiting.append(route))

    handle(page, "Drill").focus()
    with page.expect_request("**/reorder/**"):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    assert shown(page) == ["Drill", "Bellows", "Anvil", "Chisel"]
    waiting.pop().abort()

    told(page, "The server can’t be reached.")
    assert shown(page) == titles(api, employer) == ["Bellows", "Anvil", "Chisel", "Drill"]
    expect(handle(page, "Drill")).to_be_focused()
    page.unroute("**/reorder/**")
    page.keyboard.press("ArrowUp")
    told(page, "Moved “Drill” to place 3.")
    assert not waiting
    assert shown(page) == titles(api, employer) == ["Bellows", "Anvil", "Drill", "Chisel"]


def test_switches_publishes_and_copies(tab: Tab, api: Session, employer: int) -> None:
    page = tab.go(f"{LIST}?employer__id__exact={employer}")
    switch = page.get_by_role("switch", name="Publish “Drill”")
    switch.focus()
    page.keyboard.press("Space")
    told(page, "“Drill” is a draft.")
    expect(switch).to_have_attribute("aria-checked", "false")
    assert [row["title"] for row in found(api, employer) if not row["is_active"]] == ["Drill"]

    page.route("**/state/", lambda route: route.abort())
    page.get_by_role("switch", name="Publish “Anvil”").click()
    told(page, "The server can’t be reached.")
    expect(page.get_by_role("switch", name="Publish “Anvil”")).to_have_attribute("aria-checked", "true")
    page.unroute("**/state/")

    page.locator("#action-toggle").check()
    tab.check_accessibility()
    page.evaluate("document.documentElement.classList.add('dark')")
    tab.check_accessibility()
    tab.picture("portfolio-actions-dark", full=False)
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.locator("select[name=action]").select_option("make_drafts")
    page.locator("#changelist-actions-wrapper button").first.click()
    expect(page.get_by_text("3 portfolios are drafts now.")).to_be_visible()
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("publish")
    page.locator("#changelist-actions-wrapper button").first.click()
    expect(page.get_by_text("4 portfolios were published.")).to_be_visible()
    assert all(row["is_active"] for row in found(api, employer))

    tab.go(f"{LIST}?employer__id__exact={employer}")
    page.get_by_role("button", name="More for “Drill”").click()
    page.get_by_role("button", name="Duplicate", exact=True).click()
    page.wait_for_url(re.compile(r"/change/"))
    expect(page.locator("[name=title]")).to_have_value("Drill (copy)")
    assert {row["title"]: row["is_active"] for row in found(api, employer)}["Drill (copy)"] is False


def test_shows_the_preview_of_a_portfolio(tab: Tab, api: Session, server: Server) -> None:
    rows = api.get("/api/portfolios/?has_image=true&limit=50").json()["results"]
    full = (api.get(f"/api/portfolios/{row['id']}/").json() for row in rows)
    entry = next(read for read in full if len(read["images_data"]) > 1 and read["links_data"])
    page = tab.go(LIST)
    page.get_by_role("link", name=f"Preview “{entry['title']}”").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(entry["title"])
    tab.check_accessibility()
    tab.picture("preview")
    page.evaluate("document.documentElement.dir = 'rtl'")
    expect(page.get_by_role("heading", level=1)).to_have_css("text-align", "right")
    expect(page.locator(".excerpt").first).to_have_css("text-align", "right")
    page.evaluate("document.documentElement.dir = 'ltr'")

    page.locator("[data-large]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(f"1 / {len(entry['images_data'])}")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog")).to_contain_text("2 /")
    tab.check_accessibility()
    page.keyboard.press("Escape")
    expect(page.locator("[data-large]").nth(1)).to_be_focused()

    page.get_by_role("link", name="JSON").click()
    assert f'"slug": "{entry["slug"]}"' in page.locator(".json").inner_text()
    command = f'curl --header "Authorization: Token YOUR_KEY" "{server.url}/api/portfolios/{entry["id"]}/"'
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == command
    tab.check_accessibility()
    tab.picture("preview-json")
    page.get_by_role("link", name="Back to the form").click()
    expect(page.locator("[name=title]")).to_have_value(entry["title"])
    tab.check_complaints()


@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
def test_shows_the_whole_bar_of_actions_from_right_to_left(tab_for: Callable[..., Tab], size: ViewportSize) -> None:
    tab = tab_for(locale="fa-IR", viewport=size)
    page = tab.go(LIST)
    page.locator(".action-select").first.check()
    bar = page.locator("#changelist-actions")
    expect(bar).to_be_visible()
    tab.picture(f"portfolio-actions-persian-{size['width']}", full=False)

    box = bar.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    expect(page.locator("select[name=action]")).to_have_css("padding-right", "12px")
    expect(page.locator("select[name=action]")).to_have_css("padding-left", "32px")
    expect(page.locator(".data-row.selected > td").first).to_have_css("background-color", "rgba(0, 0, 0, 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_read_as_cards_on_a_phone(tab_for: Callable[..., Tab], scheme: str) -> None:
    tab = tab_for(viewport=PHONE, color_scheme=scheme)
    page = tab.go(LIST)
    tab.picture(f"portfolios-phone-{scheme}", full=False)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.check_accessibility()
    more = page.locator(".folio-more").first
    more.click()
    expect(page.locator("#folio-row-menu")).to_be_visible()
    tab.check_accessibility()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()

    page.locator("a[href$='/preview/']").first.click()
    tab.picture(f"preview-phone-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.check_accessibility()
    tab.check_complaints()
