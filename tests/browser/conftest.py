"""The admin site in a real browser, against a real server with the sample content.

The server is a process of its own, so these tests know nothing of the suite's database, and run once, on SQLite.
"""

import os
import re
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.environment import ROOT
from tests.live import Server, Session, running_demo
from tests.programs import found

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecks",  # our other origins lie on the web, as far as a page can tell
]
OTHER_ORIGIN = "http://editor.localhost:4321"  # whose pages may call the managing API
PASSWORD = "a-long-password-for-tests"
SCREENSHOTS = ROOT / "screenshots"  # left behind for whoever wants to look
SCREEN: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}
AXE = Axe()
# The whole of what axe answers is large, and takes longer to fetch than to find.
VIOLATIONS = """async (options) => (await axe.run(options)).violations.map(({ id, impact, help, nodes }) => (
  { id, impact, help, nodes: nodes.slice(0, 5).map(({ target, html }) => ({ target, html })) }
))"""
MAKE_USER = """
from django.contrib.auth.models import Group, User
user = User.objects.create_user({name!r}, password={password!r}, is_staff=True, is_superuser={is_admin!r})
user.groups.set(Group.objects.filter(name__in={roles!r}))
assert user.groups.count() == len({roles!r})
"""

DROP = """([selector, files]) => {
  const given = new DataTransfer();
  for (const [name, content] of files) {
    given.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  }
  const target = document.querySelector(selector);
  for (const type of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: given }));
  }
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, until the tests of this folder end: Playwright's event loop keeps Django from its database."""
    path = found(chromium(), "Chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the sample content and an admin; the tests of a file leave no trap for the next."""
    folder = tmp_path_factory.mktemp("browser")
    with running_demo(folder, FOLIO_CORS_ORIGINS=OTHER_ORIGIN) as server:
        make_user(server, "ada", is_admin=True)
        yield server


def make_user(server: Server, name: str, *roles: str, is_admin: bool = False) -> None:
    """Make a member of staff with roles, the names of groups, on the server."""
    server.folio(
        "shell",
        "--no-imports",
        "-c",
        MAKE_USER.format(name=name, password=PASSWORD, roles=list(roles), is_admin=is_admin),
    )


def admin_session(server: Server) -> Session:
    """Return a session with the API, by a key of the server's admin, which is made once: the command takes a second."""
    server.key = server.key or server.folio("createtoken", "ada").strip()
    return server.session(server.key)


def drop(page: Page, files: dict[str, bytes], selector: str = "body") -> None:
    """Drop files as the system's file manager does."""
    page.evaluate(DROP, [selector, [[name, b64encode(content).decode()] for name, content in files.items()]])


@dataclass
class Tab:
    """A browser's page on the server, and what it complained of."""

    page: Page
    server: Server
    complaints: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def sign_in(self, name: str = "ada", password: str = PASSWORD) -> Page:
        self.go("/admin/login/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", password)
        self.page.click("#login-form [type=submit]")
        self.page.wait_for_url(re.compile(r"/admin/$"))
        return self.page

    def picture(self, name: str, *, full: bool = True) -> None:
        """Leave a screenshot behind, where there is someone who may want to look."""
        if os.environ.get("CI_STRICT"):
            return
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full)

    def check_accessibility(self) -> None:
        """Fail on what axe calls serious or critical of WCAG 2.1 AA, with where it is."""
        serious = self.serious_findings()
        assert not serious, "\n".join([self.page.url, *serious])

    def serious_findings(self, **options: object) -> list[str]:
        wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.axe_script)
        violations = self.page.evaluate(VIOLATIONS, {"runOnly": wcag, "resultTypes": ["violations"], **options})
        return [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: "
            + "; ".join(f"{node['target']} {node['html'][:160]}" for node in rule["nodes"])
            for rule in violations
            if rule["impact"] in SERIOUS
        ]

    def check_complaints(self) -> None:
        """Fail on errors of scripts, broken requests, and what the content security policy has stopped."""
        assert not self.complaints, "\n".join(self.complaints)


@pytest.fixture
def tab_for(browser: Browser, server: Server) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a page in a context of its own: its cookies, language, size and colours."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def tab_for(name: str | None = "ada", **options: object) -> Tab:
        context = browser.new_context(**{"viewport": SCREEN, "locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        tab = Tab(page, server, [])

        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                tab.complaints.append(f"{page.url}: {message.text}")

        page.on("console", note)
        page.on("pageerror", lambda error: tab.complaints.append(f"{page.url}: {error}"))
        tabs.append(tab)
        if name is not None:
            tab.sign_in(name)
        return tab

    yield tab_for
    for context in contexts:
        context.close()


@pytest.fixture
def tab(tab_for: Callable[..., Tab]) -> Tab:
    """A page of an admin who has signed in."""
    return tab_for()
