"""The site's pages in Chromium: what they look like, how they move, what they weigh, and who can use them."""

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.live import Server

from .building import SITE, Build, Served, served
from .tabs import LOOKS, PHONE, SCREEN, Tab, picture

KB = 1000
MOST = 60 * KB  # bytes of a page without its pictures, compressed as hosts do
PATHS = {
    "home": "/",
    "tag": "/tag/typography/",
    "year": "/year/2023/",
    "everything": "/work/everything/",
    "plain": "/work/fathom/",
    "gallery": "/work/harbour-museum-site/",
    "documents": "/work/tidal-annual-report/",
    "long": "/work/long/",
    "persian": f"/work/{quote('پوستر')}/",
    "missing": "/nowhere/",
}
CHOSEN = """() => [...document.querySelectorAll("main picture img")].map((image) => ({
  chosen: image.currentSrc,
  width: image.getBoundingClientRect().width,
  height: image.getBoundingClientRect().height,
  ratio: image.width && image.getAttribute("width") / image.getAttribute("height"),
  fit: getComputedStyle(image).objectFit,
  loading: image.loading,
  top: image.getBoundingClientRect().top,
  candidates: [...image.parentElement.querySelectorAll("source")].map((source) => source.srcset),
}))"""


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_still_quiet_and_open_to_everyone(
    served_site: Served, tab_for: Callable[..., Tab], look: str
) -> None:
    tab = tab_for(**LOOKS[look])
    found = {}
    for name, path in PATHS.items():
        tab.go(served_site.url + path)
        tab.scrolled()
        found[name] = [*tab.findings(), *tab.too_wide(), *tab.moved(), *tab.complaints]
        tab.complaints.clear()
        tab.page.screenshot(path=picture(f"site-{name}-{look}"), full_page=True)
    assert not any(found.values()), json.dumps({name: each for name, each in found.items() if each}, indent=2)


def test_a_site_from_right_to_left(server: Server, tab_for: Callable[..., Tab], tmp_path: Path) -> None:
    build = Build(tmp_path, server.url, {"SITE_TEXTS": str(SITE / "texts.fa.json")})
    found = {}
    with served(build) as site:
        for look, options in LOOKS.items():
            tab = tab_for(**options)
            for name in ("home", "everything", "persian"):
                page = tab.go(site.url + PATHS[name])
                tab.scrolled()
                found[f"{name} {look}"] = [*tab.findings(), *tab.too_wide(), *tab.moved(), *tab.complaints]
                page.screenshot(path=picture(f"site-{name}-rtl-{look}"), full_page=True)
        assert page.locator("html").get_attribute("dir") == "rtl"
        brand, back = page.locator(".brand").bounding_box(), page.locator(".back").bounding_box()
    assert brand is not None
    assert back is not None
    assert brand["x"] > back["x"]
    assert not any(found.values()), json.dumps(found, indent=2)


def test_real_pictures_move_nothing_and_none_is_larger_than_needed(
    served_site: Served, tab_for: Callable[..., Tab]
) -> None:
    for scale, size in ((1, SCREEN), (2, PHONE)):
        tab = tab_for(real=True, viewport=size, device_scale_factor=scale)
        for name in ("home", "gallery"):
            page = tab.go(served_site.url + PATHS[name])
            before = page.evaluate(CHOSEN)
            first = before[0]
            assert first["loading"] != "lazy"
            assert page.locator("main picture img").first.get_attribute("fetchpriority") == "high"
            assert all(each["loading"] == "lazy" for each in before if each["top"] > 2 * size["height"])
            for each in page.evaluate(CHOSEN):
                if each["chosen"]:
                    assert_fits(each, scale)
            assert tab.moved() == []
        tab.page.screenshot(path=picture(f"site-real-{scale}"))
        assert tab.complaints == []


def assert_fits(shown: dict[str, Any], scale: int) -> None:
    """Fail where a picture has too few pixels for its place, or where one width less had been enough by far."""
    widths = sorted({int(width) for srcset in shown["candidates"] for width in re.findall(r" (\d+)w", srcset)})
    width = shown["width"]
    if shown["fit"] == "cover":
        width = max(width, shown["height"] * shown["ratio"])
    needed = width * scale
    found = re.search(r"_(\d+)\.\w+$", shown["chosen"])
    assert found, shown
    chosen = int(found[1])
    enough = next((each for each in widths if each >= needed * 0.9), widths[-1])
    following = [each for each in widths if each > enough][:1]
    assert chosen in [enough, *following], (needed, shown)


def weight(body: bytes) -> int:
    """Return the bytes that a host sends of a file: compressed, where that makes it smaller."""
    return min(len(body), len(zlib.compress(body)))


def test_a_page_is_light(served_site: Served, browser: Browser) -> None:
    kept: list[Any] = []
    for name, path in PATHS.items():
        context = browser.new_context(viewport=SCREEN)
        context.route(re.compile("/media/"), lambda route: route.abort())
        page = context.new_page()
        page.on("response", lambda response: kept.append(response))
        page.goto(served_site.url + path, wait_until="networkidle")
        bodies = {response.url: weight(response.body()) for response in kept}
        kept.clear()
        context.close()
        assert sum(bodies.values()) < MOST, (name, bodies)
        if name in {"home", "tag", "year"}:
            assert not [address for address in bodies if address.endswith(".js")]
        assert any(address.endswith(".woff2") for address in bodies)


def test_everything_is_there_without_javascript(served_site: Served, tab_for: Callable[..., Tab]) -> None:
    page = tab_for(java_script_enabled=False).go(served_site.url + "/")
    page.get_by_role("navigation", name="Filter the work").get_by_role("link", name="Typography").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Typography")
    page.get_by_role("link", name="Fathom", exact=False).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fathom")
    for part in (".cover img", ".prose", ".facts", ".gallery img", ".neighbours .next", ".related img"):
        expect(page.locator(part).first).to_be_visible()
    page.locator(".cover a.zoom").click()
    page.wait_for_url(re.compile("/media/"))


def test_pictures_open_within_the_page(served_site: Served, tab_for: Callable[..., Tab]) -> None:
    tab = tab_for()
    page = tab.go(served_site.url + PATHS["gallery"])
    links = page.locator("a.zoom")
    links.nth(1).focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog")
    expect(box).to_be_visible()
    shown = box.locator("figure img")
    expect(shown).to_have_attribute("src", str(links.nth(1).locator("img").get_attribute("src")))
    assert tab.findings() == []
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_attribute("src", str(links.nth(2).locator("img").get_attribute("src")))
    page.screenshot(path=picture("site-lightbox"))
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(links.nth(2)).to_be_focused()
    links.nth(0).click()
    box.get_by_role("button", name="Previous").click()
    expect(shown).to_have_attribute("src", str(links.last.locator("img").get_attribute("src")))
    box.get_by_role("button", name="Close").click()
    expect(box).to_be_hidden()
    assert tab.complaints == []
    assert tab.moved() == []


def test_a_page_works_by_keyboard(served_site: Served, tab_for: Callable[..., Tab]) -> None:
    page = tab_for().go(served_site.url + "/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_covers_are_cut_round_their_focal_points(site: Build) -> None:
    """The policy allows no attribute for it, so each picture has a class whose rule the page's own <style> holds."""
    text = site.text("index.html")
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+ style=", text)
    [styles] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert "object-position:" in styles
    assert "background-image:url(data:image/webp;base64," in styles


def test_what_gets_into_a_page_is_not_run(served_site: Served, tab_for: Callable[..., Tab]) -> None:
    tab = tab_for()
    page = tab.go(served_site.url + PATHS["everything"])
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.wasRun = 1";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", '<img src="/nothing" onerror="window.wasRun = 2">');
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.wasRun") is None
    assert any("Content Security Policy" in complaint for complaint in tab.complaints)


@pytest.fixture
def preview(server: Server) -> dict[str, Any]:
    """What Folio answers of an entry by itself."""
    found: dict[str, Any] = server.session().get("/api/public/portfolios/everything/").json()
    return {**found, "title": "Not out yet"}


def answer_previews(tab: Tab, entry: dict[str, Any] | None) -> list[str]:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        headers = {"Access-Control-Allow-Origin": "*"}
        status = 404 if entry is None else 200
        route.fulfill(json=entry or {"detail": "Not found."}, status=status, headers=headers)

    tab.page.route("**/api/public/portfolios/**", answer)
    return asked


def test_a_preview_looks_like_the_page_that_it_will_be(
    served_site: Served, tab_for: Callable[..., Tab], preview: dict[str, Any]
) -> None:
    tab = tab_for()
    asked = answer_previews(tab, preview)
    page = tab.go(f"{served_site.url}/preview/?slug=everything&token=a%2Bb")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not out yet")
    expect(page.get_by_role("status")).to_contain_text("This is a preview")
    assert asked[0].endswith("/api/public/portfolios/everything/?preview=a%2Bb")
    tab.scrolled()
    assert [*tab.findings(), *tab.too_wide(), *tab.complaints] == []
    page.screenshot(path=picture("site-preview"), full_page=True)
    page.locator("a.zoom").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    shown = page.locator("article").inner_text()
    page = tab.go(served_site.url + PATHS["everything"])
    assert shown.replace("Not out yet", "Everything <b>there</b> is") == page.locator("article").inner_text()


def test_a_preview_that_is_over_says_so(served_site: Served, tab_for: Callable[..., Tab]) -> None:
    tab = tab_for()
    answer_previews(tab, None)
    page = tab.go(f"{served_site.url}/preview/?slug=everything&token=over")
    expect(page.get_by_role("status")).to_contain_text("This preview is over")


def test_a_preview_at_the_address_that_a_page_will_have_is_led_on(
    served_site: Served, tab_for: Callable[..., Tab], preview: dict[str, Any]
) -> None:
    tab = tab_for()
    asked = answer_previews(tab, preview)
    page = tab.go(f"{served_site.url}/work/{quote('پوستر')}-2/?preview=abc")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not out yet")
    assert asked[0].endswith(f"/api/public/portfolios/{quote('پوستر')}-2/?preview=abc")


def test_search_engines_and_networks_are_told_what_a_page_is(site: Build) -> None:
    text = site.text("work/kestrel-packaging/index.html")
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    told = json.loads(data)
    assert told["@type"] == "CreativeWork"
    assert told["name"] == "Kestrel: from sack to cup"
    assert told["url"] == "https://studio.example/work/kestrel-packaging/"
    assert '<link rel="canonical" href="https://studio.example/work/kestrel-packaging/">' in text
    assert re.search(r'<meta property="og:image" content="http[^"]+\.jpg">', text)
    assert '<meta name="twitter:card" content="summary_large_image">' in text
    assert '<meta property="og:type" content="article">' in text


def test_related_works_are_those_that_folio_names(site: Build, server: Server) -> None:
    with server.session() as api:
        rows = api.get("/api/public/portfolios/?limit=100&fields=slug,related,neighbours").json()["results"]
    assert len(rows) > 20
    for row in rows:
        text = site.text(f"work/{row['slug']}/index.html")
        related = text.partition('<section class="related">')[2].partition("</section>")[0]
        expected = [f'href="/work/{quote(other["slug"])}/"' for other in row["related"][:3]]
        assert re.findall(r'href="/work/[^"]+"', related) == expected, row["slug"]
        beside = text.partition('<nav class="neighbours"')[2].partition("</nav>")[0]
        expected = [f'href="/work/{quote(each["slug"])}/"' for each in row["neighbours"].values() if each]
        assert re.findall(r'href="/work/[^"]+"', beside) == expected, row["slug"]
