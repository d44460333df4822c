"""Choosing media within forms: by keyboard alone, with an upload in the dialog, on a phone."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from .conftest import PHONE, Tab, drop
from .test_media_library import media, picture

ADD = "/admin/portfolios/employer/add/"
GALLERY = "folio-gallery"


def focused(page: Page) -> Any:
    return page.locator(":focus")


def test_chooses_an_image_by_keyboard_alone(tab: Tab) -> None:
    page = tab.go(ADD)
    page.fill("[name=name]", "Keyboard Trust")
    button = page.locator("folio-media [data-part=choose]")

    button.focus()
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_attribute("type", "search")
    page.keyboard.type("postcard-lake")
    expect(page.locator("[role=option]")).to_have_count(1)
    tab.picture("picker", full=False)
    tab.check_accessibility()
    page.keyboard.press("ArrowDown")
    expect(focused(page)).to_have_attribute("role", "option")
    page.keyboard.press("Enter")

    expect(page.locator(".folio-dialog")).to_have_count(0)
    expect(button).to_be_focused()
    expect(page.locator("folio-media")).to_contain_text("postcard-lake")
    expect(page.locator(".folio-said")).to_contain_text("is chosen.")
    page.keyboard.press("Enter")
    expect(page.locator(".folio-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".folio-dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.press("[name=_save]", "Enter")
    page.wait_for_url("**/admin/portfolios/employer/")
    tab.check_complaints()


def test_uploads_within_the_dialog_and_takes_it_off_again(tab: Tab) -> None:
    page = tab.go(ADD)
    page.click("folio-media [data-part=choose]")
    expect(page.locator("[role=option]").first).to_be_visible()

    drop(page, {"in-dialog.png": picture(60), "not-here.txt": b"Some notes.\n"}, ".folio-dialog")

    expect(page.locator(".folio-upload[data-state=done]")).to_have_count(2)
    expect(page.locator("[role=option][aria-selected=true]")).to_have_attribute("data-name", "in-dialog.png")
    expect(page.locator('[role=option][data-name="not-here.txt"]')).to_have_count(0)
    expect(page.locator("#folio-announcements")).to_contain_text("“not-here.txt” is stored in the library, but only")
    tab.picture("picker-upload", full=False)
    page.click(".folio-dialog [data-part=take]")
    expect(page.locator("folio-media")).to_contain_text("in-dialog.png")
    page.click("folio-media [data-part=remove]")
    expect(page.locator("folio-media [name=image]")).to_have_value("")
    assert [row["name"] for row in media(tab, "in-dialog")] == ["in-dialog.png"]
    tab.check_complaints()


def test_orders_a_gallery_by_keyboard_and_describes_it_in_place(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/portfolio/add/")
    page.click(f"{GALLERY} [data-part=choose]")
    for number in range(3):
        page.locator("[role=option]").nth(number).click()
    page.click(".folio-dialog [data-part=take]")
    items = page.locator(".folio-gallery-item")
    expect(items).to_have_count(3)
    names = items.evaluate_all("items => items.map((item) => item.dataset.name)")

    items.first.locator("[data-move='1']").focus()
    page.keyboard.press("Control+ArrowRight")  # none of ours
    page.keyboard.press("ArrowRight")
    expect(page.locator(".folio-said")).to_contain_text(f"{names[0]} moved to place 2 of 3.")
    expect(items.nth(1)).to_have_attribute("data-name", names[0])
    page.keyboard.press("End")
    expect(page.locator(".folio-said")).to_contain_text(f"{names[0]} moved to place 3 of 3.")
    alt = items.last.locator("input[type=text]")
    alt.fill("Seen by keyboard")
    alt.press("Enter")
    expect(items.last.locator("[data-state=saved]")).to_be_visible()
    items.nth(1).locator("[data-part=remove]").click()

    drop(page, {"notes.txt": b"No picture."}, GALLERY)
    uploaded = page.locator(f"{GALLERY} .folio-upload")
    expect(uploaded).to_contain_text("“notes.txt” is stored in the library, but only images can be in a gallery.")

    now = items.evaluate_all("items => items.map((item) => item.dataset.name)")
    assert now == [names[1], names[0]]
    assert page.url.endswith("/add/")  # Enter in an alt text saves that, not the form
    assert [row["alt"] for row in media(tab, names[0])] == ["Seen by keyboard"]
    tab.check_complaints()


def test_fills_a_phones_screen(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for(viewport=PHONE, color_scheme="dark", has_touch=True)
    page = tab.go(ADD)

    page.click("folio-media [data-part=choose]")

    expect(page.locator("[role=option]").first).to_be_visible()
    box = page.locator(".folio-dialog").bounding_box()
    assert box == {"x": 0, "y": 0, **PHONE}
    assert page.evaluate("document.querySelector('.folio-dialog').scrollWidth") <= PHONE["width"]
    tab.picture("picker-phone-dark", full=False)
    tab.check_accessibility()
    page.locator("[role=option]").nth(2).tap()
    page.locator(".folio-dialog [data-part=take]").tap()
    expect(page.locator("folio-media [data-part=remove]")).to_be_visible()
    tab.check_complaints()


def test_tells_one_thing_at_a_time_and_nothing_above_the_buttons(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/portfolio/add/")
    expect(page.locator(f"{GALLERY} [data-part=empty]")).to_be_visible()

    def slow(route: Any) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/media/media/upload/", slow)

    drop(page, {"one.png": picture(91), "two.txt": b"Notes one.\n", "three.txt": b"Notes two.\n"}, GALLERY)

    expect(page.locator(f"{GALLERY} [data-part=empty]")).to_be_hidden()
    notice = page.locator(".folio-announcement")
    expect(notice).to_contain_text("only images can be in a gallery")
    expect(page.locator(".folio-upload[data-state=waiting], .folio-upload[data-state=going]")).to_have_count(0)
    expect(notice).to_have_count(1)
    box, save = notice.bounding_box(), page.locator("[name=_save]").bounding_box()
    assert box
    assert save
    assert box["y"] + box["height"] <= save["y"]
    page.locator(f"{GALLERY} [data-part=remove]").click()
    expect(page.locator(f"{GALLERY} [data-part=empty]")).to_be_visible()
