"""What pages of the admin site weigh for who opens them first, on a slow line: a part of `benchmarks.site`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, PASSWORD, chromium, make_user
from tests.browser.loading import PAGES, Loaded, first_visit
from tests.live import running_server

from . import report

ROUNDS = 3
MOST_REQUESTS = {"list": 25}
MOST_KB = {"list": 350, "form": 450, "library": 350}  # the library's without its pictures
FIRST_PAINT = 2.5  # seconds
# By the same measurement before files were cut, compressed and named by their content: requests, KB, and seconds until
# the first paint and until all was there.
BEFORE: dict[str, tuple[int, float, float, float]] = {
    "list": (62, 1_988, 7.25, 11.0),
    "form": (58, 2_094, 8.39, 12.2),
    "library": (67, 3_030, 6.11, 16.3),
}

Visits = dict[str, list[Loaded]]


def visits(rounds: int = ROUNDS) -> Visits:
    """Open the pages of an installation with the sample content, each by a browser that has nothing yet."""
    path = chromium()
    if path is None:
        print("What pages weigh is not measured: there is no Chromium.", file=sys.stderr)
        return {}
    found: Visits = {name: [] for name in PAGES}
    with (
        tempfile.TemporaryDirectory(prefix="folio-weight-") as folder,
        running_server(Path(folder), "--demo") as server,
        sync_playwright() as playwright,
    ):
        make_user(server, "ada", is_admin=True)
        api = server.session(server.folio("createtoken", "ada").strip())
        portfolio = api.get("/api/portfolios/slug/harbour-museum-site/").json()["id"]
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.goto(f"{server.url}/admin/login/")
        page.fill("[name=username]", "ada")
        page.fill("[name=password]", PASSWORD)
        page.click("#login-form [type=submit]")
        page.wait_for_url("**/admin/")
        cookies = page.context.cookies()
        for _ in range(rounds):
            for name, address in PAGES.items():
                visit = first_visit(browser, server.url + address.format(portfolio=portfolio), cookies)
                found[name].append(visit)
        browser.close()
    return found


def measures(found: Visits) -> list[report.Measure]:
    """Return the figures of each page, with its pictures and without."""
    listed = []
    for name, loads in found.items():
        is_whole = name != "library"
        requests: list[float] = [len(load.sizes) for load in loads]
        kb = [load.bytes / 1000 for load in loads]
        own = [load.own_bytes / 1000 for load in loads]
        most = MOST_KB[name]
        listed += [
            report.Measure(f"{name}, requests", requests, "", at_most=MOST_REQUESTS.get(name)),
            report.Measure(f"{name}, with its pictures", kb, "KB", at_most=most if is_whole else None),
            report.Measure(f"{name}, without its pictures", own, "KB", at_most=None if is_whole else most),
            report.Measure(
                f"{name}, first paint", [load.first_paint / 1000 for load in loads], "s", at_most=FIRST_PAINT
            ),
            report.Measure(f"{name}, all there", [load.loaded / 1000 for load in loads], "s"),
        ]
    return listed


def table(found: Visits) -> str:
    """Return the figures, and beside them those of before, as a table in Markdown."""
    text = report.table_of(measures(found), "first visit at 1.6 Mbit/s and 150 ms, sample content")
    before = ", ".join(
        f"{name} {requests} requests, {kb:,} KB, first paint {paint} s, all there {ended} s"
        for name, (requests, kb, paint, ended) in BEFORE.items()
    )
    return f"{text}\n\nBefore: {before}."


if __name__ == "__main__":
    print(table(visits()))
