"""People and keys in a browser: a key of one's own, roles, and a sign-in that has to wait."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.live import Server

from .conftest import PASSWORD, PHONE, Tab, make_user

LIST, ADD = "/admin/access/token/", "/admin/access/token/add/"


@pytest.fixture(scope="module", autouse=True)
def staff(server: Server) -> None:
    make_user(server, "vera", "Viewer")


def make_a_key(tab: Tab, name: str) -> str:
    page = tab.go(ADD)
    page.fill("[name=name]", name)
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("folio-secret:defined")
    return page.input_value("#folio-key")


def revocations(page: Page) -> Locator:
    """Return the links that revoke the keys of a list, one for each."""
    return page.locator("#result_list a", has_text="Revoke")


def test_makes_uses_and_revokes_a_key(tab_for: Callable[..., Tab], server: Server) -> None:
    tab = tab_for("vera")
    page = tab.go(ADD)
    page.fill("[name=name]", "website")
    assert page.locator(".field-codes").is_hidden()
    assert page.locator(".field-date").is_hidden()
    page.check("[name=reach][value=some]")
    tab.check_accessibility()
    tab.picture("key-add")
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("text=Choose at least one.")
    page.check("[name=codes][value='4202']")
    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("folio-secret:defined")
    key = page.input_value("#folio-key")
    tab.check_accessibility()

    answers = [server.session(key).get(path).status_code for path in ("/api/portfolios/", "/api/media/")]
    assert answers == [200, 403]
    assert f"Token {key}' '{server.url}/api/portfolios/'" in page.input_value("#folio-curl")

    page = tab.go(LIST)
    assert "Portfolios: 4202 list" in page.inner_text("#result_list")
    page.click("a:has-text('Revoke')")
    tab.check_accessibility()
    tab.picture("key-revoke")
    page.click("button:has-text('Revoke')")
    expect(page).to_have_url(server.url + LIST)
    assert server.session(key).get("/api/portfolios/").status_code == 401
    tab.check_complaints()


def test_copies_the_key(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for("vera", permissions=["clipboard-read", "clipboard-write"])
    key = make_a_key(tab, "copied")

    tab.page.get_by_role("button", name="Copy the key").click()

    tab.page.wait_for_selector("#folio-announcements >> text=Copied.")
    assert tab.page.evaluate("navigator.clipboard.readText()") == key
    tab.check_complaints()


def test_selects_the_key_where_it_can_not_be_copied(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for("vera")
    key = make_a_key(tab, "selected")
    tab.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")

    tab.page.get_by_role("button", name="Copy the key").click()

    tab.page.wait_for_selector("#folio-announcements >> text=It is selected")
    assert tab.page.evaluate("document.getSelection().toString()") == key


def test_shows_the_key_once_whatever_one_does(tab_for: Callable[..., Tab], server: Server) -> None:
    make_user(server, "olga", "Viewer")
    tab = tab_for("olga")
    page = tab.page

    first = make_a_key(tab, "reloaded")
    page.reload()
    expect(page).to_have_url(server.url + LIST)
    expect(revocations(page)).to_have_count(1)
    assert first not in page.content()

    second = make_a_key(tab, "left and come back to")
    tab.go("/admin/")
    page.go_back()
    expect(page).to_have_url(server.url + LIST)
    expect(revocations(page)).to_have_count(2)
    assert second not in page.content()
    assert "folio_" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_chooses_codes_by_keyboard_on_a_phone(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for("vera", viewport=PHONE, color_scheme="dark")
    page = tab.go(ADD)
    page.fill("[name=name]", "phone")
    page.locator("[name=reach][value=website]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # all of the first resource
    chosen = page.locator("[name=codes]:checked").evaluate_all("boxes => boxes.map(box => box.value)")
    assert chosen == ["4102", "4103"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.check_accessibility()
    tab.picture("key-add-phone-dark")

    page.get_by_role("button", name="Make the key").click()
    page.wait_for_selector("folio-secret:defined")
    tab.check_accessibility()
    tab.picture("key-new-phone-dark")
    tab.check_complaints()


def test_gives_a_new_colleague_a_role(tab: Tab, tab_for: Callable[..., Tab], server: Server) -> None:
    page = tab.go("/admin/auth/user/add/")
    page.fill("[name=username]", "nina")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    assert page.locator("[name=is_staff]").is_checked()
    page.get_by_label("Contributor").check()
    tab.check_accessibility()
    with page.expect_navigation():
        page.click("[name=_save]")

    of_nina = tab_for("nina")
    assert of_nina.page.locator("#nav-sidebar").inner_text().count("Portfolios") == 2
    assert "Users" not in of_nina.page.locator("#nav-sidebar").inner_text()
    tab.check_complaints()


def test_ticks_a_whole_row_of_a_roles_table(tab: Tab) -> None:
    page = tab.go("/admin/auth/group/add/")
    page.fill("[name=name]", "Taggers")
    page.get_by_role("button", name="All of tags, or nothing of it").click()

    assert page.get_by_label("4224 · update tags").is_checked()
    assert page.locator("[name=permissions]:checked").count() == 4
    tab.picture("group-add")
    page.get_by_role("button", name="All of tags, or nothing of it").click()
    assert page.locator("[name=permissions]:checked").count() == 0
    tab.check_complaints()


def test_has_to_wait_after_wrong_passwords(tab_for: Callable[..., Tab], server: Server) -> None:
    make_user(server, "paul", "Viewer")
    tab = tab_for(None)
    page = tab.go("/admin/login/")
    for password in ["wrong"] * 5 + [PASSWORD]:
        page.fill("[name=username]", "paul")
        page.fill("[name=password]", password)
        with page.expect_navigation():
            page.click("#login-form [type=submit]")

    expect(page.locator("body")).to_contain_text("Too many failed attempts to sign in. Try again in")
    assert page.input_value("[name=username]") == "paul"
    assert page.input_value("[name=password]") == ""
    tab.check_accessibility()
    tab.picture("login-slowed")


def test_shows_all_that_a_group_may_on_a_phone(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for(viewport=PHONE)
    page = tab.go("/admin/auth/group/")
    tab.picture("groups-phone")

    hidden = "cell => cell.scrollHeight > cell.clientHeight || cell.scrollWidth > cell.clientWidth"
    cells = page.locator("#result_list td")
    expect(cells.filter(has_text="4202")).not_to_have_count(0)
    assert not [cell.inner_text() for cell in cells.all() if cell.evaluate(hidden)]


@pytest.mark.parametrize(
    ("path", "box"),
    [
        ("/admin/auth/user/add/", "#id_username"),
        ("/admin/auth/group/add/", "#id_name"),
        (ADD, "[name=name]"),
        ("/admin/media/media/1/change/", "#id_alt"),
    ],
)
def test_no_form_is_lost_with_the_session(tab: Tab, path: str, box: str) -> None:
    page = tab.go(path)
    page.fill(box, "Typed before the session ended")
    with page.expect_event("dialog") as warning:
        page.evaluate("setTimeout(() => location.reload())")
    assert warning.value.type == "beforeunload"
    warning.value.dismiss()
    page.context.clear_cookies()

    page.locator("[type=submit][form]").first.click()

    expect(page.locator("#folio-signed-out")).to_contain_text("You were signed out.")
    tab.check_accessibility()
    page.get_by_role("button", name="Go on editing").click()
    assert page.input_value(box) == "Typed before the session ended"
