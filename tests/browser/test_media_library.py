"""What staff do in the media library: drop, describe, find, replace and delete files."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.factories import draw

from .conftest import PHONE, Tab, admin_session, drop, make_user

LIBRARY = "/admin/media/media/"
MAY_VIEW_MEDIA = """
from django.contrib.auth.models import Permission, User
User.objects.get(username={name!r}).user_permissions.add(Permission.objects.get(codename="view_media"))
"""


def picture(shade: int, size: tuple[int, int] = (240, 160)) -> bytes:
    return draw(size, color=(shade, 120, 90))


def card(page: Page, name: str) -> Any:
    return page.locator(f'.folio-card[data-name="{name}"]')


def media(tab: Tab, words: str) -> list[dict[str, Any]]:
    """Return what the API lists for these words."""
    page = admin_session(tab.server).get("/api/media/", params={"search": words, "limit": "100"}).json()
    results: list[dict[str, Any]] = page["results"]
    return results


def test_stores_the_good_ones_of_many_dropped_files_and_says_why_not_the_other(tab: Tab) -> None:
    page = tab.go(LIBRARY)
    files = {f"dropped{number}.png": picture(number) for number in range(1, 5)}

    drop(page, {**files, "dropped-broken.png": picture(5)[:-90]})

    expect(page.locator(".folio-upload[data-state=done]")).to_have_count(4)
    refused = page.locator(".folio-upload[data-state=refused]")
    expect(refused).to_contain_text("dropped-broken.png")
    expect(refused).to_contain_text("The image is damaged or incomplete.")
    expect(page.locator(".folio-said")).to_contain_text("4 stored, 1 refused")
    known = int(page.locator("[data-part=count]").inner_text().split()[0])
    drop(page, {"again1.png": picture(1), "again2.png": picture(2)})
    expect(page.locator(".folio-upload[data-state=same]")).to_have_count(2)
    expect(page.locator("[data-part=summary]")).to_contain_text("4 stored, 2 in the library already, 1 refused")
    assert int(page.locator("[data-part=count]").inner_text().split()[0]) == known
    for name in files:
        expect(card(page, name)).to_be_visible()
    assert sorted(row["name"] for row in media(tab, "dropped")) == sorted(files)
    tab.picture("library-uploads")
    tab.check_accessibility()
    assert all("400" in complaint for complaint in tab.complaints)


def test_describes_finds_replaces_and_deletes(tab: Tab) -> None:
    page = tab.go(LIBRARY)
    drop(page, {"lighthouse.png": picture(30)})
    alt = card(page, "lighthouse.png").get_by_label("Alt text of lighthouse.png")

    alt.fill("A lighthouse at noon")
    alt.press("Enter")
    expect(card(page, "lighthouse.png").locator('[data-field="alt"][data-state="saved"]')).to_be_visible()
    page.fill("#searchbar", "LIGHTHOUSE")
    page.press("#searchbar", "Enter")
    expect(page.locator(".folio-card")).to_have_count(1)
    expect(card(page, "lighthouse.png").get_by_label("Alt text of")).to_have_value("A lighthouse at noon")

    card(page, "lighthouse.png").locator("a").click()
    page.get_by_role("dialog", name="lighthouse.png").get_by_role("link", name="Open its page").click()
    expect(page.locator(".folio-facts")).to_contain_text("240 × 160")
    page.set_input_files(
        ".folio-replace [type=file]", {"name": "new.png", "mimeType": "", "buffer": picture(31, (90, 60))}
    )
    expect(page.locator("#id_name")).to_have_value("lighthouse.png")
    page.click(".folio-replace [type=submit]")
    expect(page.locator(".folio-facts")).to_contain_text("90 × 60")
    tab.picture("media")
    tab.check_accessibility()

    page.goto(f"{page.url.removesuffix('change/')}delete/")
    tab.picture("media-delete")
    page.click(".folio-button-danger")
    page.wait_for_url(re.compile(r"/admin/media/media/(\?.*)?$"))
    assert media(tab, "lighthouse") == []
    tab.check_complaints()


def test_keeps_what_is_used_until_it_is_taken_off_everything(tab: Tab) -> None:
    page = tab.go(LIBRARY)
    drop(page, {"pier.png": picture(40)})
    expect(card(page, "pier.png")).to_be_visible()
    [pier] = media(tab, "pier")
    admin_session(tab.server).post("/api/employers/", json={"name": "Pier Trust", "image": pier["id"]})

    card(page, "pier.png").get_by_role("checkbox").check()
    page.click("[value=delete_selected]")
    expect(page.locator(".folio-deletion")).to_contain_text("Pier Trust")
    expect(page.locator(".folio-button-danger")).to_have_count(0)
    tab.picture("library-delete")
    tab.check_accessibility()

    tab.go(f"{LIBRARY}{pier['id']}/delete/")
    page.get_by_role("button", name="Take it off everything and delete it").click()
    page.wait_for_url(re.compile(r"/admin/media/media/(\?.*)?$"))
    assert media(tab, "pier") == []
    tab.check_complaints()


def test_says_what_is_wrong_with_a_name_and_keeps_what_was_typed(tab: Tab) -> None:
    page = tab.go(LIBRARY)
    drop(page, {"buoy.png": picture(50)})
    box = card(page, "buoy.png").get_by_label("Name of buoy.png")

    box.fill("   ")
    box.press("Enter")

    expect(card(page, "buoy.png").locator("[data-part=error]").first).to_have_text("This field is required.")
    expect(box).to_have_value("   ")
    with page.expect_event("dialog") as warning:
        page.evaluate("setTimeout(() => location.reload())")
    assert warning.value.type == "beforeunload"
    warning.value.dismiss()
    box.press("Escape")
    expect(box).to_have_value("buoy.png")
    assert [row["name"] for row in media(tab, "buoy")] == ["buoy.png"]


def test_shows_readers_nothing_that_they_may_not_do(tab_for: Callable[..., Tab], server: Any) -> None:
    make_user(server, "maya")
    server.folio("shell", "--no-imports", "-c", MAY_VIEW_MEDIA.format(name="maya"))
    tab = tab_for("maya")

    page = tab.go(LIBRARY)

    expect(page.locator(".folio-card").first).to_be_visible()
    for forbidden in (".folio-text-box", "[data-part=upload]", ".folio-uploads", "[value=delete_selected]"):
        expect(page.locator(forbidden)).to_have_count(0)
    tab.check_complaints()


def test_fits_a_phone_and_the_dark(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for(viewport=PHONE, color_scheme="dark", has_touch=True)

    page = tab.go(LIBRARY)

    expect(page.locator(".folio-card").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.picture("library-phone-dark", full=False)
    page.evaluate("document.documentElement.dir = 'rtl'")
    expect(page.locator(".folio-text-name").first).to_have_css("text-align", "right")
    expect(page.locator(".folio-text-alt").first).to_have_css("text-align", "right")
    page.evaluate("document.documentElement.dir = 'ltr'")
    tab.check_accessibility()
    page.locator(".folio-card-picture").first.click()
    page.get_by_role("link", name="Open its page").click()
    expect(page.locator(".folio-facts")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.picture("media-phone-dark", full=False)
    tab.check_complaints()
