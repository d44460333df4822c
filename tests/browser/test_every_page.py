"""Every page of the admin site: no error, nothing that the policy stops, no serious finding of axe; in each dress."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from playwright.sync_api import expect

from tests.live import Server
from tests.pages import admin_pages

from .conftest import PHONE, SCREEN, Tab, make_user

pytestmark = pytest.mark.timeout(900)  # a test looks at some eighty pages

FIRST_ROWS = """
import json
from django.contrib import admin
from django.contrib.auth.models import Group
from folio.delivery.models import Webhook, WebhookDelivery
Group.objects.get_or_create(name="Editors")
webhook = Webhook.objects.first() or Webhook.objects.create(url="https://1.1.1.1/hooks/1", is_active=False)
WebhookDelivery.objects.get_or_create(
    webhook=webhook, message_id="msg_1", body='{"data": {"portfolios": []}}', state="failed", status=500, attempts=7,
    answer="<b>Something went wrong</b>", error="The answer had the status 500, not one from 200 to 299."
)
models = [model._default_manager for model in admin.site._registry]
print(json.dumps({rows.model._meta.label: rows.order_by("pk").values_list("pk", flat=True)[0] for rows in models}))
"""


@pytest.fixture(scope="module")
def pages(server: Server) -> dict[str, str]:
    pages = admin_pages(json.loads(server.folio("shell", "--no-imports", "-c", FIRST_ROWS)))
    assert len(pages) > 5 * len(admin.site._registry)
    return pages


# An icon that the cut font lacks shows its name, letter by letter.
NAMES_FOR_ICONS = """async () => {
  await document.fonts.ready;
  return [...document.querySelectorAll(".material-symbols-outlined")].filter((icon) => {
    const range = document.createRange();
    range.selectNodeContents(icon);
    return range.getBoundingClientRect().width > 1.3 * parseFloat(getComputedStyle(icon).fontSize);
  }).map((icon) => `no icon ${icon.textContent.trim()}`);
}"""


def too_wide(tab: Tab) -> list[str]:
    width = tab.page.evaluate("document.documentElement.scrollWidth")
    room = tab.page.evaluate("window.innerWidth")
    return [f"{width} pixels wide, of {room}"] if width > room else []


def visit(tab: Tab, address: str) -> int:
    """Open a page and return its status; what a page of an error lacks is not complained of."""
    response = tab.page.goto(tab.server.url + address)
    assert response is not None
    if response.status != 200:
        tab.complaints.clear()
    return response.status


def walk(tab: Tab, pages: dict[str, str], look: Callable[[str], list[str]]) -> None:
    """Open every page, `look` at it, and fail with all that was found on any."""
    findings = {}
    for name, address in pages.items():
        status = visit(tab, address)
        if status == 403:  # what nobody may do here, such as to add a key for another
            continue
        found = [] if status == 200 else [str(status)]
        found += tab.page.evaluate(NAMES_FOR_ICONS)
        found += [*look(name.removeprefix("admin:").replace(" ", "_")), *tab.complaints]
        tab.complaints.clear()
        if found:
            findings[address] = found
    assert not findings, json.dumps(findings, indent=2)


def test_every_page_works_in_light_in_dark_and_on_a_phone(tab: Tab, pages: dict[str, str]) -> None:
    def look(name: str) -> list[str]:
        found = [*tab.serious_findings(), *too_wide(tab)]
        tab.picture(f"{name}-light")
        tab.page.evaluate("document.documentElement.classList.add('dark')")
        found += tab.serious_findings(runOnly={"type": "rule", "values": ["color-contrast"]})
        tab.picture(f"{name}-dark", full=False)
        tab.page.set_viewport_size(PHONE)
        found += too_wide(tab)
        tab.picture(f"{name}-phone", full=False)
        tab.page.set_viewport_size(SCREEN)
        return found

    walk(tab, pages, look)


def test_every_page_works_in_persian(tab_for: Callable[..., Tab], pages: dict[str, str]) -> None:
    tab = tab_for(locale="fa-IR")

    def look(name: str) -> list[str]:
        tab.picture(f"{name}-persian", full=False)
        return [*tab.serious_findings(rules={"color-contrast": {"enabled": False}}), *too_wide(tab)]

    walk(tab, pages, look)


@pytest.mark.parametrize("role", ["Viewer", "Contributor"])
def test_every_page_of_content_works_for_who_may_do_less(
    tab_for: Callable[..., Tab], server: Server, pages: dict[str, str], role: str
) -> None:
    make_user(server, role.lower(), role)
    tab = tab_for(role.lower())
    seen = re.compile(r"admin:(index|(media|portfolios)_\w+_(changelist|change|preview))")

    def look(name: str) -> list[str]:
        return tab.serious_findings(rules={"color-contrast": {"enabled": False}})

    walk(tab, {name: address for name, address in pages.items() if seen.fullmatch(name)}, look)


def test_the_page_to_sign_in_can_be_used_by_everyone(tab_for: Callable[..., Tab]) -> None:
    dresses: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "persian": {"locale": "fa-IR"}}
    for dress, options in dresses.items():
        tab = tab_for(None, **options)
        tab.go("/admin/login/")
        tab.check_accessibility()
        tab.picture(f"login-{dress}")
        tab.page.click("#login-form [type=submit]")
        tab.check_complaints()


def test_what_opens_over_a_page_can_be_used_by_everyone(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/link/")
    page.locator("#changelist").get_by_role("button", name="Filters").press("Enter")
    page.wait_for_selector("#changelist-filter", state="visible")
    tab.check_accessibility()
    tab.picture("filters", full=False)
    page.keyboard.press("Escape")
    page.wait_for_selector("#changelist-filter", state="hidden")

    tab.go("/admin/portfolios/portfolio/?_popup=1")
    tab.check_accessibility()

    tab.go("/admin/portfolios/tag/add/?_popup=1")
    page.click("[name=_save]")
    page.get_by_text("This field is required.").first.wait_for()
    tab.check_accessibility()
    tab.picture("popup-with-error", full=False)
    tab.check_complaints()


def test_the_description_of_the_api_works(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for(None)
    tab.go("/api/docs/")

    tab.page.wait_for_selector(".opblock")

    tab.check_complaints()


def test_what_gets_into_a_page_is_not_run(tab: Tab) -> None:
    page = tab.go("/admin/")
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.wasRun = 1";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", '<img src="/nothing" onerror="window.wasRun = 2">');
        }"""
    )
    page.wait_for_timeout(300)

    assert page.evaluate("window.wasRun") is None
    assert any("Content Security Policy" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


def test_the_parts_around_a_page_work_by_keyboard_alone(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/portfolio/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "folio-skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    user = page.locator(".folio-user-button")
    user.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#folio-user-menu", state="visible")
    page.locator(".folio-themes button").nth(1).press("Enter")
    assert page.evaluate("document.documentElement.className") == "dark"
    page.keyboard.press("Escape")
    page.wait_for_selector("#folio-user-menu", state="hidden")
    assert user.evaluate("button => button === document.activeElement")

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").fill("tags")
    page.locator("#search-input-command").press("s")
    page.wait_for_selector("#command-results-list li, #command-results-note :text('0')", state="attached")
    tab.check_complaints()


def test_what_is_typed_before_the_search_has_come_is_asked_for(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/tag/")
    held: list[Any] = []
    page.route("**/htmx*.js", lambda route: held.append(route))

    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("tag")
    expect(page.locator("#search-input-command")).to_have_value("tag")
    for route in held:
        route.continue_()

    page.wait_for_selector("#command-results-list li", state="attached")
    assert held
    expect(page.locator("#search-input-command")).to_have_value("tag")
    tab.check_complaints()


def test_a_language_is_chosen_in_the_user_menu(tab: Tab) -> None:
    page = tab.go("/admin/portfolios/tag/")
    page.click(".folio-user-button")
    page.select_option("[name=language]", "fa")
    page.click(".folio-languages button")

    page.wait_for_selector("html[dir=rtl]")
    page.wait_for_load_state()
    assert page.url.endswith("/admin/portfolios/tag/")
    sidebar = page.locator("#nav-sidebar").bounding_box()
    assert sidebar is not None
    assert sidebar["x"] + sidebar["width"] == pytest.approx(1280, abs=20)
    assert page.evaluate("document.fonts.load('16px Vazirmatn', 'نمونه').then((fonts) => fonts.length)")
    page.click(".folio-user-button")
    page.select_option("[name=language]", "en")
    page.click(".folio-languages button")
    page.wait_for_selector("html[dir=ltr]")
    tab.check_complaints()
