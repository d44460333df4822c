"""The site's pages in tabs of a browser, which tell what they complained of and how they moved."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser.conftest import SCREENSHOTS

SCREEN: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.shifts.push([entry.value, entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 120))]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
TINY = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364600000000600023081d02f"
    "0000000049454e44ae426082"
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True},
}


@dataclass
class Tab:
    """A page, with what it complained of and how it moved."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def go(self, address: str) -> Page:
        self.page.goto(address, wait_until="load")
        return self.page

    def scrolled(self) -> Page:
        """Go to the end and back, so that what is loaded late has come."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for place in range(0, height, 600):
            self.page.evaluate("(place) => scrollTo(0, place)", place)
            self.page.wait_for_timeout(30)
        self.page.evaluate("scrollTo(0, 0)")
        return self.page

    def findings(self) -> list[str]:
        wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        found = Axe().run(self.page, options={"runOnly": wcag, "resultTypes": ["violations"]})
        return [
            f"{rule['id']}: {rule['help']}: {[node['html'][:160] for node in rule['nodes'][:3]]}"
            for rule in found.response["violations"]
            if rule["impact"] in SERIOUS
        ]

    def too_wide(self) -> list[str]:
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [f"wider than the window by {wide}"] if wide > 0 else []

    def moved(self) -> list[str]:
        return [f"moved: {shift}" for shift in self.page.evaluate("window.shifts")]


@contextmanager
def tabs_of(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Give a function that opens a tab; the pictures in it are tiny, unless it shall have the real ones."""
    contexts: list[BrowserContext] = []

    def tab_for(*, real: bool = False, **options: Any) -> Tab:
        context = browser.new_context(**{"viewport": SCREEN, "locale": "en-GB", **options})
        context.set_default_timeout(30_000)
        context.add_init_script(WATCH)
        if not real:
            context.route(re.compile("/media/"), lambda route: route.fulfill(body=TINY, content_type="image/png"))
            context.route("https://pictures.example.com/**", lambda route: route.fulfill(body=TINY))
        contexts.append(context)
        tab = Tab(context.new_page())

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"} and "/nowhere/" not in str(message.location.get("url")):
                tab.complaints.append(f"{tab.page.url}: {message.text}")

        tab.page.on("console", note)
        tab.page.on("pageerror", lambda error: tab.complaints.append(f"{tab.page.url}: {error}"))
        return tab

    yield tab_for
    for context in contexts:
        context.close()


def picture(name: str) -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS / f"{name}.png"
