"""When an entry is published, set and read in the time zones of people's browsers."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.live import Server, Session

from .conftest import PHONE, Tab, admin_session

LIST = "/admin/portfolios/portfolio/"
BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
WHEN = "Wednesday, 4 December 2126, 09:00 (Europe/Berlin)"
MOMENTS = """
from datetime import datetime
from folio.portfolios.models import Portfolio
moments = [moment and datetime.fromisoformat(moment) for moment in {moments!r}]
Portfolio.objects.filter(slug={slug!r}).update(publish_at=moments[0], unpublish_at=moments[1])
"""


@pytest.fixture
def api(server: Server) -> Session:
    return admin_session(server)


@pytest.fixture
def entry(api: Session) -> Iterator[str]:
    """The address of the form of an entry that is a draft."""
    body = {"title": "Slate", "slug": "slate", "excerpt": "Made of stone.", "is_active": False, "order": -100}
    pk = api.post("/api/portfolios/", json=body).json()["id"]
    yield f"{LIST}{pk}/change/"
    api.delete(f"/api/portfolios/{pk}/")


def set_moments(server: Server, slug: str, begin: str | None, end: str | None) -> None:
    server.folio("shell", "--no-imports", "-c", MOMENTS.format(moments=[begin, end], slug=slug))


def save(page: Page, name: str = "_continue") -> None:
    with page.expect_navigation():
        page.click(f"[name={name}]")


def state(page: Page) -> Locator:
    return page.locator("#folio-standing .folio-state")


def words(page: Page) -> Locator:
    return page.locator("#folio-standing [data-part=words]")


def told(page: Page, text: str) -> None:
    expect(page.locator("#folio-announcements")).to_contain_text(text)


def row_of(page: Page, title: str) -> Locator:
    return page.locator("#result_list tbody", has=page.get_by_text(title, exact=True))


def test_schedules_an_entry_in_ones_own_time_zone(tab_for: Callable[..., Tab], entry: str) -> None:
    tab = tab_for(timezone_id=BERLIN)
    page = tab.go(entry)
    expect(state(page)).to_have_text("Draft")
    expect(page.locator(".field-publish_at [data-part=zone]")).to_have_text("In your time zone, Europe/Berlin.")
    expect(page.locator("#id_publish_at_1")).to_have_attribute("aria-label", "Time (Europe/Berlin)")

    page.fill("#id_publish_at_0", "2126-12-04")
    page.fill("#id_publish_at_1", "09:00")
    expect(words(page)).to_have_text(
        f"Once saved: Websites do not show it. It will not be published on {WHEN} as long as “Publish” is off."
    )
    page.locator("#id_is_active").check()
    expect(state(page)).to_have_text("Scheduled")
    expect(words(page)).to_have_text(f"Once saved: Will be published on {WHEN}.")
    page.fill("#id_unpublish_at_0", "2126-12-04")
    page.fill("#id_unpublish_at_1", "09:00")
    expect(words(page)).to_have_text("The end has to come after the moment of publication.")
    page.fill("#id_unpublish_at_0", "2126-12-05")
    expect(words(page)).to_contain_text("Will end on Thursday, 5 December 2126, 09:00 (Europe/Berlin).")
    tab.check_accessibility()

    save(page)
    expect(page.get_by_text(f"Scheduled: Will be published on {WHEN}.")).to_be_visible()
    expect(words(page)).to_contain_text(f"Will be published on {WHEN}.")
    assert not words(page).inner_text().startswith("Once saved")
    expect(page.locator("#id_publish_at_0")).to_have_value("2126-12-04")
    expect(page.locator("#id_publish_at_1")).to_have_value("09:00")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    tab.go(LIST)
    expect(row_of(page, "Slate").locator(".folio-stated")).to_have_text("Scheduled on 4 Dec 2126, 09:00")
    tab.check_complaints()

    elsewhere = tab_for(timezone_id=TOKYO)
    page = elsewhere.go(entry)
    expect(page.locator("#id_publish_at_1")).to_have_value("17:00")
    expect(words(page)).to_contain_text("4 December 2126, 17:00 (Asia/Tokyo)")
    page.fill("#id_excerpt", "Changed in Tokyo.")
    save(page)
    page = tab.go(entry)
    expect(page.locator("#id_publish_at_1")).to_have_value("09:00")
    tab.go(f"{entry.removesuffix('change/')}history/")
    expect(page.get_by_text(WHEN)).to_be_visible()
    expect(page.locator(".folio-history-entry").first).not_to_contain_text("Publish on")


def test_says_what_becomes_of_a_time_that_is_skipped_or_comes_twice(tab_for: Callable[..., Tab], entry: str) -> None:
    tab = tab_for(timezone_id=BERLIN)
    page = tab.go(entry)
    page.locator("#id_is_active").check()
    page.fill("#id_publish_at_0", "2026-10-25")
    page.fill("#id_publish_at_1", "02:30")
    expect(words(page)).to_contain_text("show that time twice")

    page.fill("#id_publish_at_0", "2027-03-28")
    expect(words(page)).to_have_text("At that time the clocks of Europe/Berlin are put forward, and skip it.")
    save(page)

    expect(page.locator("#id_publish_at_error")).to_contain_text("Enter 03:30, say.")
    expect(page.locator("#folio-problems").get_by_role("link", name="Publish on")).to_be_visible()
    expect(page.locator("#id_publish_at_0")).to_have_value("2027-03-28")
    expect(page.locator("#id_publish_at_1")).to_have_value("02:30")
    page.fill("#id_publish_at_1", "03:30")
    save(page)
    expect(page.locator("#folio-problems")).to_have_count(0)
    expect(page.locator("#id_publish_at_1")).to_have_value("03:30")
    tab.check_complaints()


def test_publishes_now_and_again_from_the_list(
    tab_for: Callable[..., Tab], server: Server, api: Session, entry: str
) -> None:
    tab = tab_for(timezone_id=BERLIN)
    set_moments(server, "slate", "2126-12-04T08:00:00Z", None)
    page = tab.go(LIST)
    switch = page.get_by_role("switch", name="Publish “Slate”")
    switch.press("Space")
    told(page, f"“Slate” is scheduled: it will be published on {WHEN}.")
    expect(row_of(page, "Slate").locator(".folio-stated")).to_have_text("Scheduled on 4 Dec 2126, 09:00")

    page.get_by_role("button", name="More for “Slate”").click()
    page.get_by_role("button", name="Publish now").click()
    told(page, "“Slate” is published.")
    expect(row_of(page, "Slate").locator(".folio-state")).to_have_text("Published")
    expect(switch).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="More for “Slate”").click()
    expect(page.get_by_role("button", name="Publish now")).to_be_hidden()
    page.keyboard.press("Escape")

    set_moments(server, "slate", None, "2020-12-04T08:00:00Z")
    page = tab.go(f"{LIST}?state=ended")
    expect(row_of(page, "Slate").locator(".folio-stated")).to_have_text("Ended on 4 Dec 2020, 09:00")
    page.get_by_role("switch", name="Publish “Slate”").click()
    told(page, "“Slate” is published. The end that it had is taken away.")
    tab.check_accessibility()
    tab.check_complaints()


def test_works_without_scripts_in_utc(browser: Browser, tab: Tab, entry: str) -> None:
    context = browser.new_context(java_script_enabled=False, timezone_id=BERLIN, base_url=tab.server.url)
    context.add_cookies(tab.page.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(entry)
    expect(page.locator(".field-publish_at [data-part=zone]")).to_have_text("In UTC.")
    page.check("#id_is_active")
    page.fill("#id_publish_at_0", "2126-12-04")
    page.fill("#id_publish_at_1", "08:00")
    page.click("[name=_continue]")
    expect(page.locator("#id_publish_at_1")).to_have_value(re.compile("^08:00"))
    expect(words(page)).to_contain_text("Will be published on Wednesday, 4 December 2126, 08:00 (UTC).")
    context.close()

    page = tab.go(LIST)
    expect(row_of(page, "Slate").locator(".folio-state")).to_have_text("Scheduled")


@pytest.mark.parametrize("locale", ["en-GB", "fa-IR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_looks_right_everywhere(
    tab_for: Callable[..., Tab], server: Server, api: Session, entry: str, locale: str, scheme: str, size: str
) -> None:
    set_moments(server, "slate", "2126-12-04T08:00:00Z", "2127-12-04T08:00:00Z")
    api.patch("/api/portfolios/" + entry.split("/")[4] + "/", json={"is_active": True})
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    tab = tab_for(timezone_id=BERLIN, locale=locale, color_scheme=scheme, **options)

    for name, path in (("form", entry), ("list", LIST), ("filter", f"{LIST}?state=scheduled"), ("home", "/admin/")):
        page = tab.go(path)
        page.locator("html[data-ready]").wait_for()
        expect(page.locator("body")).to_have_js_property("scrollWidth", page.viewport_size["width"])  # type: ignore[index]
        tab.check_accessibility()
        tab.picture(f"states-{name}-{size}-{scheme}-{locale[:2]}")
    tab.check_complaints()
