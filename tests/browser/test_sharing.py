"""Sharing an entry before it is published, in a browser, with a website that shows it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.live import Server, running_demo

from .conftest import PHONE, Tab, admin_session, make_user

WEBSITE = "http://studio.localhost:4322"
SITE = f"{WEBSITE}/work/{{slug}}/"
# What a website's page does with the token in its own address.
PAGE = """<!doctype html><title>Studio</title><h1>…</h1><script>
const slug = location.pathname.split("/")[2];
const url = "%s/api/public/portfolios/" + slug + "/" + location.search;
fetch(url, { cache: "no-store", referrerPolicy: "no-referrer" }).then(async (answer) => {
  const found = await answer.json();
  document.querySelector("h1").textContent = answer.ok ? found.title : found.preview[0];
  document.body.dataset.referrer = document.referrer;
});
</script>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this file's own, which knows a website."""
    folder = tmp_path_factory.mktemp("sharing")
    with running_demo(folder, FOLIO_SITE_URL=SITE, FOLIO_PUBLIC_READ="on") as server:
        make_user(server, "ada", is_admin=True)
        yield server


@pytest.fixture(scope="module")
def draft(server: Server) -> int:
    body = {"title": "A quay at dawn", "slug": "quay", "excerpt": "Not out yet.", "is_active": False}
    answer = admin_session(server).post("/api/portfolios/", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def open_website(context: BrowserContext, server: Server) -> None:
    """Let the website answer in a browser: it is nowhere else."""

    def answer(route: Route) -> None:
        route.fulfill(body=PAGE % server.url, content_type="text/html")

    context.route(f"{WEBSITE}/**", answer)


def make_link(page: Page, lifetime: str = "7 days") -> str:
    page.get_by_label(lifetime, exact=True).check()
    page.get_by_role("button", name="Make", exact=False).first.click()
    link = page.get_by_label("Link", exact=True)
    expect(link).to_be_focused()
    return link.input_value()


def share(draft: int) -> str:
    return f"/admin/portfolios/portfolio/{draft}/share/"


def test_shares_from_the_form_and_ends_it(tab_for: Callable[..., Tab], server: Server, draft: int) -> None:
    tab = tab_for(permissions=["clipboard-read", "clipboard-write"])
    page = tab.go(f"/admin/portfolios/portfolio/{draft}/change/")
    page.get_by_role("link", name="Share a preview").first.click()
    expect(page).to_have_url(server.url + share(draft))
    tab.check_accessibility()

    link = make_link(page, "30 days")

    assert link.startswith(f"{WEBSITE}/work/quay/?preview=")
    expect(page.get_by_text("It is shown only here, only this once")).to_be_visible()
    tab.check_accessibility()
    tab.picture("sharing-made")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.locator("#folio-announcements")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == link
    client = tab_for(None)
    open_website(client.page.context, server)
    client.page.goto(link)
    expect(client.page.get_by_role("heading")).to_have_text("A quay at dawn")
    page.get_by_role("button", name="End all links").click()
    expect(page.get_by_text("All links to this entry are ended.")).to_be_visible()
    expect(page.get_by_role("button", name="End all links")).to_have_count(0)
    client.page.reload()
    expect(client.page.get_by_role("heading")).to_contain_text("This preview link has ended")
    tab.check_complaints()


def test_shows_the_link_once_whatever_one_does(tab: Tab, server: Server, draft: int) -> None:
    page = tab.go(share(draft))
    works = page.locator(".folio-sharing-works")
    before = works.count()

    link = make_link(page)
    expect(works).to_have_count(before + 1)
    page.reload()
    expect(page.get_by_role("heading", name="Links that were made")).to_be_visible()
    expect(page.get_by_label("Link", exact=True)).to_have_count(0)
    expect(works).to_have_count(before + 1)
    second = make_link(page)
    tab.go("/admin/")
    page.go_back()
    expect(page.get_by_role("heading", name="Links that were made")).to_be_visible()
    assert link not in page.content()
    assert second not in page.content()
    assert "preview=" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    tab.check_complaints()


def test_works_by_keyboard_on_a_phone_in_the_dark(tab_for: Callable[..., Tab], draft: int) -> None:
    tab = tab_for(viewport=PHONE, color_scheme="dark", permissions=["clipboard-read", "clipboard-write"])
    page = tab.go(share(draft))
    page.get_by_label("7 days", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("14 days", exact=True)).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    link = page.get_by_label("Link", exact=True)
    expect(link).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.check_accessibility()
    tab.picture("sharing-phone")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#folio-announcements")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == link.input_value()
    tab.check_complaints()


def test_is_selected_where_it_can_not_be_copied(tab: Tab, draft: int) -> None:
    page = tab.go(share(draft))
    link = make_link(page)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")

    page.get_by_role("button", name="Copy the link").click()

    expect(page.locator("#folio-announcements")).to_contain_text("It is selected")
    assert page.evaluate("document.getSelection().toString()") == link


@pytest.mark.parametrize("view", ["share", "preview"])
def test_opens_the_website_in_another_tab(tab: Tab, server: Server, draft: int, view: str) -> None:
    open_website(tab.page.context, server)
    page = tab.go(f"/admin/portfolios/portfolio/{draft}/{view}/")
    tab.check_accessibility()

    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Preview on the website").click()

    website = opened.value
    expect(website.get_by_role("heading")).to_have_text("A quay at dawn")
    assert website.url.startswith(f"{WEBSITE}/work/quay/?preview=")
    assert website.evaluate("document.body.dataset.referrer") == ""
    assert website.evaluate("window.opener") is None
    tab.check_complaints()


def test_works_without_scripts(tab_for: Callable[..., Tab], server: Server, draft: int) -> None:
    tab = tab_for(java_script_enabled=False)
    page = tab.go(share(draft))
    page.get_by_label("A day", exact=True).check()
    page.get_by_role("button", name="Make a link").click()

    assert page.get_by_label("Link", exact=True).input_value().startswith(f"{WEBSITE}/work/quay/?preview=")


def test_is_in_the_history_in_words(tab: Tab, draft: int) -> None:
    page = tab.go(share(draft))
    make_link(page)
    page = tab.go(f"/admin/portfolios/portfolio/{draft}/history/")

    expect(page.locator(".folio-history-entry").first).to_contain_text("A link was made, until")
    assert "preview=" not in page.content()


def test_is_in_persian_too(tab_for: Callable[..., Tab], draft: int) -> None:
    tab = tab_for(locale="fa-IR")
    page = tab.go(share(draft))
    page.locator("button[type=submit].folio-button-primary").click()
    expect(page.locator("#folio-sharing-link")).to_be_focused()

    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    tab.check_accessibility()
    tab.picture("sharing-persian")
