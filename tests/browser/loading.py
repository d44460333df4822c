"""What a page costs who opens it for the first time, on a slow line."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

SCREEN: ViewportSize = {"width": 1280, "height": 800}
BITS, LATENCY = 1.6e6, 150  # a second, milliseconds: a telephone where the net is thin
LINE = {"offline": False, "latency": LATENCY, "downloadThroughput": BITS / 8, "uploadThroughput": BITS / 8}
PICTURE = re.compile(r"/media/core_media/|/admin/media/media/picture/")
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"
# The pages that have a budget: requests (thumbnails too, but in the library), and bytes as they travel.
PAGES = {
    "list": "/admin/portfolios/portfolio/",
    "form": "/admin/portfolios/portfolio/{portfolio}/change/",
    "library": "/admin/media/media/",
}


@dataclass
class Loaded:
    """Everything that came, by its address, in bytes as they travel; times are milliseconds."""

    sizes: dict[str, float] = field(default_factory=dict)
    first_paint: float = 0
    loaded: float = 0

    @property
    def own(self) -> dict[str, float]:
        """The page without the pictures in it."""
        return {url: size for url, size in self.sizes.items() if not PICTURE.search(url)}

    @property
    def bytes(self) -> float:
        return sum(self.sizes.values())

    @property
    def own_bytes(self) -> float:
        return sum(self.own.values())


def first_visit(
    browser: Browser, url: str, cookies: Iterable[Any], arrange: Callable[[Page], object] = lambda page: None
) -> Loaded:
    """Open a page in a browser that has nothing of it yet, on the slow line, until nothing comes any more."""
    context = browser.new_context(viewport=SCREEN, locale="en-GB")
    context.add_cookies(list(cookies))
    page = context.new_page()
    arrange(page)
    found = Loaded()
    addresses: dict[str, str] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)

    def asked(event: Any) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def finished(event: Any) -> None:
        address = addresses.get(event["requestId"], "")
        if address.startswith("http"):
            found.sizes[address] = event["encodedDataLength"]

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.loadingFinished", finished)
    page.goto(url, wait_until="networkidle", timeout=60_000)
    found.first_paint = page.evaluate(FIRST_PAINT)
    found.loaded = page.evaluate(LOADED)
    context.close()
    return found
