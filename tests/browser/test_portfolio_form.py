"""The portfolio's form, as members of staff fill it in."""

import re
from collections.abc import Callable

from playwright.sync_api import Dialog, Page, Route, expect

from tests.factories import draw
from tests.live import Server

from .conftest import PASSWORD, PHONE, Tab, admin_session, drop, make_user

ADD = "/admin/portfolios/portfolio/add/"
LIST = "/admin/portfolios/portfolio/"


def drop_photos(page: Page, *names: str) -> None:
    """Drop photos onto the gallery, the first of which is stored after the second, and wait until all are."""
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route)
        if len(held) == 3:  # two go at once: the second is over
            held[0].continue_()
        if len(held) > 1:
            route.continue_()

    page.route("**/media/upload/", hold_the_first)
    photos = {
        f"{name}.jpg": draw((320, 200 + 20 * place), "JPEG", color=(40 * place, 90, 160))
        for place, name in enumerate(names)
    }
    drop(page, photos, "folio-gallery")
    expect(page.locator(".folio-gallery-item")).to_have_count(len(names), timeout=30_000)


def photos_of(page: Page) -> list[str]:
    return [
        str(name)
        for name in page.locator(".folio-gallery-item").evaluate_all("items => items.map(i => i.dataset.name)")
    ]


def choose(page: Page, box: str, name: str, *, new: bool = False) -> None:
    """Type a name into a box and take what it offers."""
    page.locator(box).press_sequentially(name)
    option = f"Create “{name}”" if new else name
    page.get_by_role("option", name=option, exact=True).wait_for()
    page.locator(box).press("Enter")
    expect(page.locator(f".folio-field:has({box}) .folio-choice-name", has_text=name)).to_be_visible()


def save(page: Page, name: str = "_save") -> None:
    with page.expect_navigation():
        page.click(f"[name={name}]")


def portfolio_of(server: Server, slug: str) -> dict[str, object]:
    """Read an entry through the API."""
    answer = admin_session(server).get(f"/api/portfolios/slug/{slug}/")
    assert answer.ok, answer.text
    read: dict[str, object] = answer.json()
    return read


def test_counts_in_persian_with_the_digits_of_the_whole_page(tab_for: Callable[..., Tab]) -> None:
    page = tab_for(locale="fa-IR").go(ADD)

    page.fill("#id_excerpt", "شهر")

    expect(page.locator("#id_excerpt_count > span").first).to_have_text("3 از 1,000 نویسه")


def test_makes_an_entry_from_nothing(tab: Tab, server: Server) -> None:
    page = tab.go(ADD)
    page.locator("#id_title").press_sequentially("Straße am नदी")
    expect(page.locator("#id_slug")).to_have_value("straße-am-नदी")
    page.fill("#id_excerpt", "A street by the river." + "x" * 950)
    expect(page.locator("#id_excerpt_count")).to_contain_text("972 of 1,000 characters")
    expect(page.locator("#id_excerpt_count [role=status]")).to_have_text("28 characters left.")

    drop_photos(page, "one", "two", "three", "four", "five")
    stored = photos_of(page)
    assert stored == ["one.jpg", "two.jpg", "three.jpg", "four.jpg", "five.jpg"]
    page.locator(".folio-gallery-item").last.locator("[data-move='-1']").focus()
    page.keyboard.press("ArrowLeft")
    first = page.locator(".folio-gallery-item").first
    first.drag_to(page.locator(".folio-gallery-item").nth(2), target_position={"x": 70, "y": 20})
    ordered = photos_of(page)
    assert sorted(ordered) == sorted(stored)
    assert ordered[-1] == stored[3]
    assert ordered[0] == stored[1]

    choose(page, "#id_employer", "River Trust", new=True)
    choose(page, "#id_tags", "quayside", new=True)
    page.locator("#id_tags").press_sequentially("elopmen")
    page.get_by_role("option", name="Create “elopmen”").wait_for()
    page.locator("#id_tags").press("Control+s")
    expect(page.locator("#id_tags")).to_be_focused()
    expect(page.locator("#folio-announcements")).to_contain_text("“elopmen” is not chosen yet")
    page.locator("#id_tags").press("Enter")
    expect(page.locator(".field-tags .folio-choice-name")).to_have_text(["quayside", "Development"])
    page.locator(".field-tags .folio-choice-name").last.focus()
    page.keyboard.press("ArrowLeft")
    for name in ("press", "site"):
        page.click("#links-group .folio-rows-add")
        page.keyboard.type(name)
    page.locator("#links-group .folio-row-up").last.click()
    expect(page.locator(".folio-said p").last).to_have_text("“site” was moved to place 1 of 2.")
    page.fill("#id_completed_at_0", "2024-12-12")
    tab.check_accessibility()
    tab.picture("portfolio-form")

    expect(page.locator("#id_is_active")).not_to_be_checked()
    save(page, "_preview")
    expect(page.get_by_role("heading", name="Straße am नदी")).to_be_visible()
    expect(page.get_by_text("Draft", exact=True)).to_be_visible()
    assert portfolio_of(server, "straße-am-नदी")["is_active"] is False

    page.get_by_role("link", name="Back to the form").click()
    expect(page.locator(".folio-gallery-item")).to_have_count(len(ordered))
    assert photos_of(page) == ordered
    page.locator("#id_is_active").check()
    save(page, "_continue")

    expect(page.locator("#folio-problems")).to_have_count(0)
    read = portfolio_of(server, "straße-am-नदी")
    assert [image["name"] for image in read["images_data"]] == ordered  # type: ignore[attr-defined]
    assert [tag["name"] for tag in read["tags_data"]] == ["Development", "quayside"]  # type: ignore[attr-defined]
    assert [link["name"] for link in read["links_data"]] == ["site", "press"]  # type: ignore[attr-defined]
    assert read["employer_data"]["name"] == "River Trust"  # type: ignore[index]
    assert (read["completed_at"], read["is_active"]) == ("2024-12-12T00:00:00Z", True)
    page.fill("#id_title", "Another title")
    expect(page.locator("#id_slug")).to_have_value("straße-am-नदी")
    page.click(".folio-slug-make")
    expect(page.locator("#id_slug")).to_have_value("another-title")
    tab.check_complaints()


def test_keeps_what_was_typed_where_an_employer_was_deleted_in_another_tab(tab: Tab) -> None:
    page = tab.go(ADD)
    page.fill("#id_title", "Of the gone")
    page.fill("#id_slug", "of-the-gone")
    page.fill("#id_excerpt", "Kept.")
    choose(page, "#id_employer", "Soon Gone", new=True)
    choose(page, "#id_tags", "Development")
    page.click("#meta-group .folio-rows-add")
    page.keyboard.type("camera")
    other = page.context.new_page()
    other.goto(page.url.replace(ADD, "/admin/portfolios/employer/?q=Soon+Gone"))
    other.locator("#result_list").get_by_text("Soon Gone").click()
    other.get_by_role("link", name="Delete").click()
    other.get_by_role("button", name="Yes, I’m sure").click()
    other.get_by_text("was deleted successfully").wait_for()
    other.close()

    save(page)

    expect(page.locator("#folio-problems")).to_be_focused()
    expect(page.locator("#folio-problems")).to_contain_text("“Soon Gone” was deleted meanwhile")
    assert page.input_value("#id_title") == "Of the gone"
    assert page.input_value("#id_meta-0-key") == "camera"
    expect(page.locator(".field-tags .folio-choice-name")).to_have_text(["Development"])
    expect(page.locator(".field-employer .folio-choice-name")).to_have_count(0)
    tab.check_accessibility()
    page.click("#folio-problems a")
    expect(page.locator("#id_employer")).to_be_focused()
    save(page)
    assert page.url.endswith(LIST)


def test_loses_nothing_with_the_session(tab: Tab) -> None:
    page = tab.go(ADD)
    page.fill("#id_title", "Through the night")
    page.fill("#id_excerpt", "Typed before the session ended.")
    warnings: list[str] = []

    def stay(dialog: Dialog) -> None:
        warnings.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("location.reload()")
    page.wait_for_timeout(500)
    assert warnings == ["beforeunload"]
    page.context.clear_cookies()

    page.locator("#id_slug").fill("through-the-night")
    page.click("[name=_save]")

    expect(page.locator("#folio-signed-out")).to_contain_text("You were signed out.")
    tab.check_accessibility()
    tab.picture("signed-out", full=False)
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Sign in in another tab").click()
    popup.value.fill("[name=username]", "ada")
    popup.value.fill("[name=password]", PASSWORD)
    popup.value.click("#login-form [type=submit]")
    popup.value.wait_for_url(re.compile(r"/admin/$"))
    popup.value.close()
    with page.expect_navigation():
        page.get_by_role("button", name="Save again").click()
    assert page.url.endswith(LIST)
    expect(page.get_by_text("was added successfully")).to_be_visible()


def test_lets_a_contributor_draft_on_a_phone(tab_for: Callable[..., Tab], server: Server) -> None:
    make_user(server, "connie")
    server.folio("shell", "--no-imports", "-c", DRAFTER)
    tab = tab_for("connie", viewport=PHONE, has_touch=True, is_mobile=True)
    page = tab.go(ADD)
    page.fill("#id_title", "Only a draft")
    page.fill("#id_slug", "only-a-draft")
    page.fill("#id_excerpt", "Not to be seen yet.")
    page.click("#links-group .folio-rows-add")
    page.keyboard.type("gone")
    page.click("#links-group .folio-rows-add")
    page.keyboard.type("kept")
    page.locator("#links-group .folio-row-remove").first.click()
    expect(page.locator("#links-group .folio-row-gone").first).to_contain_text("“gone” will be removed when you save.")
    page.click("#links-group .folio-row-restore")
    page.locator("#links-group .folio-row-remove").first.click()

    assert page.locator("[name=is_active]").count() == 0
    expect(page.get_by_text("until someone who may publish publishes it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.check_accessibility()
    tab.picture("portfolio-form-phone")
    save(page, "_continue")

    read = portfolio_of(server, "only-a-draft")
    assert read["is_active"] is False
    assert [link["name"] for link in read["links_data"]] == ["kept"]  # type: ignore[attr-defined]
    tab.check_complaints()


DRAFTER = """
from django.contrib.auth.models import Permission, User
User.objects.get(username="connie").user_permissions.set(Permission.objects.filter(
    codename__in=["draft_portfolio", "view_tag", "view_employer", "view_media"]))
"""


def test_makes_the_slug_of_a_new_tag_from_its_name(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/tag/add/")

    page.locator("#id_name").press_sequentially("Straße am नदी")
    expect(page.locator("#id_slug")).to_have_value("straße-am-नदी")

    page.fill("#id_slug", "street")
    page.fill("#id_name", "Another name")
    expect(page.locator("#id_slug")).to_have_value("street")
    expect(page.locator(".folio-slug-make")).to_have_text("Make from the name")
    tab.check_complaints()
