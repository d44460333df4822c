"""The box for a description in Markdown: its buttons, its keys and its preview; and hostile texts in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, expect

from folio.portfolios.markdown import rendered
from tests.portfolios.vectors import VECTORS

from .conftest import Tab

ADD = "/admin/portfolios/portfolio/add/"
BOX = "#id_description"
PHONE = {"width": 360, "height": 740}
SELECT = "([from, to]) => document.querySelector('#id_description').setSelectionRange(from, to)"


def write(page: Page, text: str, selected: str = "") -> None:
    """Fill the box, and select a part of it, or put the caret at its end."""
    page.fill(BOX, text)
    page.focus(BOX)
    start = text.index(selected) if selected else len(text)
    page.evaluate(SELECT, [start, start + len(selected)])


def press(page: Page, name: str) -> None:
    page.get_by_role("toolbar", name="Marks in the text").get_by_role("button", name=name, exact=True).click()


def text_of(page: Page) -> str:
    return page.input_value(BOX)


def preview(page: Page) -> Locator:
    return page.locator("[data-part=preview]:not([data-part=preview] *)").first


def test_buttons_and_keys_put_in_marks_that_can_be_undone(tab: Tab) -> None:
    page = tab.go(ADD)
    cases = [
        ("Heading", "a\nb", "b", "a\n# b"),
        ("Heading", "# a", "a", "## a"),
        ("Heading", "### a", "a", "a"),
        ("Bold", "one two", "two", "one **two**"),
        ("Bold", "one **two**", "two", "one two"),
        ("Bold", "one two ", "two ", "one **two** "),
        ("Bold", "- one\n- two", "- one\n- two", "- **one**\n- **two**"),
        ("Italic", "**two**", "two", "***two***"),
        ("Italic", "one *two*", "*two*", "one two"),
        ("List", "a\nb\n", "a\nb", "- a\n- b\n"),
        ("List", "- a\n- b", "a\n- b", "a\nb"),
        ("Quote", "a\nb", "a\nb", "> a\n> b"),
        ("Quote", "> a", "a", "a"),
        ("Link", "see there", "there", "see [there](https://)"),
        ("Link", "https://a.example", "https://a.example", "[](https://a.example)"),
    ]
    for name, before, selected, after in cases:
        write(page, before, selected)

        press(page, name)

        assert text_of(page) == after, (name, before)
        page.keyboard.press("Control+z")
        assert text_of(page) == before, (name, before)
        page.keyboard.press("Control+Shift+z")
        assert text_of(page) == after, (name, before)
    for key, after in (("b", "**word**"), ("i", "*word*"), ("k", "[word](https://)")):
        write(page, "word", "word")
        page.keyboard.press(f"Control+{key}")
        assert text_of(page) == after
    page.keyboard.type("x.example")  # the address was selected
    assert text_of(page) == "[word](x.example)"
    write(page, "")
    page.keyboard.press("Control+b")
    page.keyboard.type("typed")
    assert text_of(page) == "**typed**"
    tab.check_complaints()


def test_enter_goes_on_with_a_list(tab: Tab) -> None:
    page = tab.go(ADD)
    write(page, "- one")
    page.keyboard.type("\ntwo\n\nafter")
    assert text_of(page) == "- one\n- two\nafter"
    for text, after in (
        ("9. nine", "9. nine\n10. ten"),
        ("  * in", "  * in\n  * ten"),
        ("> said", "> said\n> ten"),
        ("plain", "plain\nten"),
    ):
        write(page, text)
        page.keyboard.press("Enter")
        page.keyboard.type("ten")
        assert text_of(page) == after
        page.keyboard.press("Shift+Enter")
        assert text_of(page) == f"{after}\n"


def test_shows_beside_it_what_the_server_makes_of_it(tab: Tab) -> None:
    page = tab.go(ADD)
    expect(preview(page)).to_be_visible()

    write(page, "# Title\n\n**bold** <b>not</b> [x](https://example.org) <img src=x onerror=alert(1)>")

    expect(preview(page).locator("h2")).to_have_text("Title")
    expect(preview(page).locator("strong")).to_have_text("bold")
    expect(preview(page).locator("a")).to_have_attribute("target", "_blank")
    assert preview(page).locator("b, img").count() == 0
    box, shown = page.locator(BOX).bounding_box(), preview(page).bounding_box()
    assert box is not None
    assert shown is not None
    assert shown["x"] >= box["x"] + box["width"]
    tab.check_accessibility()
    tab.picture("markdown")
    press(page, "Preview of the text")
    expect(preview(page)).to_be_hidden()
    page.reload()
    expect(preview(page)).to_be_hidden()  # as it was left
    tab.check_complaints()


def test_a_picture_comes_from_the_library(tab: Tab) -> None:
    page = tab.go(ADD)
    write(page, "before after", " after")

    press(page, "Picture from the library")
    page.locator(".folio-dialog .folio-option").first.click()
    page.locator(".folio-dialog [data-part=take]").click()

    expect(preview(page).locator("img[width][height][loading=lazy]")).to_have_count(1)
    assert text_of(page).startswith("before![")
    assert "](/media/core_media/" in text_of(page)
    page.keyboard.press("Control+z")
    assert text_of(page) == "before after"
    tab.check_complaints()


def test_the_toolbar_is_one_stop_of_the_keyboard_and_mirrored(tab_for: Callable[..., Tab]) -> None:
    for locale, forward in (("en-GB", "ArrowRight"), ("fa-IR", "ArrowLeft")):
        tab = tab_for(locale=locale, viewport=PHONE)
        page = tab.go(ADD)
        buttons = page.locator(".folio-markdown-bar button")
        assert buttons.evaluate_all("all => all.map(each => each.tabIndex)") == [0] + [-1] * 7
        page.focus(BOX)
        page.keyboard.press("Shift+Tab")
        expect(buttons.first).to_be_focused()
        page.keyboard.press(forward)
        expect(buttons.nth(1)).to_be_focused()
        write(page, "word", "word")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator(BOX)).to_have_value("**word**")
        expect(page.locator(BOX)).to_be_focused()
        expect(preview(page)).to_be_hidden()
        page.locator("[data-part=show]").click()
        expect(preview(page).locator("strong")).to_have_text("word")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        tab.check_accessibility()
        tab.picture(f"markdown-phone-{locale}")


def test_no_hostile_text_runs_anything(browser: Browser) -> None:
    """Without the admin site's policy, which would stop scripts by itself."""
    page = browser.new_context().new_page()
    start = "<!doctype html><script>var hits = []; function hit() { hits.push(document.title) }; alert = hit</script>"
    control = "<img src=x:x onerror=hit()>"
    page.route("**/*", lambda route: route.abort())

    page.set_content(start + control)
    page.wait_for_function("hits.length === 1")
    page.set_content(start + "".join(f"<section>{rendered(text, '')}</section>" for text in VECTORS))
    page.wait_for_timeout(300)
    page.evaluate(
        """() => {
            addEventListener('click', (event) => event.preventDefault());
            for (const each of document.querySelectorAll('section *')) {
                for (const type of ['mouseover', 'focus', 'click', 'toggle', 'load', 'error', 'pointerrawupdate']) {
                    each.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }));
                }
            }
        }"""
    )

    assert page.evaluate("hits.length") == 0
    assert page.locator("section").count() == len(VECTORS)  # none ended its own
    schemes = set(page.locator("section a").evaluate_all("all => all.map(each => each.protocol)"))
    assert schemes <= {"https:", "http:", "mailto:", "about:", ":"}  # the last two are of relative ones
    page.context.close()
