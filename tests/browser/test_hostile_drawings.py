"""Hostile drawings in a real browser: of what is stored of them nothing runs, and nothing is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, Route

from tests.live import Server
from tests.media.svg.drawings import AWAY, LOGOS, drawing, hostile

from .conftest import admin_session

ORIGIN = "http://shows.localhost:4321"  # a website that shows what others have uploaded
TRAP = "window.hits = []; window.hit = () => hits.push('hit'); window.alert = window.hit;"
EVENTS = (
    "load error click mouseover mouseenter focus focusin activate begin end repeat scroll resize pointerdown keydown"
)
SHOWN = """async ([texts, urls, events]) => {
  const poke = (root) => {
    for (const each of root.querySelectorAll("*")) {
      for (const name of events) each.dispatchEvent(new Event(name, {bubbles: true, cancelable: true}));
      if (each.click) each.click();
    }
  };
  for (const url of urls) {
    const image = new Image();
    await new Promise((done) => { image.onload = image.onerror = done; image.src = url; });
    document.body.append(image);
  }
  for (const text of texts) {
    const ways = [
      (place) => { place.innerHTML = text; },
      (place) => place.insertAdjacentHTML("beforeend", text),
      (place) => place.append(document.createRange().createContextualFragment(text)),
      (place) => place.append(document.importNode(
        new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true)),
      (place) => place.append(...new DOMParser().parseFromString(text, "text/html").body.childNodes),
      (place) => { place.attachShadow({mode: "open"}).innerHTML = text; },
    ];
    for (const way of ways) {
      const place = document.createElement("div");
      document.body.append(place);
      way(place);
      poke(place);
      await new Promise((done) => setTimeout(done));
      place.remove();
    }
  }
  await new Promise((done) => setTimeout(done, 500));
  return window.hits;
}"""


@dataclass
class Watched:
    """A page of another site, and which requests it made of whom we don't know."""

    page: Page
    known: set[str] = field(default_factory=set)
    served: dict[str, str] = field(default_factory=dict)  # drawings that lie there, without any policy
    strange: list[str] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        url = route.request.url
        if url in self.served:
            route.fulfill(body=self.served[url], content_type="image/svg+xml")
        elif url == f"{ORIGIN}/":
            route.fulfill(body="<!doctype html><title>shows</title><body>", content_type="text/html")
        else:
            self.strange.append(url)
            route.abort()

    def dismiss(self, dialog: Dialog) -> None:
        self.strange.append(dialog.message)
        dialog.dismiss()

    def note(self, request: Request) -> None:
        if request.url not in self.known | self.served.keys() | {f"{ORIGIN}/"} and not request.url.startswith(
            "data:image/"
        ):
            self.strange.append(request.url)

    def show(self, texts: list[str], urls: list[str]) -> list[str]:
        """Return what has run of drawings in a page of the site."""
        self.page.goto(f"{ORIGIN}/")
        hits: list[str] = self.page.evaluate(SHOWN, [texts, urls, EVENTS.split()])
        assert self.page.url == f"{ORIGIN}/"
        return hits

    def open(self, url: str) -> list[str]:
        """Return what has run of a drawing that is opened by itself."""
        self.page.goto(url)
        assert self.page.url == url
        return list(self.page.evaluate("window.hits || []"))


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context()
    context.add_init_script(TRAP)
    found = Watched(context.new_page())
    found.page.route(lambda url: url.startswith((ORIGIN, "http://hit.example", "http://hit")), found.answer)
    found.page.on("request", found.note)
    found.page.on("dialog", found.dismiss)
    yield found
    context.close()


def test_the_trap_catches_what_runs_and_what_loads(watched: Watched) -> None:
    script = drawing("<g onclick='hit()'/><script>hit()</script>").decode()
    watched.served[f"{ORIGIN}/raw.svg"] = script

    assert len(watched.show([script], [])) >= 5
    assert watched.open(f"{ORIGIN}/raw.svg") == ["hit"]
    assert watched.strange == []
    watched.show([drawing(f'<image href="{AWAY}" width="9" height="9"/>').decode()], [])
    assert AWAY in watched.strange


def test_nothing_runs_and_nothing_leaves(watched: Watched, server: Server) -> None:
    session = admin_session(server)
    stored: dict[str, str] = {}
    for name, content in {**hostile(), **LOGOS}.items():
        answer = session.post("/api/media/", files={"file": (f"{name}.svg", content)})
        assert answer.status_code in (201, 400), (name, answer.text)
        if answer.status_code == 201:
            stored[name] = answer.json()["f"]
    texts = {name: session.get(url.removeprefix(server.url)).text for name, url in stored.items()}
    watched.known = set(stored.values())
    watched.served = {f"{ORIGIN}/{name}.svg": text for name, text in texts.items()}

    assert len(stored) > 60
    assert stored.keys() > LOGOS.keys()
    assert watched.show(list(texts.values()), list(stored.values())) == []
    for name, url in stored.items():
        assert watched.open(url) == [], name
        assert watched.open(f"{ORIGIN}/{name}.svg") == [], name
    assert watched.strange == []
