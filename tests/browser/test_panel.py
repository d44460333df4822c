"""The panel of a picture, beside a gallery: by keyboard, on a phone, in Persian, and what becomes of what is typed."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.factories import draw
from tests.live import Server

from .conftest import PHONE, Tab, admin_session, drop, make_user

ADD = "/admin/portfolios/portfolio/add/"
SMALL_PHONE = {**PHONE, "width": 360}
WITH = "?include=captions"


@pytest.fixture(scope="module")
def entry(server: Server) -> Any:
    """An entry with three pictures in its gallery, of which the first has an alt text."""
    session = admin_session(server)
    ids = []
    for number, name in enumerate(("crane", "derrick", "winch")):
        file = (f"{name}.png", draw((300, 200 + number), color=(90, 60 * number, 120)))
        data = {"alt": "A crane"} if number == 0 else {}
        ids.append(session.post("/api/media/", files={"file": file}, data=data).json()["id"])
    body = {"title": "Lifting", "slug": "lifting", "excerpt": "Heavy.", "images": ids, "is_active": False}
    return session.post("/api/portfolios/", json=body).json()


def form_of(entry: Any) -> str:
    return f"/admin/portfolios/portfolio/{entry['id']}/change/"


def stored(tab: Tab, entry: Any) -> Any:
    return admin_session(tab.server).get(f"/api/portfolios/{entry['id']}/{WITH}").json()


def media(tab: Tab, pk: int) -> Any:
    return admin_session(tab.server).get(f"/api/media/{pk}/").json()


def look(page: Page, number: int) -> Locator:
    """Open the panel at a picture of the gallery."""
    page.locator(".folio-gallery-picture").nth(number).click()
    panel = page.locator(".folio-look[open]")
    expect(panel).to_be_visible()
    return panel


def title(panel: Locator) -> Locator:
    return panel.locator("[data-part=title]")


def test_describes_one_picture_after_the_other_by_keyboard(tab: Tab, entry: Any) -> None:
    page = tab.go(form_of(entry))
    expect(page.locator("[data-part=lack]")).to_contain_text("2 pictures have no alt text.")
    first = page.locator(".folio-gallery-picture").first

    first.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="crane.png")
    expect(title(panel)).to_be_focused()
    page.keyboard.press("ArrowRight")
    panel = page.get_by_role("dialog", name="derrick.png")
    expect(panel.locator("[data-part=place]")).to_have_text("2 of 3")
    panel.get_by_label("Alt text").focus()
    page.keyboard.type("A derrick")
    page.keyboard.press("PageDown")  # which leaves the box, and so saves it
    panel = page.get_by_role("dialog", name="winch.png")
    expect(panel.get_by_label("Alt text")).to_be_focused()
    expect(panel.locator(".folio-said p").last).to_have_text("Saved. winch.png, 3 of 3")
    page.keyboard.type("A winch")
    panel.get_by_label("Caption").focus()
    page.keyboard.type("Drawn by hand")
    ring = panel.get_by_role("slider", name="Focal point")
    ring.focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(ring).to_have_attribute("aria-valuetext", "40 % from the left, 49 % from the top")
    expect(panel.locator("[data-part=status]")).to_have_text("Saved.")
    panel.get_by_role("button", name="Use as cover").press("Enter")
    tab.check_accessibility()
    tab.picture("panel", full=False)
    page.keyboard.press("Escape")

    expect(page.locator(".folio-look[open]")).to_have_count(0)
    expect(page.locator(".folio-gallery-picture").nth(2)).to_be_focused()
    expect(page.locator("[data-part=lack]")).to_be_hidden()
    expect(page.locator(".folio-gallery-item").nth(2)).to_contain_text("Drawn by hand")
    expect(page.get_by_role("button", name="Use winch.png as cover")).to_have_attribute("aria-pressed", "true")
    ids = [image["id"] for image in entry["images_data"]]
    assert [media(tab, pk)["alt"] for pk in ids] == ["A crane", "A derrick", "A winch"]
    assert (media(tab, ids[2])["focal_x"], media(tab, ids[2])["focal_y"]) == (0.4, 0.49)
    assert stored(tab, entry)["captions"] == {}  # with the form

    look(page, 2).get_by_label("Caption").press("Control+s")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page.locator(".folio-look")).to_have_count(0)
    read = stored(tab, entry)
    assert read["captions"] == {str(ids[2]): "Drawn by hand"}
    assert read["image_data"]["id"] == ids[2]
    tab.check_complaints()


def test_sets_the_focal_point_by_a_click_and_a_drag_and_takes_it_back(tab: Tab, entry: Any) -> None:
    page = tab.go(form_of(entry))
    pk = entry["images_data"][0]["id"]
    panel = look(page, 0)
    picture = panel.locator("[data-part=large]")
    box = picture.bounding_box()
    assert box

    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75)
    expect(panel.locator("[data-part=point]")).to_have_text("25 % from the left, 75 % from the top")
    expect(panel.locator("[data-part=status]")).to_have_text("Saved.")
    assert media(tab, pk)["focal_x"] == pytest.approx(0.25, abs=0.01)
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=3)
    page.mouse.move(box["x"] + box["width"] * 2, box["y"] - 40, steps=3)
    page.mouse.up()
    expect(panel.locator("[data-part=point]")).to_have_text("100 % from the left, 0 % from the top")
    panel.get_by_role("button", name="Centre").click()
    expect(panel.locator("[data-part=point]")).to_have_text("The centre")
    expect(panel.get_by_role("button", name="Centre")).to_be_disabled()
    page.mouse.click(700, 790)  # beside the panel, on no picture
    expect(page.locator(".folio-look[open]")).to_have_count(0)
    assert media(tab, pk)["focal_x"] is None
    tab.check_complaints()


def test_keeps_what_can_not_be_saved_and_says_why(tab: Tab, entry: Any) -> None:
    page = tab.go(form_of(entry))
    pk = entry["images_data"][0]["id"]
    panel = look(page, 0)
    alt = panel.get_by_label("Alt text")
    alt.fill("Mine")
    admin_session(tab.server).patch(f"/api/media/{pk}/", json={"alt": "Theirs"})

    page.keyboard.press("Escape")

    expect(panel).to_contain_text("ada has changed this to “Theirs” meanwhile.")
    expect(alt).to_have_value("Mine")
    tab.complaints.clear()  # of the answer, a 409
    page.keyboard.press("Escape")
    expect(page.locator(".folio-look[open]")).to_have_count(0)
    assert media(tab, pk)["alt"] == "Mine"
    tab.check_complaints()

    panel = look(page, 0)
    page.route("**/texts/", lambda route: route.abort())
    panel.get_by_label("Alt text").fill("Lost")
    page.keyboard.press("PageDown")
    expect(panel).to_contain_text("The server can’t be reached")
    expect(title(panel)).to_have_text("crane.png")
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    expect(panel.get_by_label("Alt text")).to_have_value("Lost")
    page.keyboard.press("Escape")  # who closes it twice means it
    expect(page.locator(".folio-look[open]")).to_have_count(0)


def test_warns_before_a_caption_is_left_unsaved(tab: Tab, entry: Any) -> None:
    page = tab.go(form_of(entry))
    look(page, 1).get_by_label("Caption").fill("Never saved")
    page.keyboard.press("Escape")
    warnings: list[str] = []

    def leave(dialog: Dialog) -> None:
        warnings.append(dialog.type)
        dialog.accept()

    page.once("dialog", leave)
    page.reload()

    assert warnings == ["beforeunload"]
    expect(page.locator(".folio-gallery-item").nth(1)).not_to_contain_text("Never saved")


def test_the_first_picture_of_a_new_entry_is_its_cover_until_another_is_chosen(tab: Tab) -> None:
    page = tab.go(ADD)
    cover = page.locator("[name=image]")
    drop(
        page, {f"new{number}.png": draw((200, 150), color=(number * 40, 9, 9)) for number in range(3)}, "folio-gallery"
    )
    items = page.locator(".folio-gallery-item")
    expect(items).to_have_count(3)

    ids = items.evaluate_all("items => items.map((item) => item.dataset.id)")
    expect(cover).to_have_value(ids[0])
    expect(page.locator(".field-image")).to_contain_text("new0.png")
    items.first.locator("[data-move='1']").click()
    expect(cover).to_have_value(ids[1])
    items.nth(2).get_by_role("button", name="Use new2.png as cover").click()
    expect(cover).to_have_value(ids[2])
    items.first.locator("[data-part=remove]").click()
    expect(cover).to_have_value(ids[2])
    tab.check_complaints()


def test_fills_a_phones_screen_in_persian_where_the_arrows_are_mirrored(
    tab_for: Callable[..., Tab], entry: Any
) -> None:
    tab = tab_for(viewport=SMALL_PHONE, color_scheme="dark", has_touch=True, locale="fa-IR")
    page = tab.go(form_of(entry))

    page.locator(".folio-gallery-picture").first.tap()

    panel = page.locator(".folio-look[open]")
    expect(panel).to_be_visible()
    assert panel.bounding_box() == {"x": 0, "y": 0, **SMALL_PHONE}
    assert page.evaluate("document.querySelector('.folio-look-body').scrollWidth") <= SMALL_PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE["width"]
    tab.check_accessibility()
    tab.picture("panel-phone-persian-dark", full=False)
    page.keyboard.press("ArrowLeft")
    expect(title(panel)).to_have_text("derrick.png")
    page.keyboard.press("ArrowRight")
    expect(title(panel)).to_have_text("crane.png")
    panel.locator("[data-part=next]").tap()
    expect(title(panel)).to_have_text("derrick.png")
    panel.locator("[data-part=close]").tap()
    expect(page.locator(".folio-look[open]")).to_have_count(0)
    tab.check_complaints()


def test_lets_who_may_not_see_the_library_write_captions(
    tab_for: Callable[..., Tab], server: Server, entry: Any
) -> None:
    make_user(server, "petra")
    server.folio("shell", "--no-imports", "-c", MAY_CHANGE_PORTFOLIOS)
    tab = tab_for("petra")
    page = tab.go(form_of(entry))

    panel = look(page, 1)

    expect(panel).to_contain_text("You may not see the media library")
    expect(panel.locator("[data-part=stand-in] img")).to_be_visible()
    expect(panel.get_by_label("Alt text")).to_have_count(0)
    expect(panel.get_by_label("Caption")).to_be_editable()
    tab.check_accessibility()
    tab.check_complaints()


MAY_CHANGE_PORTFOLIOS = """
from django.contrib.auth.models import Permission, User
User.objects.get(username="petra").user_permissions.set(Permission.objects.filter(
    codename__in=["view_portfolio", "change_portfolio"]))
"""
