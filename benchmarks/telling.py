"""Servers that are killed while they tell a website: `python -m benchmarks.telling [--kills 6]`.

A website is kept by what a webhook is told alone, as a builder would. Portfolios are made, changed, hidden, shown and
deleted meanwhile, by the API and past Folio, and the server with its two workers is killed at any moment, again and
again. In the end the website must have exactly what is published; no message may tell of what was rolled back, nor,
when it comes, of what is not committed; and what was told once may be told again only under the same `webhook-id`.

The database is that of `DATABASE_URL`, else SQLite. The exit status is 1 if anything was wrong.
"""

import random
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import requests

from tests.delivery.webhooks.endpoints import LOOPBACK, Endpoint, endpoint
from tests.live import Server, kill, new_database, running_server
from tests.writers import Database

WORKERS = 2
VARIABLES = {
    "FOLIO_PUBLIC_READ": "true",
    "FOLIO_WEBHOOK_SECONDS": "1",
    "FOLIO_WEBHOOK_PRIVATE": LOOPBACK,
    "FOLIO_TASKS_SECONDS": "0.1",
}
LIVES = (2, 25)  # writes for which a server lives
PATIENCE = 150.0  # seconds until all must have been told: an attempt whose server died is made again after 30
NEVER = "rolled-back"
MAKE_WEBHOOK = "from folio.delivery.models import Webhook; Webhook.objects.create(url={url!r})"


class Website:
    """What a builder knows of the portfolios, by messages alone."""

    def __init__(self, site: Endpoint) -> None:
        self.site = site
        self.pages: dict[int, str] = {}
        self.bodies: dict[str, bytes] = {}
        self.server: Server | None = None
        self.violations: list[str] = []
        self.lock = threading.Lock()
        self.chance = random.Random()
        site.answer = self.answer

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a message in; of some, no answer comes, or a bad one, though it was taken in."""
        received = self.site.received[-1]
        with self.lock:
            if self.bodies.setdefault(received.id, received.body) != received.body:
                self.violations.append(f"{received.id} told something else the second time")
            for each in received.message["data"]["portfolios"] or ():
                if each["event"] == "unpublished":
                    self.pages.pop(each["id"], None)
                else:
                    self.pages[each["id"]] = each["slug"]
                if each["slug"] == NEVER:
                    self.violations.append("What was rolled back was told")
        time.sleep(self.chance.random() * 0.5)
        handler.send_response(500 if self.chance.random() < 0.1 else 204)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


class Writer:
    """Someone who writes, whoever is killed meanwhile."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.is_over = threading.Event()
        self.chance = random.Random()
        self.counts = 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        api, database = self.server.session(self.server.key), Database(self.server)
        number = time.time_ns()
        while not self.is_over.wait(self.chance.random() * 0.2):
            number += 1
            try:
                self.write(api, database, number)
                self.counts += 1
            except (requests.RequestException, AssertionError):
                return  # the server is dead

    def write(self, api: requests.Session, database: Database, number: int) -> None:
        ids = [row["id"] for row in api.get("/api/portfolios/?limit=100").json()["results"]]
        pk = self.chance.choice(ids) if ids else None
        way = self.chance.random()
        if pk is None or way < 0.4:
            body = {"title": f"Title {number}", "slug": f"slug-{number}", "excerpt": "An excerpt."}
            assert api.post("/api/portfolios/", json=body).status_code == 201
        elif way < 0.6:
            api.patch(f"/api/portfolios/{pk}/", json={"is_active": self.chance.random() < 0.5})
        elif way < 0.7:
            api.delete(f"/api/portfolios/{pk}/")
        elif way < 0.8:
            database.execute("UPDATE portfolios_portfolio SET title = %s WHERE id = %s", f"By SQL {number}", pk)
        elif way < 0.9:
            with database.connection() as execute:
                execute("BEGIN")
                execute("UPDATE portfolios_portfolio SET slug = %s, is_active = %s WHERE id = %s", NEVER, True, pk)
                time.sleep(0.05)
                execute("ROLLBACK")
        else:
            api.patch(f"/api/portfolios/{pk}/", json={"slug": f"slug-{number}", "title": f"Title {number}"})

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join()


def published(server: Server) -> dict[int, str]:
    found: dict[int, str] = {}
    api, url = server.session(), "/api/public/manifest/"
    while url:
        page = api.get(url).json()
        found.update({each["id"]: each["slug"] for each in page["results"]})
        url = page["next"]
    return found


def settle(server: Server, website: Website) -> bool:
    """Wait until the website has what is published; tell whether it came to that."""
    end = time.monotonic() + PATIENCE
    while website.pages != published(server):
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def run(folder: Path, kills: int, website: Website) -> int:
    """Let servers live and die, and the last one tell what is left; return the number of writes."""
    chance, writes = random.Random(), 0
    with new_database() as database:
        for life in range(kills + 1):
            with running_server(folder, "--workers", str(WORKERS), **VARIABLES, **database) as server:
                if not life:
                    code = MAKE_WEBHOOK.format(url=website.site.url)
                    server.folio("shell", "--verbosity", "0", "-c", code)
                writer = Writer(server)
                last = chance.randrange(*LIVES)
                while writer.counts < last and writer.thread.is_alive():
                    time.sleep(0.01)
                time.sleep(chance.random() * 2)  # in which what was written may be told
                if life < kills:
                    kill(server)
                writer.stop()
                writes += writer.counts
                if life == kills and not settle(server, website):
                    website.violations.append(f"Published: {published(server)}, on the website: {website.pages}")
    return writes


def main() -> int:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=6, help="how often the server is killed (default: %(default)s)")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="folio-telling-", ignore_cleanup_errors=True) as folder,
        endpoint() as site,
    ):
        website = Website(site)
        writes = run(Path(folder), arguments.kills, website)
    print(f"{writes:>9,}  writes")
    print(f"{arguments.kills:>9,}  servers killed")
    print(f"{len(website.bodies):>9,}  messages, {len(site.received) - len(website.bodies):,} of them more than once")
    print(f"{len(website.violations):>9,}  violations")
    for violation in website.violations[:10]:
        print(violation, file=sys.stderr)
    if not website.bodies:
        print("Nothing was told.", file=sys.stderr)
    return int(bool(website.violations) or not website.bodies)


if __name__ == "__main__":
    sys.exit(main())
