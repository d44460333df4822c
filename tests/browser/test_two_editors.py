"""Two members of staff edit one entry; what both did is in its history, from which one brings a version back."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.live import Server

from .conftest import PHONE, SCREEN, Tab, make_user

MAKE_ENTRY = """
from folio.portfolios.models import Link, Portfolio
portfolio = Portfolio.objects.create(title="The quay", slug="the-quay", excerpt="Stone and water.", is_active=False)
Link.objects.create(portfolio=portfolio, name="Press kit", url="https://example.com/kit")
print(portfolio.pk)
"""


def save(tab: Tab, name: str = "_continue") -> None:
    with tab.page.expect_navigation():
        tab.page.locator(f"[name={name}]").first.click()


def test_the_second_to_save_is_told_and_nothing_is_lost(tab_for: Callable[..., Tab], server: Server) -> None:
    make_user(server, "ben", is_admin=True)
    pk = server.folio("shell", "--no-imports", "-c", MAKE_ENTRY).split()[-1]
    form = f"/admin/portfolios/portfolio/{pk}/change/"
    ada, ben = tab_for(), tab_for("ben")
    ada.go(form)
    ben.go(form)
    ben.page.fill("[name=title]", "The old quay")
    ben.page.fill("[name=excerpt]", "Stone, water and a crane.")
    save(ben)

    ada.page.fill("[name=title]", "The new quay")
    save(ada)

    told = ada.page.get_by_role("alert").filter(has_text="Nothing was saved, because ben has changed this meanwhile.")
    expect(told).to_be_visible()
    expect(told.get_by_role("row", name="Title")).to_contain_text("The old quay")
    expect(told.get_by_role("row", name="Title")).to_contain_text("The new quay")
    expect(told.get_by_role("row", name="Excerpt")).to_contain_text("Stone, water and a crane.")
    expect(told.get_by_role("row", name="Excerpt")).to_contain_text("someone else")
    assert ada.page.input_value("[name=title]") == "The new quay"
    ada.check_accessibility()
    ada.picture("collision")
    ada.page.set_viewport_size(PHONE)
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ada.picture("collision-phone")
    ada.page.set_viewport_size(SCREEN)

    with ada.page.expect_navigation():
        told.get_by_role("button", name="Save mine over it").click()
    ada.go(form)
    assert ada.page.input_value("[name=title]") == "The new quay"
    assert ada.page.input_value("[name=excerpt]") == "Stone, water and a crane."

    ada.go(f"/admin/portfolios/portfolio/{pk}/history/")
    entries = ada.page.locator(".folio-history-entry")
    expect(entries).to_have_count(2)
    expect(entries.nth(0)).to_contain_text("ada")
    expect(entries.nth(1).get_by_role("insertion").first).to_contain_text("old")
    ada.check_accessibility()
    ada.picture("history")
    entries.nth(1).get_by_role("link", name="Restore this version").click()
    expect(ada.page.get_by_role("heading", name="What would change")).to_be_visible()
    ada.check_accessibility()
    ada.picture("restore")
    ada.page.get_by_role("button", name="Restore this version").click()
    ada.page.wait_for_url(re.compile(r"/change/$"))
    assert ada.page.input_value("[name=title]") == "The old quay"

    ada.check_complaints()
    ben.check_complaints()
